#include "tokenpool/policy/random.hpp"

#include "catch_compat.hpp"
#include "tokenpool/testing/scripted_random.hpp"
#include "unit/policy/picks.hpp"

using tokenpool::Random;
using tokenpool::testing::ScriptedRandom;

TEST_CASE("random takes the token that the dice show") {
  const auto dice = std::make_shared<ScriptedRandom>(ScriptedRandom::of_units({0.0, 0.25, 0.49, 0.75, 0.99}));
  test::Picks<Random> picks(test::lettered_tokens(4), {}, dice);
  CHECK(picks.serve(5) == "abbdd");
}

TEST_CASE("random draws once for each request") {
  const auto dice = std::make_shared<ScriptedRandom>();
  test::Picks<Random> picks(test::lettered_tokens(4), {}, dice);
  picks.serve(10);
  CHECK(dice->drawn() == 10);
}
