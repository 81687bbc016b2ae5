#include "tokenpool/policy/weighted_random.hpp"

#include <string>

#include "catch_compat.hpp"
#include "tokenpool/testing/scripted_random.hpp"
#include "unit/policy/picks.hpp"

using tokenpool::WeightedRandom;
using tokenpool::testing::ScriptedRandom;

namespace {

test::Picks<WeightedRandom> picks_with(const std::vector<double>& weights, const std::vector<double>& dice) {
  return test::Picks<WeightedRandom>(test::with_weights(weights), {},
                                     std::make_shared<ScriptedRandom>(ScriptedRandom::of_units(dice)));
}

}  // namespace

TEST_CASE("weighted random gives each token its part of the dice") {
  auto picks = picks_with({5, 1, 3, 1}, {0.0, 0.49, 0.51, 0.59, 0.61, 0.89, 0.91, 0.9999999});
  CHECK(picks.serve(8) == "aabbccdd");
}

TEST_CASE("weighted random parts the dice among those available") {
  auto picks = picks_with({5, 1, 3, 1}, {0.0, 0.49, 0.51, 0.99});
  picks.pool.disable("a");
  picks.pool.disable("d");
  CHECK(picks.serve(4) == "bccc");
}

TEST_CASE("weighted random hears of a new weight") {
  auto picks = picks_with({1, 1}, {0.49, 0.51});
  CHECK(picks.serve(2) == "ab");
  picks.pool.set_weight("b", 99);
  CHECK(picks.serve(2) == "bb");
}

TEST_CASE("weighted random never takes a token that is away however its sum is rounded") {
  auto picks = picks_with({1e-9, 1e12, 0.1, 0.7, 1e12}, {0.9999999999999999});
  picks.pool.disable("e");
  CHECK(picks.serve(1) == "d");
  picks.pool.disable("d");
  picks.pool.disable("c");
  picks.pool.disable("b");
  CHECK(picks.serve(1) == "a");
}

TEST_CASE("weighted random is as exact after a hundred thousand changes as before") {
  auto picks = picks_with({0.1, 0.2, 0.3}, {0.16666, 0.16667, 0.49999, 0.50001});
  for (int i = 0; i < 100'000; ++i) {
    picks.pool.set_weight("b", i % 2 == 0 ? 1e11 / (1 + i) : 0.2);
  }
  CHECK(picks.serve(4) == "abbc");
}
