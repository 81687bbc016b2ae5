#pragma once
// How a server counts "amount per window" in one place, in the four ways that are in use. Written as a server
// would, with no arithmetic shared with the library under test.

#include <algorithm>
#include <cstdint>
#include <deque>

#include "time.hpp"

namespace simulator {

/// When a server's window begins and ends.
enum class WindowKind {
  fixed,          ///< windows follow each other without a gap, whoever asks
  rolling,        ///< at each moment the last window's length counts
  first_request,  ///< a window begins with the first request after the last one ended
  token_bucket,   ///< a full bucket holds the amount and fills up once per window
};

class Counter {
 public:
  /// `phase` is when a fixed window begins.
  Counter(WindowKind kind, std::int64_t amount, Length window, Instant phase = {})
      : kind_(kind), amount_(amount), window_(window), phase_(phase), credit_(amount * window.count()) {}

  [[nodiscard]] bool has_room(std::int64_t units, Instant at) {
    move_to(at);
    return kind_ == WindowKind::token_bucket ? credit_ >= units * window_.count() : used_ + units <= amount_;
  }

  /// Counts `units` at `at`, which never runs backwards.
  void count(std::int64_t units, Instant at) {
    move_to(at);
    if (kind_ == WindowKind::first_request && used_ == 0) {
      began_ = at;
    }
    if (kind_ == WindowKind::rolling) {
      log_.push_back({at, units});
    }
    credit_ -= units * window_.count();
    used_ += units;
  }

  /// When `units` fit, if nobody else comes.
  [[nodiscard]] Instant opens_at(std::int64_t units, Instant at) {
    if (has_room(units, at)) {
      return at;
    }
    switch (kind_) {
      case WindowKind::fixed:
      case WindowKind::first_request: return began_ + window_;
      case WindowKind::token_bucket: {
        const std::int64_t missing = units * window_.count() - credit_;
        return at + Length((missing + amount_ - 1) / amount_);
      }
      case WindowKind::rolling: break;
    }
    std::int64_t free = amount_ - used_;
    for (const Entry& entry : log_) {
      free += entry.units;
      if (free >= units) {
        return entry.at + window_;
      }
    }
    return never;
  }

 private:
  struct Entry {
    Instant at;
    std::int64_t units;
  };

  void move_to(Instant at) {
    switch (kind_) {
      case WindowKind::fixed:
        if (const std::int64_t index = (at - phase_ + window_) / window_; index != index_) {
          index_ = index;
          began_ = phase_ + (index - 1) * window_;
          used_ = 0;
        }
        break;
      case WindowKind::first_request:
        if (used_ != 0 && at >= began_ + window_) {
          used_ = 0;
        }
        break;
      case WindowKind::rolling:
        for (; !log_.empty() && log_.front().at + window_ <= at; log_.pop_front()) {
          used_ -= log_.front().units;
        }
        break;
      case WindowKind::token_bucket:
        credit_ = (std::min)(amount_ * window_.count(),
                             credit_ + (std::min)(at - filled_at_, window_).count() * amount_);
        filled_at_ = at;
        break;
    }
  }

  WindowKind kind_;
  std::int64_t amount_;
  Length window_;
  Instant phase_;
  std::int64_t credit_;  ///< what the bucket holds, in units times nanoseconds, so that nothing is rounded
  Instant filled_at_{};
  std::int64_t used_ = 0;
  std::int64_t index_ = -1;
  Instant began_{};
  std::deque<Entry> log_;
};

}  // namespace simulator
