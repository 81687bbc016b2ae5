#pragma once

// The three ways in which services count "N requests per window". Each window counts for one key and knows
// nothing of limits beyond its own; time is handed in and never runs backwards.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "time.hpp"

namespace quota_server {

enum class WindowKind {
  fixed,         ///< windows follow each other without a gap, aligned to 1970-01-01T00:00:00Z
  rolling,       ///< at each moment, what was counted during the last window's length
  first_request  ///< a window opens with the first request counted after the previous one has ended
};

class Window {
 public:
  virtual ~Window() = default;

  /// Requests that count at `now`.
  virtual std::size_t used(Time now) = 0;

  /// When a full window has room again; the instant itself has room.
  virtual Time free_at(Time now) = 0;

  virtual void count(Time now) = 0;
};

class FixedWindow : public Window {
 public:
  explicit FixedWindow(Duration length) : length_(length) {}

  std::size_t used(Time now) override {
    advance(now);
    return used_;
  }

  Time free_at(Time now) override {
    advance(now);
    return Time{(index_ + 1) * length_};
  }

  void count(Time now) override {
    advance(now);
    ++used_;
  }

 private:
  void advance(Time now) {
    const std::int64_t index = now.time_since_epoch() / length_;
    if (index == index_) return;
    index_ = index;
    used_ = 0;
  }

  Duration length_;
  std::int64_t index_ = 0;
  std::size_t used_ = 0;
};

class RollingWindow : public Window {
 public:
  /// Only the last `amount` stamps can decide, so no more are kept: where refused requests count too, each of
  /// them then pushes out the oldest one and the block lasts longer.
  RollingWindow(Duration length, std::size_t amount) : length_(length), amount_(amount) {}

  std::size_t used(Time now) override {
    while (!stamps_.empty() && now - stamps_.front() >= length_) stamps_.pop_front();
    return stamps_.size();
  }

  Time free_at(Time now) override { return used(now) == 0 ? now : stamps_.front() + length_; }

  void count(Time now) override {
    stamps_.push_back(now);
    if (stamps_.size() > amount_) stamps_.pop_front();
  }

 private:
  Duration length_;
  std::size_t amount_;
  std::deque<Time> stamps_;
};

class FirstRequestWindow : public Window {
 public:
  explicit FirstRequestWindow(Duration length) : length_(length) {}

  std::size_t used(Time now) override {
    if (used_ != 0 && now - opened_ >= length_) used_ = 0;
    return used_;
  }

  Time free_at(Time now) override { return used(now) == 0 ? now : opened_ + length_; }

  void count(Time now) override {
    if (used(now) == 0) opened_ = now;
    ++used_;
  }

 private:
  Duration length_;
  Time opened_{};
  std::size_t used_ = 0;
};

inline std::unique_ptr<Window> make_window(WindowKind kind, Duration length, std::size_t amount) {
  switch (kind) {
    case WindowKind::rolling: return std::make_unique<RollingWindow>(length, amount);
    case WindowKind::first_request: return std::make_unique<FirstRequestWindow>(length);
    case WindowKind::fixed: break;
  }
  return std::make_unique<FixedWindow>(length);
}

}  // namespace quota_server
