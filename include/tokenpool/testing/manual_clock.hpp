#pragma once
// A clock that stands still until a test moves it: a day passes in no time, and never by chance.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "tokenpool/base/time.hpp"

/// The means by which tokenpool is tested, for those who build on it.
namespace tokenpool::testing {

/// A clock for tests. Copies show the same time, so one can be handed in and the other moved. Thread-safe.
class ManualClock {
 public:
  /// Begins at the steady time 1000 s (a time that nobody mistakes for "not set") and at 2024-01-01 00:00
  /// UTC.
  ManualClock() : state_(std::make_shared<State>()) {}

  /// What it shows.
  [[nodiscard]] Now now() const {
    const std::lock_guard lock(state_->mutex);
    return state_->now;
  }

  /// Moves both times on; `length` at least 0.
  void advance(Duration length) {
    const std::lock_guard lock(state_->mutex);
    state_->now.steady += length;
    state_->now.wall += std::chrono::duration_cast<WallTime::duration>(length);
  }

  /// Moves the time to `until` instead of waiting for it; what only an event ends is waited for. Called by
  /// what is tested, with the lock held (the concept Clock).
  void wait(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, SteadyTime until) {
    if (until == end_of_time) {
      condition.wait(lock);
    } else {
      advance((std::max)(until - now().steady, Duration::zero()));
    }
  }

  /// Sets the wall time alone, in any direction, as a person or a time server does.
  void set_wall(WallTime wall) {
    const std::lock_guard lock(state_->mutex);
    state_->now.wall = wall;
  }

 private:
  struct State {
    std::mutex mutex;
    Now now{SteadyTime{std::chrono::seconds(1000)}, WallTime{std::chrono::seconds(1'704'067'200)}};
  };

  std::shared_ptr<State> state_;
};

}  // namespace tokenpool::testing
