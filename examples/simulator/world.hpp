#pragma once
// One simulation as plain data: who owns which tokens, what the service counts, how the way there behaves,
// and who calls when.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dice.hpp"
#include "service.hpp"
#include "tokenpool/pool/token.hpp"
#include "tokenpool/quota/limit.hpp"
#include "tokenpool/retry/attempts.hpp"

namespace simulator {

/// The way to the service. Each length is drawn anew for each request, so requests overtake each other.
struct Network {
  Length way_least = std::chrono::milliseconds(5);  ///< one way
  Length way_most = std::chrono::milliseconds(20);
  Length work_least = std::chrono::milliseconds(10);  ///< from the arrival to the answer
  Length work_most = std::chrono::milliseconds(100);
  double no_connection = 0;                              ///< share that never leaves
  double lost_before = 0;                                ///< share that is lost on its way there
  double lost_after = 0;                                 ///< share whose answer is lost on its way back
  Length loss_noticed = std::chrono::milliseconds(500);  ///< after sending; longer than any answer takes

  bool tells_work = false;  ///< the client learns how long the service worked

  [[nodiscard]] Length longest() const { return 2 * way_most + work_most; }
};

/// What one call needs.
struct CallPlan {
  std::string bucket{};
  std::int64_t cost = 1;       ///< what the client estimates
  std::int64_t true_cost = 1;  ///< what the service counts
  std::string affinity{};
  bool safe_to_repeat = true;
  std::optional<Length> deadline{};   ///< from its beginning
  std::optional<Length> cancelled{};  ///< from its beginning
};

/// Who calls when: `calls` calls, at random instants `per_second`, or by so many `workers` of whom each
/// begins its next call when the last one has ended.
struct Load {
  std::size_t calls = 1000;
  double per_second = 0;
  std::size_t workers = 0;
  Instant until = never;                  ///< no call begins after that
  std::function<CallPlan(Dice&)> plan{};  ///< empty: plain calls
};

struct World {
  std::vector<tokenpool::Token> tokens{};
  std::vector<tokenpool::Limit> limits{};  ///< as the client knows them
  std::vector<tokenpool::Egress> egress{};
  std::string policy = "round-robin";
  tokenpool::RetryOptions retry{};
  ServiceOptions service{};
  Network network{};
  Load load{};
  Length wake_up = std::chrono::microseconds(100);  ///< the longest from being woken to running
};

/// `count` tokens named t0, t1...
inline std::vector<tokenpool::Token> tokens_named(std::size_t count) {
  std::vector<tokenpool::Token> tokens;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string id = "t" + std::to_string(i);
    tokens.push_back({.secret = tokenpool::Secret("secret-of-" + id), .id = id});
  }
  return tokens;
}

/// `count` egresses named e0, e1...
inline std::vector<tokenpool::Egress> egresses_named(std::size_t count) {
  std::vector<tokenpool::Egress> egresses;
  for (std::size_t i = 0; i < count; ++i) {
    egresses.push_back({.id = "e" + std::to_string(i)});
  }
  return egresses;
}

}  // namespace simulator
