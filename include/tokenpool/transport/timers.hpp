#pragma once
// The timers of a loop. Each is kept by who waits for it and brings the memory that its place in the order
// takes, so that it can be set as often as one likes without any.

#include <map>
#include <utility>

#include "tokenpool/base/time.hpp"

namespace tokenpool {

/// What happens at a moment. Must have been forgotten, or be due, before it is destroyed.
class LoopTimer {
 public:
  LoopTimer() = default;
  LoopTimer(const LoopTimer&) = delete;
  LoopTimer& operator=(const LoopTimer&) = delete;
  virtual ~LoopTimer() = default;

  /// The moment has come; the timer may be set again, or destroyed.
  virtual void due() noexcept = 0;

 private:
  friend class Timers;
  using Order = std::multimap<SteadyTime, LoopTimer*>;

  Order::node_type kept_;    ///< while it is not set
  Order::iterator place_{};  ///< while it is
  bool set_ = false;
};

/// The timers that are set. Not thread-safe.
class Timers {
 public:
  /// Sets `timer` to `when`, whether or not it was set before. Only the first time takes memory: then throws
  /// std::bad_alloc, the timer not set.
  void set(LoopTimer& timer, SteadyTime when) {
    forget(timer);
    if (timer.kept_.empty()) {
      LoopTimer::Order first;
      timer.kept_ = first.extract(first.emplace(when, &timer));
    }
    timer.kept_.key() = when;
    timer.place_ = order_.insert(std::move(timer.kept_));
    timer.set_ = true;
  }

  /// It will not be due.
  void forget(LoopTimer& timer) noexcept {
    if (std::exchange(timer.set_, false)) {
      timer.kept_ = order_.extract(timer.place_);
    }
  }

  /// When the next one is due; the end of time: none is set.
  [[nodiscard]] SteadyTime next() const noexcept {
    return order_.empty() ? end_of_time : order_.begin()->first;
  }

  /// Calls those that are due at `now`, in the order of their times. One that is set anew to `now` or before
  /// is called, too.
  void call_due(SteadyTime now) noexcept {
    while (next() <= now) {
      LoopTimer& timer = *order_.begin()->second;
      forget(timer);
      timer.due();
    }
  }

 private:
  LoopTimer::Order order_;
};

}  // namespace tokenpool
