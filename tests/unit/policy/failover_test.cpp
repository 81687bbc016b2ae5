#include "tokenpool/policy/failover.hpp"

#include "catch_compat.hpp"
#include "unit/policy/picks.hpp"

using tokenpool::Failover;

TEST_CASE("failover takes the first group in turn and nobody else") {
  test::Picks<Failover> picks(test::with_priorities({1, 0, 1, 0}));
  CHECK(picks.serve(5) == "bdbdb");
}

TEST_CASE("failover spills to the next group and comes back") {
  test::Picks<Failover> picks(test::with_priorities({0, 1, 1, -3}));
  CHECK(picks.serve(2) == "dd");
  picks.pool.disable("d");
  CHECK(picks.serve(2) == "aa");
  picks.pool.disable("a");
  CHECK(picks.serve(3) == "bcb");
  picks.pool.enable("d");
  CHECK(picks.serve(2) == "dd");
}

TEST_CASE("failover serves with the largest number there is") {
  test::Picks<Failover> picks(test::with_priorities({2147483647, 2147483647}));
  CHECK(picks.serve(3) == "aba");
}
