#include "tokenpool/policy/least_used.hpp"

#include <array>

#include "catch_compat.hpp"
#include "unit/policy/picks.hpp"

using tokenpool::LeastUsed;

TEST_CASE("least used takes equals in turn") {
  test::Picks<LeastUsed> picks(test::lettered_tokens(3));
  CHECK(picks.serve(6) == "abcabc");
}

TEST_CASE("least used makes up for requests that did not fit") {
  test::Picks<LeastUsed> picks(test::lettered_tokens(3));
  const std::array<tokenpool::SlotNumber, 2> not_c = {0, 1};
  CHECK(picks.serve(2, {.asked = not_c}) == "cc");
  CHECK(picks.serve(5) == "ababc");
}

TEST_CASE("least used does not flood a token that comes back") {
  test::Picks<LeastUsed> picks(test::lettered_tokens(3));
  picks.pool.disable("b");
  picks.serve(1000);
  picks.pool.enable("b");
  CHECK(picks.serve(6) == "abcabc");
}

TEST_CASE("least used does not flood a new token") {
  test::Picks<LeastUsed> picks(test::lettered_tokens(2));
  picks.serve(1000);
  picks.pool.add({.secret = "secret-of-n", .id = "n"});
  CHECK(picks.serve(6) == "abnabn");
}

TEST_CASE("least used does not charge a new token with what the former holder of its place served") {
  test::Picks<LeastUsed> picks(test::lettered_tokens(2));
  const std::array<tokenpool::SlotNumber, 1> not_a = {0};
  picks.serve(100, {.asked = not_a});
  picks.pool.remove("b");
  picks.pool.add({.secret = "secret-of-n", .id = "n"});
  CHECK(picks.serve(4) == "anan");
}
