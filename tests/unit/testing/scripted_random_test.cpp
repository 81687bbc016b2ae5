#include "tokenpool/testing/scripted_random.hpp"

#include "catch_compat.hpp"

using tokenpool::testing::ScriptedRandom;

TEST_CASE("scripted randomness repeats its script") {
  ScriptedRandom random({1, 2});
  CHECK(random.bits() == 1);
  CHECK(random.bits() == 2);
  CHECK(random.bits() == 1);
  CHECK(random.drawn() == 3);
}

TEST_CASE("scripted randomness of units gives each unit and its share of a bound") {
  auto random = ScriptedRandom::of_units({0.0, 0.25, 0.75});
  CHECK(random.unit() == 0.0);
  CHECK(random.unit() == 0.25);
  CHECK(random.below(4) == 3);
}

TEST_CASE("scripted randomness without a script is zero") {
  ScriptedRandom random;
  CHECK(random.bits() == 0);
}
