#include "tokenpool/policy/weighted_round_robin.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "unit/policy/picks.hpp"

using tokenpool::WeightedRoundRobin;

namespace {

/// The longest run of one letter.
std::size_t longest_run(const std::string& served) {
  std::size_t longest = 0;
  for (std::size_t at = 0; at < served.size();) {
    const std::size_t end = (std::min)(served.find_first_not_of(served[at], at), served.size());
    longest = (std::max)(longest, end - at);
    at = end;
  }
  return longest;
}

}  // namespace

TEST_CASE("weighted round robin spreads the turns over the round") {
  test::Picks<WeightedRoundRobin> picks(test::with_weights({5, 1, 1}));
  CHECK(picks.serve(14) == "aacaabaaacaaba");
}

TEST_CASE("weighted round robin takes tokens of equal weight once a round") {
  test::Picks<WeightedRoundRobin> picks(test::with_weights({2, 2, 2, 2}));
  CHECK(picks.serve(12) == "acbdacbdacbd");
}

TEST_CASE(
    "weighted round robin gives each token exactly its weight in any run of as many as the weights sum") {
  const auto weights = GENERATE(std::vector<double>{5, 1, 1}, std::vector<double>{1, 2, 3, 4},
                                std::vector<double>{7, 7, 1, 3}, std::vector<double>{100, 1, 33},
                                std::vector<double>{1, 1, 1, 1, 1}, std::vector<double>{3, 17, 29, 2, 11});
  test::Picks<WeightedRoundRobin> picks(test::with_weights(weights));
  const auto round = static_cast<std::size_t>(std::accumulate(weights.begin(), weights.end(), 0.0));
  const std::string served = picks.serve(round * 5);
  for (std::size_t at = 0; at + round <= served.size(); ++at) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const auto count =
          std::count(served.begin() + static_cast<std::ptrdiff_t>(at),
                     served.begin() + static_cast<std::ptrdiff_t>(at + round), static_cast<char>('a' + i));
      REQUIRE(static_cast<double>(count) == weights[i]);
    }
  }
}

TEST_CASE("weighted round robin never runs longer on one token than the smooth one of nginx") {
  // a a b a c a a: with the next round four in a row.
  test::Picks<WeightedRoundRobin> picks(test::with_weights({5, 1, 1}));
  CHECK(longest_run(picks.serve(700)) <= 4);
}

TEST_CASE("weighted round robin does not let a token catch up on what it missed") {
  test::Picks<WeightedRoundRobin> picks(test::with_weights({2, 1, 1}));
  picks.pool.disable("a");
  picks.serve(1000);
  picks.pool.enable("a");
  const std::string served = picks.serve(40);
  CHECK(std::count(served.begin(), served.end(), 'a') == 20);
  CHECK(longest_run(served) <= 2);
}

TEST_CASE("weighted round robin hears of a new weight") {
  test::Picks<WeightedRoundRobin> picks(test::with_weights({0.001, 1}));
  picks.serve(10);
  picks.pool.set_weight("a", 3);
  const std::string served = picks.serve(400);
  CHECK(std::count(served.begin(), served.end(), 'a') == 300);
}

TEST_CASE("weighted round robin meets shares that are no whole numbers") {
  test::Picks<WeightedRoundRobin> picks(test::with_weights({0.5, 1e-3, 2.25}));
  const std::string served = picks.serve(2751);
  CHECK(std::count(served.begin(), served.end(), 'a') == 500);
  CHECK(std::count(served.begin(), served.end(), 'b') == 1);
  CHECK(std::count(served.begin(), served.end(), 'c') == 2250);
}
