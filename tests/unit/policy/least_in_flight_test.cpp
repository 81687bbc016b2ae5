#include "tokenpool/policy/least_in_flight.hpp"

#include "catch_compat.hpp"
#include "unit/policy/picks.hpp"

using tokenpool::LeastInFlight;

TEST_CASE("least in flight takes idle tokens in turn") {
  test::Picks<LeastInFlight> picks(test::lettered_tokens(3));
  CHECK(picks.serve(5) == "abcab");
}

TEST_CASE("least in flight takes the token with the fewest leases") {
  test::Picks<LeastInFlight> picks(test::lettered_tokens(3));
  auto a = picks.hold();
  auto b = picks.hold();
  CHECK(picks.serve(2) == "cc");
  auto c = picks.hold();
  picks.answer(std::move(b));
  CHECK(picks.serve(2) == "bb");
}

TEST_CASE("least in flight knows what is under way on a token that comes back") {
  test::Picks<LeastInFlight> picks(test::lettered_tokens(2));
  auto a = picks.hold();
  picks.pool.disable("a");
  picks.pool.enable("a");
  CHECK(picks.serve(3) == "bbb");
}

TEST_CASE("least in flight counts a lease that was given back") {
  test::Picks<LeastInFlight> picks(test::lettered_tokens(2));
  { const auto a = picks.hold(); }
  auto b = picks.hold();
  CHECK(picks.serve(2) == "aa");
}
