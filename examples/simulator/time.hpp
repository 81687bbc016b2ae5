#pragma once
// The simulator's own time: nanoseconds since the simulation began, by nobody's clock.

#include <chrono>

namespace simulator {

/// A length of time.
using Length = std::chrono::nanoseconds;

/// An instant: how long after the beginning.
using Instant = std::chrono::nanoseconds;

/// The instant that never comes.
inline constexpr Instant never = (Instant::max)();

}  // namespace simulator
