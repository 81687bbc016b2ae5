#include "tokenpool/quota/rest.hpp"

#include "catch_compat.hpp"

using namespace std::chrono_literals;
using tokenpool::Duration;
using tokenpool::end_of_time;
using tokenpool::Rest;
using tokenpool::rest_length;
using tokenpool::rest_step;
using tokenpool::SplitMix64;
using tokenpool::SteadyTime;
using tokenpool::Verdict;

namespace {
struct NoJitter final : tokenpool::RandomSource {
  std::uint64_t bits() override { return 0; }
};
struct MostJitter final : tokenpool::RandomSource {
  std::uint64_t bits() override { return ~std::uint64_t{0}; }
};

SteadyTime at(Duration offset) { return SteadyTime{offset}; }
}  // namespace

TEST_CASE("rests without the server's word double from one second to two minutes") {
  NoJitter random;
  const Duration expected[] = {1s, 2s, 4s, 8s, 16s, 32s, 64s, 120s, 120s};
  for (unsigned strikes = 1; strikes <= 9; ++strikes) {
    CHECK(rest_step(strikes, random) == expected[strikes - 1]);
  }
  CHECK(rest_step(4'000'000'000U, random) == Duration(120s));
}

TEST_CASE("a step is jittered upwards by a tenth at most") {
  MostJitter random;
  CHECK(rest_step(1, random) > Duration(1099ms));
  CHECK(rest_step(1, random) < Duration(1101ms));
  CHECK(rest_step(8, random) == Duration(120s));
}

TEST_CASE("the server's word on how long is taken as it is up to the longest rest") {
  NoJitter random;
  CHECK(rest_length(1, 5500ms, 24h, random) == Duration(5500ms));
  CHECK(rest_length(1, 0ms, 24h, random) == Duration(0));
  CHECK(rest_length(1, -5ms, 24h, random) == Duration(0));
  CHECK(rest_length(1, std::chrono::milliseconds::max(), 24h, random) == Duration(24h));
}

TEST_CASE("a word of less than a second is not believed twice in a row") {
  NoJitter random;
  CHECK(rest_length(2, 0ms, 24h, random) == Duration(2s));
  CHECK(rest_length(5, 999ms, 24h, random) == Duration(16s));
  CHECK(rest_length(5, 1000ms, 24h, random) == Duration(1s));
}

TEST_CASE("a rest admits nothing before its time and one request after it") {
  Rest rest;
  CHECK(rest.admits(at(0s)));
  rest.refused(1, 1, at(0s), at(10s), Verdict::rate_limited);
  CHECK_FALSE(rest.admits(at(9999ms)));
  CHECK(rest.opens_at() == at(10s));
  CHECK(rest.admits(at(10s)));
  rest.granted(2, at(10s));
  CHECK(rest.probing());
  CHECK_FALSE(rest.admits(at(99s)));
  CHECK(rest.opens_at() == end_of_time);
}

TEST_CASE("the request at the end of a rest decides") {
  Rest rest;
  rest.refused(1, 1, at(0s), at(10s), Verdict::rate_limited);
  rest.granted(2, at(10s));
  SECTION("its success ends the rest") {
    CHECK(rest.succeeded(2));
    CHECK_FALSE(rest.active());
    CHECK(rest.admits(at(0s)));
    CHECK(rest.strikes() == 0);
  }
  SECTION("its refusal begins the next with one strike more") {
    CHECK(rest.strikes_after(2) == 2);
    rest.refused(2, 2, at(0s), at(30s), Verdict::rate_limited);
    CHECK(rest.strikes() == 2);
    CHECK_FALSE(rest.probing());
    CHECK(rest.opens_at() == at(30s));
  }
  SECTION("when it tells nothing another one may go") {
    rest.inconclusive(2);
    CHECK(rest.active());
    CHECK(rest.admits(at(10s)));
  }
}

TEST_CASE("what was sent before a rest began proves nothing") {
  Rest rest;
  rest.refused(3, 7, at(0s), at(10s), Verdict::rate_limited);
  CHECK_FALSE(rest.succeeded(5));
  CHECK(rest.active());
  rest.inconclusive(5);
  CHECK(rest.active());
  CHECK(rest.strikes_after(6) == 1);
  rest.refused(6, 7, at(0s), at(12s), Verdict::rate_limited);
  CHECK(rest.strikes() == 1);
  CHECK(rest.until() == at(12s));
}

TEST_CASE("an old refusal does not end the test that is under way") {
  Rest rest;
  rest.refused(3, 7, at(0s), at(10s), Verdict::rate_limited);
  rest.granted(8, at(10s));
  rest.refused(5, 8, at(0s), at(11s), Verdict::rate_limited);
  CHECK(rest.probing());
  CHECK(rest.succeeded(8));
}

TEST_CASE("a rest is only ever lengthened") {
  Rest rest;
  rest.refused(1, 1, at(0s), at(10s), Verdict::rate_limited);
  rest.granted(2, at(10s));
  rest.refused(2, 2, at(0s), at(5s), Verdict::quota_exhausted);
  CHECK(rest.until() == at(10s));
  CHECK(rest.cause() == Verdict::quota_exhausted);
}

TEST_CASE("a person ends a rest") {
  Rest rest;
  rest.refused(1, 1, at(0s), at(10s), Verdict::rate_limited);
  rest.end();
  CHECK(rest.admits(at(0s)));
  CHECK(rest.strikes() == 0);
}

TEST_CASE("what gives one request at a time is not asked for two") {
  Rest rest;
  std::uint64_t ticket = 0;
  SteadyTime now = at(1h);
  const auto serve = [&] {
    rest.granted(++ticket, now);
    rest.succeeded(ticket);
  };
  for (int i = 0; i < 3; ++i) {
    rest.granted(++ticket, now);
    rest.refused(ticket, ticket, now, now + 6s, Verdict::rate_limited);
    now += 6s;
    serve();
  }
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(rest.admits(now));
    CHECK(rest.opens_at() == now + 6s);
    now += 6s;
    CHECK(rest.admits(now));
    serve();
  }
}
