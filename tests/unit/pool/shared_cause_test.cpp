#include "tokenpool/pool/shared_cause.hpp"

#include "catch_compat.hpp"

using namespace std::chrono_literals;
using tokenpool::Duration;
using tokenpool::Rest;
using tokenpool::SteadyTime;
using tokenpool::Verdict;
using tokenpool::detail::Refusal;
using tokenpool::detail::SharedCause;

namespace {

constexpr SteadyTime now{1000s};

struct NoJitter final : tokenpool::RandomSource {
  std::uint64_t bits() override { return 0; }
};

/// One place of a pool with many tokens; each request has the next ticket.
struct Place {
  SharedCause cause;
  std::uint64_t ticket = 0;
  std::size_t usable = 40;
  NoJitter random;

  void refuse(std::uint32_t account, Duration own_rest = 1h) { refuse_old(++ticket, account, own_rest); }
  void refuse_old(std::uint64_t old, std::uint32_t account, Duration own_rest = 1h) {
    Refusal refusal{.account = account};
    refusal.own.refused(old, ticket, now, now + own_rest, Verdict::rate_limited);
    cause.refused(refusal, ticket);
    if (cause.active()) {
      cause.lengthen(old, ticket, now, usable, refusal.own.until(), random);
    }
  }
  std::vector<Refusal> succeed() { return cause.succeeded(++ticket, now); }
};

}  // namespace

TEST_CASE("three different tokens refused in a row mean a shared cause") {
  Place place;
  place.refuse(1);
  place.refuse(2);
  CHECK_FALSE(place.cause.active());
  place.refuse(3);
  CHECK(place.cause.active());
  CHECK(place.cause.opens_at(40) == now + 1s);
}

TEST_CASE("one token refused three times proves nothing") {
  Place place;
  for (int i = 0; i < 3; ++i) {
    place.refuse(1);
  }
  CHECK_FALSE(place.cause.active());
}

TEST_CASE("a success between clears the evidence") {
  Place place;
  place.refuse(1);
  place.refuse(2);
  CHECK(place.succeed().empty());
  place.refuse(3);
  CHECK_FALSE(place.cause.active());
}

TEST_CASE("the success of a request sent before the first refusal clears nothing") {
  Place place;
  place.ticket = 10;
  place.refuse(1);
  place.refuse(2);
  CHECK(place.cause.succeeded(7, now).empty());
  place.refuse(3);
  CHECK(place.cause.active());
  CHECK(place.cause.succeeded(9, now).empty());
  CHECK(place.cause.active());
}

TEST_CASE("the success of the newest request that was under way at the first refusal clears nothing") {
  Place place;
  place.ticket = 20;
  place.refuse_old(15, 1);
  place.refuse_old(16, 2);
  CHECK(place.cause.succeeded(20, now).empty());
  place.refuse_old(17, 3);
  CHECK(place.cause.active());
}

TEST_CASE("a place rests no longer than the server told and at least an eighth of its step") {
  const auto [refusals, told, rest] = GENERATE(
      table<std::uint32_t, Duration, Duration>({{3, 700ms, 700ms}, {3, 40ms, 125ms}, {4, 40ms, 250ms}}));
  Place place;
  for (std::uint32_t slot = 1; slot <= refusals; ++slot) {
    place.refuse(slot, told);
  }
  CHECK(place.cause.opens_at(40) == now + rest);
}

TEST_CASE("where tests are refused again and again others follow step by step") {
  Place place;
  const bool confirmed = GENERATE(false, true);
  for (int time = 0; time < 2; ++time) {
    for (std::uint32_t slot = 1; slot <= 3; ++slot) {
      place.refuse(slot);
    }
    if (confirmed) {
      place.refuse(4);
    }
    place.succeed();
  }
  CHECK(place.cause.opens_at(40) < now);
  place.cause.granted(++place.ticket, now);
  CHECK((place.cause.opens_at(40) > now) == confirmed);
  CHECK(place.cause.idle() == !confirmed);
  place.succeed();
  CHECK(place.cause.opens_at(40) < now);
}

TEST_CASE("a place that goes on refusing rests in longer steps") {
  Place place;
  for (std::uint32_t slot = 1; slot <= 5; ++slot) {
    place.refuse(slot);
  }
  CHECK(place.cause.opens_at(40) == now + 4s);
}

TEST_CASE("as long as a token is left to ask a place rests for eight seconds at most") {
  Place place;
  place.usable = 6;
  for (std::uint32_t slot = 1; slot <= 8; ++slot) {
    place.refuse(slot);
  }
  CHECK(place.cause.rest().opens_at() == now + 8s);
  place.refuse(9);
  CHECK(place.cause.rest().opens_at() == now + 64s);
}

TEST_CASE("a token that served elsewhere and is refused here again is evidence again") {
  Place place;
  for (int round = 0; round < 3; ++round) {
    CHECK_FALSE(place.cause.active());
    place.refuse(1);
    place.refuse(1);
    place.cause.served_elsewhere(1, 0, ++place.ticket);
  }
  CHECK(place.cause.active());
  CHECK(place.cause.opens_at_for(1) < now);
}

TEST_CASE("what was sent before a refusal and served elsewhere does not disprove it") {
  Place place;
  place.ticket = 5;
  place.refuse(1);
  place.cause.served_elsewhere(1, 0, 5);
  CHECK(place.cause.asked().front().own.active());
  place.cause.served_elsewhere(1, 0, 7);
  CHECK_FALSE(place.cause.asked().front().own.active());
}

TEST_CASE("a guess that its first test disproves leaves each token its strike") {
  Place place;
  for (std::uint32_t slot = 1; slot <= 3; ++slot) {
    place.refuse(slot);
  }
  SECTION("disproved") { CHECK(place.succeed().front().own.strikes() == 1); }
  SECTION("confirmed before the place recovered") {
    place.refuse(4);
    CHECK(place.succeed().front().own.strikes() == 0);
  }
}

TEST_CASE("refusals that were under way are one and the same news") {
  Place place;
  place.ticket = 40;
  for (std::uint64_t old = 1; old <= 40; ++old) {
    place.refuse_old(old, static_cast<std::uint32_t>(old));
  }
  CHECK(place.cause.opens_at(100) == now + 1s);
}

TEST_CASE("a token that was asked is asked again only when its own rest would be over") {
  Place place;
  place.refuse(1, 10s);
  place.refuse(2);
  CHECK(place.cause.opens_at_for(1) < now);
  place.refuse(3);
  CHECK(place.cause.opens_at_for(1) == now + 10s);
  CHECK(place.cause.opens_at_for(9) < now);
}

TEST_CASE("a shorter word that comes later does not shorten a shelved rest") {
  Place place;
  for (const std::uint32_t slot : {1U, 2U, 3U}) {
    place.refuse(slot, 2s);
  }
  place.refuse_old(3, 3, 1s);
  CHECK(place.cause.opens_at_for(3) == now + 2s);
}

TEST_CASE("when every token was asked the place opens with the first own rest") {
  Place place;
  place.refuse(1, 10s);
  place.refuse(2, 5s);
  place.refuse(3, 24h);
  CHECK(place.cause.opens_at(3) == now + 5s);
  CHECK(place.cause.opens_at(4) == now + 1s);
}

TEST_CASE("a success ends the suspicion and brings the own rests back") {
  Place place;
  for (std::uint32_t slot = 1; slot <= 3; ++slot) {
    place.refuse(slot);
  }
  CHECK(place.succeed().size() == 3);
  CHECK_FALSE(place.cause.active());
  CHECK_FALSE(place.cause.rest().active());
  place.refuse(1);
  place.refuse(2);
  CHECK_FALSE(place.cause.active());
}

TEST_CASE("a token that is gone tells nothing") {
  Place place;
  for (std::uint32_t slot = 1; slot <= 3; ++slot) {
    place.refuse(slot);
  }
  place.cause.forget(2);
  CHECK(place.cause.opens_at_for(2) < now);
  CHECK(place.succeed().size() == 2);
}
