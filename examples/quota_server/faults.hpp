#pragma once

// What goes wrong on purpose, and how long an answer takes: drawn from a seed, so that a run can be repeated.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "dice.hpp"
#include "time.hpp"

namespace quota_server {

enum class Fault {
  none,
  fail,  ///< a 500
  drop   ///< the connection is closed without an answer
};

struct FaultOptions {
  double fail_rate = 0;  ///< share of requests, 0 to 1
  double drop_rate = 0;  ///< share of requests, 0 to 1; together with fail_rate at most 1
  std::chrono::milliseconds delay{0};
  std::chrono::milliseconds jitter{0};  ///< added to the delay: evenly from 0 to this
};

/// Thread-safe.
class Faults {
 public:
  Faults(const FaultOptions& options, std::uint64_t seed) : options_(options), dice_(seed) {}

  Fault draw() {
    if (options_.fail_rate + options_.drop_rate <= 0) return Fault::none;
    const double drawn = dice_.fraction();
    if (drawn < options_.drop_rate) return Fault::drop;
    return drawn < options_.drop_rate + options_.fail_rate ? Fault::fail : Fault::none;
  }

  Duration latency() {
    if (options_.jitter.count() == 0) return options_.delay;
    const std::chrono::duration<double, std::milli> extra = options_.jitter * dice_.fraction();
    return options_.delay + std::chrono::duration_cast<Duration>(extra);
  }

 private:
  FaultOptions options_;
  Dice dice_;
};

/// A sleep that ends early once the server stops. Thread-safe.
class Pause {
 public:
  /// False if it was cut short.
  bool sleep(Duration length) {
    if (length <= Duration::zero()) return true;
    std::unique_lock lock(mutex_);
    return !stop_.wait_for(lock, length, [this] { return stopped_; });
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    stop_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;
};

}  // namespace quota_server
