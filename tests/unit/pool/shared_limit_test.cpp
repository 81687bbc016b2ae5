// Whose limit was it? The pool against servers that say 429 and nothing else.
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "rig.hpp"

using namespace test;

namespace {

/// Says for a request whether it is refused, and for how long by its own word.
using Server = std::function<Classification(const Lease&)>;

struct Traffic {
  int answered = 0;
  int refused = 0;
  std::set<std::string> met_429;
  int told = 0;  ///< shared_limit events
  Duration waited{};
};

/// Sends until `goal` requests are answered or `patience` has passed, waiting whenever the pool says so.
template <class R>
Traffic drive(R& rig, const Server& server, int goal, Duration patience, const LeaseRequest& request = {}) {
  Traffic traffic;
  const SteadyTime end = rig.now().steady + patience;
  while (traffic.answered < goal) {
    Acquired acquired = rig.acquire(request);
    if (const auto* until = std::get_if<NotUntil>(&acquired)) {
      REQUIRE(until->when > rig.now().steady);
      if (until->when > end) {
        break;
      }
      traffic.waited += until->when - rig.now().steady;
      rig.pass_to(until->when);
      continue;
    }
    REQUIRE(std::holds_alternative<Lease>(acquired));
    Lease lease = std::get<Lease>(std::move(acquired));
    const Classification meaning = server(lease);
    if (meaning.verdict == Verdict::success) {
      ++traffic.answered;
    } else {
      ++traffic.refused;
      traffic.met_429.insert(lease.credential().token_id);
    }
    for (const PoolEvent& event : rig.answer(lease, meaning).events) {
      traffic.told += event.kind == PoolEvent::Kind::shared_limit ? 1 : 0;
    }
  }
  return traffic;
}

Server always(const Classification& meaning) {
  return [meaning](const Lease&) { return meaning; };
}

}  // namespace

TEST_CASE("forty tokens behind one limited address cost three requests to find out") {
  Rig rig({.tokens = tokens(40)});
  const Traffic traffic = drive(rig, always(limited()), 1, 999ms);
  CHECK(traffic.refused == 3);
  CHECK(traffic.told == 1);
  CHECK(rig.pool().describe(rig.refused()) == "egress default");
  CHECK(rig.wait() == 1s);
  CHECK(rig.snapshot().pool.available == 40);
}

TEST_CASE("a limited address is asked again in longer steps each time by a token not asked yet") {
  Rig rig({.tokens = tokens(40)});
  const Traffic traffic = drive(rig, always(limited()), 1, 60s);
  CHECK(traffic.refused == 3 + 5);
  CHECK(traffic.met_429.size() == 8);
  CHECK(traffic.told == 1);
}

TEST_CASE("when the limited address recovers all tokens serve at once") {
  Rig rig({.tokens = tokens(40)});
  drive(rig, always(limited()), 1, 999ms);
  rig.pass(1s);
  Lease probe = rig.lease();
  CHECK_FALSE(rig.has_room());
  rig.answer(probe);
  const Traffic traffic = drive(rig, always(success()), 36, 0s);
  CHECK(traffic.answered == 36);
  CHECK(traffic.refused == 0);
}

TEST_CASE("of forty tokens the thirty that are truly spent stay out and the ten serve") {
  Rig rig({.tokens = tokens(40)});
  const Server server = [](const Lease& lease) { return lease.slot() % 4 == 3 ? success() : limited(1h); };
  const Traffic traffic = drive(rig, server, 400, 1h - 1s);
  CHECK(traffic.answered == 400);
  CHECK(traffic.met_429.size() == 30);
  CHECK(traffic.refused == 30);
  CHECK(rig.snapshot().pool.resting == 30);
  CHECK(traffic.waited < 60s);
}

TEST_CASE("thirty spent tokens in a row before ten good ones are found out in minutes") {
  Rig rig({.tokens = tokens(40)});
  const Server server = [](const Lease& lease) { return lease.slot() >= 30 ? success() : limited(24h); };
  const Traffic traffic = drive(rig, server, 400, 2h);
  CHECK(traffic.answered == 400);
  CHECK(traffic.refused == 30);
  CHECK(rig.snapshot().pool.available == 10);
}

TEST_CASE("of two egresses the limited one rests and the other serves every token") {
  Rig rig({.tokens = tokens(12), .egress = {{.id = "good"}, {.id = "bad"}}});
  const Server server = [](const Lease& lease) { return lease.egress() == 1 ? limited(1h) : success(); };
  const Traffic traffic = drive(rig, server, 200, 999ms);
  CHECK(traffic.answered == 200);
  CHECK(traffic.refused == 3);
  CHECK(traffic.waited == Duration::zero());
  CHECK(rig.snapshot().pool.available == 12);
  CHECK(rig.snapshot().egresses[1].state == TokenState::resting);
  CHECK(rig.snapshot().egresses[0].state == TokenState::available);
}

TEST_CASE("tokens that served elsewhere do not rest when the limited egress recovers") {
  Rig rig({.tokens = tokens(6), .egress = {{.id = "good"}, {.id = "bad"}}});
  bool limited_still = true;
  const Server server = [&](const Lease& lease) {
    return lease.egress() == 1 && limited_still ? limited(1h) : success();
  };
  drive(rig, server, 50, 0s);
  limited_still = false;
  rig.pass(10s);
  drive(rig, server, 50, 0s);
  CHECK(rig.snapshot().pool.available == 6);
  CHECK(rig.snapshot().egresses[1].state == TokenState::available);
}

TEST_CASE("a bucket that is limited for all tokens rests alone") {
  Rig rig({.tokens = tokens(20)});
  const Traffic traffic = drive(rig, always(limited()), 1, 999ms, {.bucket = "large"});
  CHECK(traffic.refused == 3);
  CHECK(traffic.told == 1);
  CHECK(rig.pool().describe(rig.refused({.bucket = "large"})) == "bucket large");
  CHECK(drive(rig, always(success()), 20, 0s, {.bucket = "small"}).answered == 20);
  CHECK(drive(rig, always(success()), 20, 0s).answered == 20);
  CHECK(rig.wait({.bucket = "large"}) == 1s);
}

TEST_CASE("three tokens on one limited address with a word of a day are asked three times in all") {
  Rig rig({.tokens = tokens(3)});
  const Traffic traffic = drive(rig, always(limited(24h)), 1, 23h);
  CHECK(traffic.refused == 3);
  CHECK(traffic.waited == Duration::zero());
  CHECK(rig.wait() == 24h);
  CHECK(rig.pool().describe(rig.refused()) == "egress default");
  rig.pass(24h);
  Lease probe = rig.lease();
  CHECK_FALSE(rig.has_room());
  rig.answer(probe);
  rig.pass(1s);
  CHECK(drive(rig, always(success()), 30, 0s).answered == 30);
}

TEST_CASE("two tokens are too few to blame what they share") {
  Rig rig({.tokens = tokens(2)});
  const Traffic traffic = drive(rig, always(limited(1h)), 1, 30min);
  CHECK(traffic.refused == 2);
  CHECK(traffic.told == 0);
  CHECK(rig.snapshot().pool.resting == 2);
}

TEST_CASE("a wrong guess heals at the next success and the own rests stand again as served") {
  Rig rig({.tokens = tokens(4)});
  for (int i = 0; i < 3; ++i) {
    rig.once(limited(10s));
  }
  CHECK(rig.snapshot().pool.available == 4);
  rig.pass(1s);
  CHECK(rig.once() == "t3");
  CHECK(rig.snapshot().pool.resting == 3);
  CHECK(*rig.token("t0").rest == 9s);
  CHECK(rig.once() == "t3");
}

TEST_CASE("strikes that a shared cause gave are taken back") {
  Rig rig({.tokens = tokens(5)});
  for (int i = 0; i < 3; ++i) {
    rig.once(limited());
  }
  rig.pass(1s);
  rig.times(1);
  rig.pass(5s);
  drive(rig, always(success()), 20, 0s);
  Lease lease = rig.lease();
  rig.answer(lease, limited());
  CHECK(*rig.token(lease.credential().token_id).rest == 1s);
}

TEST_CASE("a word about the token itself outlives the guess") {
  Rig rig({.tokens = tokens(5), .egress = {{.id = "a"}, {.id = "b"}}});
  Lease by_b = rig.lease();
  std::vector<Lease> by_a;
  while (by_a.size() < 3) {
    Lease lease = rig.lease();
    if (lease.egress() != by_b.egress()) {
      by_a.push_back(std::move(lease));
    }
  }
  // Its own limit first, then refusals of what was under way that look like a shared cause.
  const SlotNumber first = by_a[0].slot();
  Lease other = rig.lease();
  while (other.slot() != first) {
    other = rig.lease();
  }
  rig.answer(other, limited(1h, LimitScope::token));
  for (Lease& lease : by_a) {
    rig.answer(lease, limited(1s));
  }
  CHECK(*rig.token("t" + std::to_string(first)).rest == 1h);
}

TEST_CASE("forty refusals that were under way together do not lock the pool up") {
  Rig rig({.tokens = tokens(40)});
  std::vector<Lease> under_way;
  for (int i = 0; i < 40; ++i) {
    under_way.push_back(rig.lease());
  }
  for (Lease& lease : under_way) {
    rig.answer(lease, limited());
  }
  CHECK(rig.wait() == 1s);
  rig.pass(1s);
  rig.once();
  rig.pass(1s);
  CHECK(drive(rig, always(success()), 100, 2s).answered == 100);
}

TEST_CASE("accounts behind one limited address cost three requests too") {
  std::vector<Token> list = tokens(40);
  for (std::size_t i = 0; i < list.size(); ++i) {
    list[i].account = "account-" + std::to_string(i / 2);
  }
  Rig rig({.tokens = list});
  const Traffic traffic = drive(rig, always(limited(1h)), 1, 999ms);
  CHECK(traffic.refused == 3);
  CHECK(rig.pool().describe(rig.refused()) == "egress default");
  rig.pass(1s);
  rig.once();
  CHECK(rig.snapshot().pool.resting == 6);
}

TEST_CASE("a suspected place whose asked tokens are replaced is not left locked") {
  Rig rig({.tokens = tokens(3)});
  for (int i = 0; i < 3; ++i) {
    rig.once(limited(24h));
  }
  CHECK(rig.wait() == 24h);
  SECTION("by a new token") { rig.pool().add({.secret = "fresh", .id = "fresh"}); }
  SECTION("by enabling one") { rig.pool().enable("t1"); }
  SECTION("by a new token in the place of a removed one") {
    rig.pool().remove("t1");
    rig.pool().add({.secret = "fresh", .id = "fresh"});
  }
  CHECK(rig.wait() == 1s);
  rig.pass(1s);
  rig.once();
}

TEST_CASE("a limit of an account that nobody named is evidence against what the tokens share") {
  Rig rig({.tokens = tokens(6)});
  for (int i = 0; i < 3; ++i) {
    rig.once(limited(1h, LimitScope::account));
  }
  CHECK(rig.refused().why.scope == LimitScope::egress);
  CHECK(rig.wait() <= 2s);
}
