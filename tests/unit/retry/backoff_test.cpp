#include "tokenpool/retry/backoff.hpp"

#include <chrono>
#include <limits>

#include "catch_compat.hpp"
#include "tokenpool/testing/scripted_random.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using testing::ScriptedRandom;

TEST_CASE("the ceiling of the back-off doubles up to its longest") {
  const Backoff backoff;
  CHECK(backoff_ceiling(backoff, 1) == 500ms);
  CHECK(backoff_ceiling(backoff, 2) == 1s);
  CHECK(backoff_ceiling(backoff, 3) == 2s);
  CHECK(backoff_ceiling(backoff, 4) == 4s);
  CHECK(backoff_ceiling(backoff, 5) == 8s);
  CHECK(backoff_ceiling(backoff, 6) == 8s);
  CHECK(backoff_ceiling(backoff, (std::numeric_limits<unsigned>::max)()) == 8s);
}

TEST_CASE("a longest wait that is no power of two is kept to") {
  CHECK(backoff_ceiling({.first = 500ms, .max = 1500ms}, 2) == 1s);
  CHECK(backoff_ceiling({.first = 500ms, .max = 1500ms}, 3) == 1500ms);
  CHECK(backoff_ceiling({.first = 500ms, .max = 10s}, 5) == 8s);
  CHECK(backoff_ceiling({.first = 500ms, .max = 10s}, 6) == 10s);
}

TEST_CASE("the wait is anything between nothing and the ceiling") {
  auto random = ScriptedRandom::of_units({0, 0.5, 0.75});
  CHECK(backoff_wait({}, 1, random) == 0s);
  CHECK(backoff_wait({}, 1, random) == 250ms);
  CHECK(backoff_wait({}, 3, random) == 1500ms);
}

TEST_CASE("the longest times there are do not overflow the back-off") {
  constexpr auto longest = (std::chrono::milliseconds::max)();
  auto random = ScriptedRandom::of_units({0.5});
  CHECK(backoff_ceiling({.first = longest, .max = longest}, 100) == (Duration::max)());
  CHECK(backoff_ceiling({.first = 1ms, .max = longest}, 1000) == (Duration::max)());
  CHECK(backoff_wait({.first = 1ms, .max = longest}, 1000, random) <= (Duration::max)() / 2 + 1s);
}
