#include "tokenpool/quota/limit.hpp"

#include <limits>

#include "catch_compat.hpp"

using namespace std::chrono_literals;
using tokenpool::Counted;
using tokenpool::Limit;
using tokenpool::Scope;
using tokenpool::SteadyTime;
using tokenpool::Unit;

TEST_CASE("a scope is a set of dimensions") {
  constexpr Scope pair = Scope::token | Scope::bucket;
  STATIC_REQUIRE(has(pair, Scope::token));
  STATIC_REQUIRE_FALSE(has(pair, Scope::egress));
  STATIC_REQUIRE_FALSE(has(Scope::pool, Scope::token));
  STATIC_REQUIRE(pair - Scope::token == Scope::bucket);
  CHECK(to_string(pair) == "token+bucket");
  CHECK(to_string(Scope::account | Scope::egress) == "account+egress");
  CHECK(to_string(Scope::pool) == "pool");
}

TEST_CASE("the short makers set scope amount and window") {
  CHECK(Limit::per_token(150, 24h) == Limit{.amount = 150, .window = 24h, .scope = Scope::token});
  CHECK(Limit::per_egress(1, 1s).scope == Scope::egress);
  CHECK(Limit::per_account(1, 1s).scope == Scope::account);
  CHECK(Limit::per_pool(1, 1s).scope == Scope::pool);
  CHECK(Limit::per(Scope::token | Scope::bucket, 3, 1s).unit == Unit::requests);
}

TEST_CASE("an unfit limit is refused in a sentence with field value and remedy") {
  CHECK_FALSE(problem_with(Limit::per_token(1, 1ms), "limits[0]"));
  CHECK(*problem_with(Limit::per_token(0, 1s), "limits[0]") ==
        "limits[0].amount is 0: give an amount of at least 1, or leave the limit out");
  CHECK(*problem_with(Limit::per_token(5, -2ms), "limits[3]") ==
        "limits[3].window is -2 ms: give a window above 0, for example 24h");
  CHECK_THAT(*problem_with(Limit::per_token((std::numeric_limits<std::int64_t>::max)(), 1s), "limits[0]"),
             test::StartsWith("limits[0].amount is 9223372036854775807: give an amount of at most"));
}

TEST_CASE("a limit on requests in flight needs no window") {
  CHECK_FALSE(problem_with(Limit{.amount = 4, .unit = Unit::in_flight}, "limits[0]"));
}

TEST_CASE("only a server that counts on arrival has counted before the answer") {
  const SteadyTime arrived{1s};
  const SteadyTime answered{9s};
  CHECK(counted_by(Counted::unknown, arrived, answered) == answered);
  CHECK(counted_by(Counted::on_answer, arrived, answered) == answered);
  CHECK(counted_by(Counted::on_arrival, arrived, answered) == arrived);
  CHECK(counted_by(Counted::on_arrival, answered + 1s, answered) == answered);
}
