// Whose limit was it? The pool against servers that say 429 and nothing else.
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "rig.hpp"
#include "tokenpool/policy/random.hpp"

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
  CHECK(traffic.refused == 3 + 9);
  CHECK(traffic.met_429.size() == 12);
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

TEST_CASE("the longer of two words stands when a guess was wrong") {
  Rig rig({.tokens = tokens(4)});
  std::vector<Lease> under_way;
  for (int i = 0; i < 4; ++i) {
    under_way.push_back(rig.lease());
  }
  Lease again = rig.lease();
  REQUIRE(again.slot() == under_way[0].slot());
  for (int i = 0; i < 3; ++i) {
    rig.answer(under_way[static_cast<std::size_t>(i)], limited(10s));
  }
  rig.answer(again, limited(2s, LimitScope::token));
  CHECK(*rig.token("t0").rest == 2s);
  rig.pass(1s);
  CHECK(rig.once() == "t3");
  CHECK(*rig.token("t0").rest == 9s);
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

namespace {

/// A lease of this very pair; leases of others are given back.
template <class R>
Lease lease_of(R& rig, SlotNumber slot, std::uint32_t egress) {
  for (int i = 0; i < 100; ++i) {
    Lease lease = rig.lease();
    if (lease.slot() == slot && lease.egress() == egress) {
      return lease;
    }
  }
  FAIL("the pair is not to be had");
  return rig.lease();
}

/// In the end every pair comes up.
Rig<Random> mixed_rig(std::vector<Token> list) {
  return Rig<Random>({.tokens = std::move(list),
                      .egress = {{.id = "a"}, {.id = "b"}},
                      .random = std::make_shared<SplitMix64>(1)});
}

}  // namespace

TEST_CASE("a guess is tested with the token that served last") {
  Rig rig({.tokens = tokens(40)});
  rig.times(41);
  for (int i = 0; i < 3; ++i) {
    rig.once(limited(24h));
  }
  rig.pass(1s);
  CHECK(rig.once() == "t0");
  CHECK(rig.snapshot().pool.resting == 3);
}

TEST_CASE("when the token that served last is refused too the policy chooses among those not asked") {
  Rig rig({.tokens = tokens(8)});
  rig.times(9);
  for (int i = 0; i < 3; ++i) {
    rig.once(limited());
  }
  rig.pass(1s);
  CHECK(rig.once(limited()) == "t0");
  std::set<std::string> asked;
  for (int i = 0; i < 4; ++i) {
    rig.pass(8s);
    asked.insert(rig.once(limited()));
  }
  CHECK(asked == std::set<std::string>{"t4", "t5", "t6", "t7"});
}

TEST_CASE("a token refused again at the end of its own rest is no evidence against what it shares") {
  Rig rig({.tokens = tokens(5)});
  const Server server = [](const Lease& lease) { return lease.slot() == 0 ? success() : limited(); };
  drive(rig, server, 20, 10s);
  REQUIRE(rig.snapshot().pool.resting == 4);
  rig.pass(20s);
  Lease good = rig.lease();
  while (good.slot() != 0) {
    rig.answer(good, limited());
    good = rig.lease();
  }
  CHECK(rig.snapshot().egresses[0].state == TokenState::available);
  CHECK(drive(rig, server, 20, 0s).told == 0);
}

TEST_CASE("one token finds out which of two egresses is limited") {
  Rig rig({.tokens = tokens(1), .egress = {{.id = "good"}, {.id = "bad"}}});
  const Server server = [](const Lease& lease) { return lease.egress() == 1 ? limited() : success(); };
  const Traffic traffic = drive(rig, server, 100, 20s);
  CHECK(traffic.answered == 100);
  CHECK(traffic.refused == 3);
  CHECK(rig.snapshot().egresses[1].state == TokenState::resting);
}

TEST_CASE("an account that served by one egress does not rest when the limited one recovers") {
  std::vector<Token> list = tokens(8);
  for (std::size_t i = 0; i < list.size(); ++i) {
    list[i].account = "account-" + std::to_string(i / 2);
  }
  auto rig = mixed_rig(list);
  for (const SlotNumber slot : {0U, 2U, 4U}) {
    Lease lease = lease_of(rig, slot, 0);
    rig.answer(lease, limited(1h));
  }
  REQUIRE(rig.snapshot().egresses[0].state == TokenState::resting);
  Lease neighbour = lease_of(rig, 1, 1);
  rig.answer(neighbour);
  rig.pass(2s);
  Lease probe = lease_of(rig, 6, 0);
  rig.answer(probe);
  CHECK(rig.token("t0").state == TokenState::available);
  CHECK(rig.token("t2").state == TokenState::resting);
}

TEST_CASE("a refusal that one egress has shown to be the token's own is no evidence at another") {
  auto rig = mixed_rig(tokens(8));
  std::vector<Lease> by_a;
  std::vector<Lease> by_b;
  for (const SlotNumber slot : {0U, 1U, 2U}) {
    by_a.push_back(lease_of(rig, slot, 0));
    by_b.push_back(lease_of(rig, slot == 2 ? 3 : slot, 1));
  }
  for (Lease& lease : by_a) {
    rig.answer(lease, limited(1h));
  }
  rig.answer(by_b[0], limited(1h));
  rig.answer(by_b[1], limited(1h));
  rig.pass(2s);
  Lease probe = lease_of(rig, 5, 0);
  rig.answer(probe);
  rig.answer(by_b[2], limited(1h));
  CHECK(rig.snapshot().egresses[1].state == TokenState::available);
  CHECK(rig.token("t0").state == TokenState::resting);
  CHECK(rig.token("t1").state == TokenState::resting);
}

TEST_CASE("the refusal of an account is kept when one token of it goes") {
  std::vector<Token> list = tokens(6);
  for (std::size_t i = 0; i < list.size(); ++i) {
    list[i].account = "account-" + std::to_string(i / 2);
  }
  Rig rig({.tokens = list});
  for (int i = 0; i < 3; ++i) {
    rig.once(limited(1h));
  }
  rig.pass(1s);
  REQUIRE(rig.wait() == 1h - 1s);
  SECTION("removed") { rig.pool().remove("t0"); }
  SECTION("disabled") { rig.pool().disable("t0"); }
  CHECK(rig.wait() == 1h - 1s);
}

TEST_CASE("a token that shows itself that the cause was not shared serves freely at once") {
  Rig rig({.tokens = tokens(3)});
  for (int i = 0; i < 3; ++i) {
    rig.once(limited(1s));
  }
  REQUIRE(rig.wait() == 1s);
  rig.pass(1s);
  const std::string well = rig.once();
  std::map<std::string, int> held;
  std::vector<Lease> leases;
  for (int i = 0; i < 8; ++i) {
    leases.push_back(rig.lease());
    ++held[leases.back().credential().token_id];
  }
  CHECK(held.size() == 3);
  CHECK(held[well] == 6);
}
