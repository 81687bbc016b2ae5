#pragma once
// Virtual time: what shall happen lies in a heap, and the clock jumps from one event to the next. No thread,
// no sleep; of two events at one instant the one that was planned first comes first.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "time.hpp"

namespace simulator {

class EventLoop {
 public:
  [[nodiscard]] Instant now() const noexcept { return now_; }

  /// Plans `action` for `when`, or for now if that is past.
  void at(Instant when, std::function<void()> action) {
    heap_.push_back({(std::max)(when, now_), ++planned_, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  void after(Length wait, std::function<void()> action) { at(now_ + wait, std::move(action)); }

  /// Lets the next event happen; false when there is none until `end`.
  bool step(Instant end = never) {
    if (heap_.empty() || heap_.front().when > end) {
      return false;
    }
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Event event = std::move(heap_.back());
    heap_.pop_back();
    now_ = event.when;
    event.action();
    return true;
  }

  /// Lets time pass without an event.
  void advance_to(Instant when) noexcept { now_ = (std::max)(now_, when); }

 private:
  struct Event {
    Instant when;
    std::uint64_t number;
    std::function<void()> action;
  };

  static bool later(const Event& left, const Event& right) noexcept {
    return std::pair(left.when, left.number) > std::pair(right.when, right.number);
  }

  std::vector<Event> heap_;
  Instant now_{};
  std::uint64_t planned_ = 0;
};

}  // namespace simulator
