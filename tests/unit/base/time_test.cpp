#include "tokenpool/base/time.hpp"

#include <limits>

#include "catch_compat.hpp"

using namespace std::chrono_literals;
using tokenpool::after;
using tokenpool::Duration;
using tokenpool::end_of_time;
using tokenpool::saturated;
using tokenpool::SteadyTime;

TEST_CASE("a length that fits is kept to the tick") {
  CHECK(saturated(1500ms) == Duration(1500ms));
  CHECK(saturated(-3s) == Duration(-3s));
  CHECK(saturated(Duration(1)) == Duration(1));
}

TEST_CASE("a length that no Duration holds becomes the nearest one") {
  CHECK(saturated((std::chrono::hours::max)()) == (Duration::max)());
  CHECK(saturated((std::chrono::milliseconds::max)()) == (Duration::max)());
  CHECK(saturated((std::chrono::milliseconds::min)()) == (Duration::min)());
  CHECK(saturated(std::chrono::duration<double>(std::numeric_limits<double>::infinity())) ==
        (Duration::max)());
}

TEST_CASE("a length that is no number becomes the longest") {
  CHECK(saturated(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())) ==
        (Duration::max)());
}

TEST_CASE("time stops at its end instead of overflowing") {
  const SteadyTime start{5s};
  CHECK(after(start, 2s) == SteadyTime{7s});
  CHECK(after(start, (std::chrono::milliseconds::max)()) == end_of_time);
  CHECK(after(end_of_time, 1ms) == end_of_time);
  CHECK(after(SteadyTime{-5s}, 2s) == SteadyTime{-3s});
}

TEST_CASE("a negative length counts as zero") { CHECK(after(SteadyTime{5s}, -2s) == SteadyTime{5s}); }

TEST_CASE("a steady instant has its place on the wall clock") {
  const tokenpool::Now now{SteadyTime{100s}, tokenpool::WallTime{1'700'000'000s}};
  CHECK(to_wall(SteadyTime{130s}, now) == tokenpool::WallTime{1'700'000'030s});
  CHECK(to_wall(SteadyTime{90s}, now) == tokenpool::WallTime{1'699'999'990s});
  CHECK(to_wall(end_of_time, now) > tokenpool::WallTime{1'700'000'000s});
}
