#pragma once

// Chance that a seed repeats: the same draws on every standard library.

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>

namespace quota_server {

/// Thread-safe.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  /// A whole number from 0 to `end - 1`; `end` is at least 1.
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(draw() % end); }

  /// A number from 0 up to, not including, 1.
  double fraction() { return static_cast<double>(draw() >> 11) * 0x1.0p-53; }

 private:
  std::uint64_t draw() {
    const std::lock_guard lock(mutex_);
    return engine_();
  }

  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace quota_server
