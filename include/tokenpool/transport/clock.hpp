#pragma once
// The clock of a running program. Below this layer nobody reads one.

#include <chrono>
#include <concepts>
#include <condition_variable>
#include <mutex>

#include "tokenpool/base/time.hpp"

namespace tokenpool {

/// Tells the time and waits for it: `now()` reads both clocks, `wait(condition, lock, until)` returns when
/// notified or at `until`. A test's clock moves by itself instead of waiting.
template <class C>
concept Clock = requires(C& clock, std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                         SteadyTime until) {
  { clock.now() } -> std::convertible_to<Now>;
  clock.wait(condition, lock, until);
};

/// The machine's clocks. Thread-safe.
class SteadyClock {
 public:
  /// Reads both clocks.
  [[nodiscard]] Now now() const {
    return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
  }

  /// Waits for `condition` until the steady time `until` at the latest.
  void wait(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, SteadyTime until) const {
    if (until == end_of_time) {
      condition.wait(lock);
    } else {
      condition.wait_until(lock, until);
    }
  }
};

}  // namespace tokenpool
