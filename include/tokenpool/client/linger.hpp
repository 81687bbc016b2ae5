#pragma once
// A request that nobody waits for any more, cancelled or past its deadline or cut off, may still be counted
// by the server: when it gets to it, not when we let go. How long that may take only its other answers tell.

#include <algorithm>
#include <atomic>
#include <chrono>

#include "tokenpool/base/time.hpp"

namespace tokenpool::detail {

/// How long after its end an unanswered request may still be counted. Thread-safe.
class Linger {
 public:
  /// `longest` bounds it, and holds until an answer has come; none: ten minutes.
  explicit Linger(std::chrono::milliseconds longest) noexcept
      : longest_(longest.count() > 0 ? saturated(longest) : std::chrono::minutes(10)) {}

  /// An answer took so long.
  void answered(Duration latency) noexcept {
    Duration::rep slowest = slowest_.load(std::memory_order_relaxed);
    while (slowest < latency.count() &&
           !slowest_.compare_exchange_weak(slowest, latency.count(), std::memory_order_relaxed)) {
    }
  }

  /// Twice as long as the slowest answer so far took, since the next one may be slower, and at least a
  /// second.
  [[nodiscard]] Duration length() const noexcept {
    constexpr Duration least = std::chrono::seconds(1);
    const Duration slowest{slowest_.load(std::memory_order_relaxed)};
    const bool known = slowest > Duration::zero() && slowest < longest_ / 2;
    return known ? (std::min)((std::max)(2 * slowest, least), longest_) : longest_;
  }

 private:
  Duration longest_;
  std::atomic<Duration::rep> slowest_{0};
};

}  // namespace tokenpool::detail
