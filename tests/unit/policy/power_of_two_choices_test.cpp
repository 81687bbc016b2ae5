#include "tokenpool/policy/power_of_two_choices.hpp"

#include <algorithm>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/testing/scripted_random.hpp"
#include "unit/policy/picks.hpp"

using tokenpool::PowerOfTwoChoices;
using tokenpool::testing::ScriptedRandom;

namespace {

test::Picks<PowerOfTwoChoices> picks_with(std::size_t tokens, const std::vector<double>& dice) {
  return test::Picks<PowerOfTwoChoices>(test::lettered_tokens(tokens), {},
                                        std::make_shared<ScriptedRandom>(ScriptedRandom::of_units(dice)));
}

}  // namespace

TEST_CASE("power of two choices takes the less busy of two") {
  auto picks = picks_with(4, {0.3, 0.5});  // b, and of the three others the second: c
  const auto b = picks.hold();
  CHECK(picks.id(b) == "b");
  const auto c = picks.hold();
  CHECK(picks.id(c) == "c");
}

TEST_CASE("power of two choices takes the first drawn of equals") {
  auto picks = picks_with(4, {0.75, 0.0});
  CHECK(picks.serve(2) == "dd");
}

TEST_CASE("power of two choices draws two different tokens") {
  auto picks = picks_with(2, {0.0, 0.0});
  const auto a = picks.hold();
  const auto b = picks.hold();
  CHECK(picks.id(a) + picks.id(b) == "ab");
}

TEST_CASE("power of two choices lives with a single token") {
  auto picks = picks_with(1, {0.9});
  CHECK(picks.serve(3) == "aaa");
}

TEST_CASE("power of two choices keeps the fullest token near the average") {
  constexpr std::size_t tokens = 1000;
  tokenpool::PoolOptions options;
  for (std::size_t i = 0; i < tokens; ++i) {
    options.tokens.push_back({.secret = std::string_view("secret-" + std::to_string(i))});
  }
  tokenpool::TokenPool<PowerOfTwoChoices> pool(options);
  std::vector<tokenpool::Lease> leases;
  std::vector<int> load(tokens);
  for (std::size_t i = 0; i < tokens; ++i) {
    leases.push_back(std::get<tokenpool::Lease>(pool.acquire({}, {})));
    ++load[leases.back().slot()];
  }
  // log2 log2 1000 is 3.3; a single random choice reaches 5 or 6.
  CHECK(*std::max_element(load.begin(), load.end()) <= 4);
}
