#include "tokenpool/policy/round_robin.hpp"

#include <array>

#include "catch_compat.hpp"
#include "unit/policy/picks.hpp"

using tokenpool::RoundRobin;
using tokenpool::SlotNumber;

TEST_CASE("round robin takes each token in turn") {
  test::Picks<RoundRobin> picks(test::lettered_tokens(3));
  CHECK(picks.serve(7) == "abcabca");
}

TEST_CASE("round robin goes on with the others while a token is away") {
  test::Picks<RoundRobin> picks(test::lettered_tokens(4));
  picks.serve(1);
  picks.pool.disable("b");
  picks.pool.disable("d");
  CHECK(picks.serve(4) == "caca");
}

TEST_CASE("round robin gives a token that comes back its old place") {
  test::Picks<RoundRobin> picks(test::lettered_tokens(4));
  picks.pool.disable("c");
  picks.serve(2);
  picks.pool.enable("c");
  CHECK(picks.serve(5) == "dabcd");
}

TEST_CASE("round robin gives a token whose neighbours changed the end of the round") {
  test::Picks<RoundRobin> picks(test::lettered_tokens(4));
  picks.pool.disable("c");
  picks.pool.remove("d");
  picks.serve(1);
  picks.pool.enable("c");
  CHECK(picks.serve(6) == "bacbac");
}

TEST_CASE("round robin takes in a new token at the end of the round") {
  test::Picks<RoundRobin> picks(test::lettered_tokens(2));
  picks.serve(1);
  picks.pool.add({.secret = "secret-of-n", .id = "n"});
  CHECK(picks.serve(6) == "banban");
}

TEST_CASE("round robin takes all in turn again after there was none left") {
  test::Picks<RoundRobin> picks(test::lettered_tokens(3));
  for (const char* id : {"a", "b", "c"}) {
    picks.pool.disable(id);
  }
  for (const char* id : {"a", "b", "c"}) {
    picks.pool.enable(id);
  }
  CHECK(picks.serve(6) == "abcabc");
}

TEST_CASE("round robin keeps the order and the turn when nobody fits a request") {
  test::Picks<RoundRobin> picks(test::lettered_tokens(4));
  const std::array<SlotNumber, 4> all = {0, 1, 2, 3};
  std::string served;
  for (int i = 0; i < 8; ++i) {
    CHECK_FALSE(std::holds_alternative<tokenpool::Lease>(picks.pool.acquire({.asked = all}, {})));
    served += picks.serve(1);
  }
  CHECK(served == "abcdabcd");
}

TEST_CASE("round robin goes on behind the token that took the place of an unfit one") {
  test::Picks<RoundRobin> picks(test::lettered_tokens(4));
  const std::array<SlotNumber, 2> first_two = {0, 1};
  CHECK(picks.serve(1, {.asked = first_two}) == "c");
  CHECK(picks.serve(4) == "dabc");
}
