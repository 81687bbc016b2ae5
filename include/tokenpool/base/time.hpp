#pragma once
// Time as the core sees it: a value that is handed in, never read. One reading carries the steady time
// (rests, deadlines) and the wall time (dates, shared ledgers), so that the two never disagree within one
// decision.

#include <algorithm>
#include <chrono>

namespace tokenpool {

/// @{
/// The lengths and instants of the two clocks.
using Duration = std::chrono::steady_clock::duration;
using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;
/// @}

/// One reading of both clocks.
struct Now {
  SteadyTime steady{};  ///< for rests and deadlines: nobody sets it
  WallTime wall{};      ///< for dates in headers and shared ledgers
};

/// The instant that no clock reaches: "only an event ends this, not time".
inline constexpr SteadyTime end_of_time = (SteadyTime::max)();

/// `length` as a Duration; what does not fit becomes the longest or shortest Duration instead of overflowing,
/// and what is no number the longest.
template <class Rep, class Period>
constexpr Duration saturated(std::chrono::duration<Rep, Period> length) noexcept {
  using Wide = std::chrono::duration<long double, Duration::period>;
  const Wide wide{length};
  if (!(wide < Wide{(Duration::max)()})) {
    return (Duration::max)();
  }
  if (wide <= Wide{(Duration::min)()}) {
    return (Duration::min)();
  }
  return std::chrono::duration_cast<Duration>(length);
}

/// `start + length`, stopping at `end_of_time` instead of overflowing. A negative length counts as zero.
template <class Rep, class Period>
constexpr SteadyTime after(SteadyTime start, std::chrono::duration<Rep, Period> length) noexcept {
  const Duration step = (std::max)(saturated(length), Duration::zero());
  return step >= end_of_time - (std::max)(start, SteadyTime{}) ? end_of_time : start + step;
}

/// The wall-clock instant that belongs to a steady one, seen from `now`; nullable callers test for
/// `end_of_time` first.
constexpr WallTime to_wall(SteadyTime instant, Now now) noexcept {
  using WallDuration = WallTime::duration;
  const Duration room = saturated((WallTime::max)() - (std::max)(now.wall, WallTime{}));
  return now.wall + std::chrono::duration_cast<WallDuration>((std::min)(instant - now.steady, room));
}

}  // namespace tokenpool
