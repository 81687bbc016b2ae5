#pragma once
// A server that exists on paper and remembers nothing but counts, so that ten million calls leave no trace:
// most requests succeed, some are refused, fail, or are lost on either way.

#include <chrono>
#include <cstdint>
#include <utility>

#include "tokenpool/base/random.hpp"
#include "tokenpool/testing/manual_clock.hpp"
#include "tokenpool/transport/transport.hpp"

namespace soak {

/// What the server did, which the pool's own counts have to equal.
struct Served {
  std::uint64_t requests = 0;
  std::uint64_t successes = 0;
  std::uint64_t refused = 0;
};

/// A transport for one thread.
class PaperServer {
 public:
  explicit PaperServer(tokenpool::testing::ManualClock clock) : clock_(std::move(clock)) {}

  tokenpool::Exchange perform(const tokenpool::TransportRequest& request, tokenpool::Interrupt&) {
    using namespace std::chrono_literals;
    clock_.advance((std::min)(tokenpool::Duration(1ms), request.deadline - clock_.now().steady));
    tokenpool::Exchange exchange;
    exchange.answered_at = clock_.now().steady;
    ++served_.requests;
    const std::uint32_t fate = random_.below(1000);
    exchange.sent = fate != 0;
    if (fate == 0) {
      exchange.failure = tokenpool::TransportFailure{tokenpool::FailureKind::connect, false, "no connection"};
    } else if (fate == 1) {
      exchange.failure = tokenpool::TransportFailure{tokenpool::FailureKind::lost, true, "lost"};
    } else if (fate < 5) {
      exchange.answer = {
          503, {{"Content-Type", "application/json"}}, R"({"error":{"message":"try again later"}})"};
    } else if (fate < 20) {
      ++served_.refused;
      exchange.answer = {429, {{"retry-after-ms", "5"}}, R"({"error":{"code":"rate_limit_exceeded"}})"};
    } else {
      ++served_.successes;
      exchange.answer = {200, {{"x-ratelimit-remaining-requests", "7"}}, R"({"id":1})"};
    }
    return exchange;
  }

  [[nodiscard]] const Served& served() const noexcept { return served_; }

 private:
  tokenpool::testing::ManualClock clock_;
  tokenpool::SplitMix64 random_{1};
  Served served_;
};

}  // namespace soak
