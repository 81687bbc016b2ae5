#pragma once
// A policy in a real pool whose tokens are called a, b, c...: a test reads as the order in which they serve.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tokenpool/pool/pool.hpp"
#include "tokenpool/testing/manual_clock.hpp"

namespace test {

using namespace std::chrono_literals;

/// Tokens a, b, c... with a weight or priority each.
inline std::vector<tokenpool::Token> lettered_tokens(std::size_t count) {
  std::vector<tokenpool::Token> made;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string id(1, static_cast<char>('a' + i));
    made.push_back({.secret = std::string_view("secret-of-" + id), .id = id});
  }
  return made;
}

inline std::vector<tokenpool::Token> with_weights(const std::vector<double>& weights) {
  auto made = lettered_tokens(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    made[i].weight = weights[i];
  }
  return made;
}

inline std::vector<tokenpool::Token> with_priorities(const std::vector<int>& priorities) {
  auto made = lettered_tokens(priorities.size());
  for (std::size_t i = 0; i < priorities.size(); ++i) {
    made[i].priority = priorities[i];
  }
  return made;
}

template <tokenpool::SelectionPolicy Policy>
class Picks {
 public:
  explicit Picks(std::vector<tokenpool::Token> tokens, Policy policy = {},
                 std::shared_ptr<tokenpool::RandomSource> random = {})
      : pool({.tokens = std::move(tokens), .random = std::move(random)}, std::move(policy)) {}

  /// A lease that stays in flight; the test fails if there is none.
  tokenpool::Lease hold(const tokenpool::LeaseRequest& request = {}) {
    return std::get<tokenpool::Lease>(pool.acquire(request, clock.now()));
  }

  static std::string id(const tokenpool::Lease& lease) { return lease.credential().token_id; }

  void answer(tokenpool::Lease lease, tokenpool::Duration latency = 1ms,
              tokenpool::Verdict verdict = tokenpool::Verdict::success) {
    tokenpool::Outcome outcome;
    outcome.meaning.verdict = verdict;
    outcome.meaning.scope = tokenpool::LimitScope::token;
    outcome.meaning.rest = 1h;
    outcome.answered = true;
    outcome.answered_at = clock.now().steady;
    outcome.latency = latency;
    lease.settle(outcome, clock.now());
  }

  /// The tokens of the next requests, one after the other.
  std::string serve(std::size_t requests, const tokenpool::LeaseRequest& request = {}) {
    std::string served;
    for (std::size_t i = 0; i < requests; ++i) {
      tokenpool::Lease lease = hold(request);
      served += id(lease);
      answer(std::move(lease));
    }
    return served;
  }

  tokenpool::testing::ManualClock clock;
  tokenpool::TokenPool<Policy> pool;
};

}  // namespace test
