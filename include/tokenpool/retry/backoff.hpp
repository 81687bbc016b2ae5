#pragma once
// How long to wait before the same request goes out again: pure, and safe against overflow.

#include <algorithm>
#include <chrono>

#include "tokenpool/base/random.hpp"
#include "tokenpool/base/time.hpp"

namespace tokenpool {

/// Exponential back-off with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
/// Blog, 2015): the wait before the n-th repetition is uniform in [0, min(max, first * 2^(n-1))].
struct Backoff {
  std::chrono::milliseconds first{500};  ///< above 0
  std::chrono::milliseconds max{8000};   ///< at least `first`
};

/// The longest wait before repetition `number` (1 is the first).
inline Duration backoff_ceiling(const Backoff& backoff, unsigned number) {
  Duration ceiling = saturated(backoff.first);
  const Duration max = saturated(backoff.max);
  for (unsigned i = 1; i < number && ceiling < max; ++i) {
    ceiling = ceiling > max / 2 ? max : ceiling * 2;
  }
  return (std::min)(ceiling, max);
}

/// The wait before repetition `number`.
inline Duration backoff_wait(const Backoff& backoff, unsigned number, RandomSource& random) {
  const Duration ceiling = backoff_ceiling(backoff, number);
  return Duration(static_cast<Duration::rep>(random.unit() * static_cast<double>(ceiling.count())));
}

}  // namespace tokenpool
