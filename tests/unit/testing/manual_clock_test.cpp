#include "tokenpool/testing/manual_clock.hpp"

#include "catch_compat.hpp"

using namespace std::chrono_literals;
using tokenpool::testing::ManualClock;

TEST_CASE("a manual clock stands still until it is moved") {
  ManualClock clock;
  const auto before = clock.now();
  CHECK(clock.now().steady == before.steady);
  clock.advance(3s);
  CHECK(clock.now().steady - before.steady == 3s);
  CHECK(clock.now().wall - before.wall == 3s);
}

TEST_CASE("setting the wall time of a manual clock leaves the steady time alone") {
  ManualClock clock;
  const auto before = clock.now();
  clock.set_wall(before.wall - 1h);
  CHECK(clock.now().steady == before.steady);
  CHECK(before.wall - clock.now().wall == 1h);
}

TEST_CASE("copies of a manual clock show the same time") {
  ManualClock clock;
  const ManualClock copy = clock;
  clock.advance(1s);
  CHECK(copy.now().steady == clock.now().steady);
}
