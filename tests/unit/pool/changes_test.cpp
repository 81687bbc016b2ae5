// A pool that is changed while it runs.
#include "tokenpool/pool/changes.hpp"

#include "rig.hpp"

using namespace test;

namespace {
std::vector<std::string> ids(const PoolSnapshot& snapshot) {
  std::vector<std::string> found;
  for (const TokenSnapshot& token : snapshot.tokens) {
    found.push_back(token.id);
  }
  return found;
}
}  // namespace

TEST_CASE("a token that is added serves") {
  Rig rig({.tokens = tokens(1), .limits = {Limit::per_token(1, 60s)}});
  rig.once();
  rig.pool().add({.secret = "fresh"});
  CHECK(rig.once() == token_id(Secret("fresh")));
}

TEST_CASE("a token is not added twice nor under the id of another") {
  Rig rig({.tokens = tokens(2)});
  CHECK_THROWS_WITH(rig.pool().add({.secret = "secret-0", .id = "other"}),
                    "token other is given the secret of token t0: give each token its own");
  CHECK_THROWS_WITH(rig.pool().add({.secret = "other", .id = "t1"}),
                    "token t1 is already in the pool: give each token once");
  CHECK_THROWS_AS(rig.pool().add({.secret = ""}), Error);
  CHECK(rig.snapshot().tokens.size() == 2);
}

TEST_CASE("a token that is removed with a lease in flight drains") {
  Rig rig({.tokens = tokens(2)});
  Lease lease = rig.lease();
  CHECK(rig.pool().remove("t0"));
  CHECK_FALSE(rig.pool().remove("t0"));
  CHECK(rig.token("t0").state == TokenState::draining);
  CHECK(rig.once() == "t1");
  rig.answer(lease, limited(1h));
  CHECK(ids(rig.snapshot()) == std::vector<std::string>{"t1"});
}

TEST_CASE("a removed token's place is taken by the next with nothing left of the old one") {
  Rig rig({.tokens = tokens(2),
           .limits = {Limit::per_token(2, 60s), Limit::per(Scope::token | Scope::bucket, 2, 60s)}});
  rig.times(4);
  rig.pool().remove("t0");
  rig.pool().add({.secret = "fresh", .id = "fresh"});
  CHECK(rig.once() == "fresh");
  CHECK(rig.once() == "fresh");
  CHECK(rig.token("fresh").requests == 2);
  CHECK_FALSE(rig.has_room());
}

TEST_CASE("a drained token's place is given to the next once its last lease has ended") {
  Rig rig({.tokens = tokens(2), .limits = {Limit::per_token(1, 60s)}});
  Lease old = rig.lease();
  rig.pool().remove("t0");
  rig.pool().add({.secret = "fresh-1", .id = "fresh-1"});
  CHECK(rig.token("fresh-1").state == TokenState::available);
  const SlotNumber slot = old.slot();
  SECTION("settled") { rig.answer(old); }
  SECTION("dropped") { const Lease gone = std::move(old); }
  rig.pool().add({.secret = "fresh-2", .id = "fresh-2"});
  CHECK(rig.once() == "t1");
  for (int i = 0; i < 2; ++i) {
    Lease lease = rig.lease();
    CHECK((lease.slot() == slot) == (lease.credential().token_id == std::string("fresh-2")));
    rig.answer(lease);
  }
  CHECK_FALSE(rig.has_room());
}

TEST_CASE("the id of a draining token may come back") {
  Rig rig({.tokens = tokens(1)});
  Lease old = rig.lease();
  rig.pool().remove("t0");
  rig.pool().add({.secret = "secret-0", .id = "t0"});
  Lease fresh = rig.lease();
  CHECK(fresh.slot() != old.slot());
  rig.answer(old);
  rig.answer(fresh);
  CHECK(ids(rig.snapshot()) == std::vector<std::string>{"t0"});
  CHECK(rig.pool().remove("t0"));
}

TEST_CASE("a disabled token is out until it is enabled and its counts stay") {
  Rig rig({.tokens = tokens(1), .limits = {Limit::per_token(3, 60s)}});
  rig.times(2);
  CHECK(rig.pool().disable("t0", "maintenance"));
  CHECK(rig.token("t0").state == TokenState::disabled);
  CHECK(rig.token("t0").cause == "maintenance");
  CHECK(rig.never().reason == Never::Reason::no_tokens);
  CHECK(rig.pool().enable("t0"));
  rig.times(1);
  CHECK(rig.wait() == 60s);
  CHECK_FALSE(rig.pool().enable("nobody"));
  CHECK_FALSE(rig.pool().disable("nobody"));
}

TEST_CASE("enabling ends a rest and an ejection") {
  std::vector<Token> list = tokens(2);
  list[0].account = "acme";
  Rig rig({.tokens = list});
  rig.once(limited(1h));
  CHECK(rig.once(invalid()) == "t1");
  CHECK(rig.wait() == 1h);
  rig.pool().enable("t0");
  rig.pool().enable("t1");
  CHECK(rig.snapshot().pool.available == 2);
  rig.times(4);
  CHECK(rig.token("t0").cause.empty());
}

TEST_CASE("a weight is changed for the policy too") {
  const auto heaviest = [](const Candidates& candidates, PickContext&) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < candidates.size(); ++i) {
      best = candidates[i].weight > candidates[best].weight ? i : best;
    }
    return best;
  };
  Rig<decltype(heaviest)> rig({.tokens = tokens(3)}, heaviest);
  CHECK(rig.pool().set_weight("t2", 5));
  CHECK(rig.once() == "t2");
  CHECK_FALSE(rig.pool().set_weight("nobody", 5));
  CHECK_THROWS_WITH(rig.pool().set_weight("t2", 0), test::StartsWith("weight is 0"));
  CHECK_THROWS_AS(rig.pool().set_weight("t2", 1e300), Error);
}

TEST_CASE("a rotated secret keeps id and counts and rest") {
  Rig rig({.tokens = tokens(2), .limits = {Limit::per_token(2, 60s)}});
  rig.times(2);
  CHECK(rig.pool().set_secret("t0", "rotated"));
  CHECK(rig.lease().credential().secret.reveal() == "rotated");
  rig.times(2);
  CHECK(rig.wait() == 60s);
  CHECK_THROWS_WITH(rig.pool().set_secret("t0", "secret-1"), !test::ContainsSubstring("secret-1"));
  CHECK_THROWS_AS(rig.pool().set_secret("t0", ""), Error);
  CHECK_FALSE(rig.pool().set_secret("nobody", "x"));
}

TEST_CASE("an old secret is kept for as long as a lease has it and no longer") {
  const auto credential = [](const char* secret) {
    return std::make_unique<const Credential>(Credential{.token_id = "t", .secret = secret});
  };
  tokenpool::detail::Slot slot;
  slot.credential = credential("first");
  const Credential* first = slot.credential.get();
  slot.face.in_flight = 2;
  slot.set_credential(credential("second"));
  const Credential* second = slot.credential.get();
  slot.face.in_flight = 3;
  slot.set_credential(credential("third"));
  REQUIRE(slot.particulars->retired.size() == 2);
  slot.release(first);
  CHECK(slot.particulars->retired.size() == 2);
  slot.release(first);
  REQUIRE(slot.particulars->retired.size() == 1);
  CHECK(slot.particulars->retired[0].credential.get() == second);
  slot.release(second);
  CHECK(slot.particulars->retired.empty());
}

TEST_CASE("replacing keeps the state of the ids that stay") {
  Rig rig({.tokens = tokens(3), .limits = {Limit::per_token(2, 60s)}});
  rig.times(3);
  rig.once(limited(1h, LimitScope::token));
  Lease held = rig.lease();
  REQUIRE(held.credential().token_id == "t1");
  std::vector<Token> next = tokens(2);
  next[1].secret = "rotated";
  next.push_back({.secret = "fresh", .id = "t9"});
  rig.pool().replace(next);
  CHECK(ids(rig.snapshot()) == std::vector<std::string>{"t0", "t1", "t9"});
  CHECK(*rig.token("t0").rest == 1h);
  rig.answer(held);
  CHECK(rig.token("t1").requests == 2);
  CHECK(rig.once() == "t9");
  CHECK(rig.once() == "t9");
  CHECK(rig.wait() == 60s);
}

TEST_CASE("replacing by unfit tokens changes nothing") {
  Rig rig({.tokens = tokens(2)});
  std::vector<Token> twice = tokens(3);
  twice[2].secret = "secret-0";
  CHECK_THROWS_WITH(rig.pool().replace(twice), test::StartsWith("tokens[2] is a duplicate"));
  CHECK(ids(rig.snapshot()) == std::vector<std::string>{"t0", "t1"});
}

TEST_CASE("a token's own limit that changes its amount loses no count") {
  std::vector<Token> list = tokens(1);
  list[0].limits = {Limit::per_token(3, 60s), Limit::per_token(100, 24h)};
  Rig rig({.tokens = list});
  rig.times(2);
  Lease held = rig.lease();
  SECTION("upwards") {
    list[0].limits = {Limit::per_token(5, 60s), Limit::per_token(100, 24h)};
    rig.pool().replace(list);
    rig.answer(held);
    rig.times(2);
  }
  SECTION("downwards") {
    list[0].limits = {Limit::per_token(100, 24h), Limit::per_token(1, 60s)};
    rig.pool().replace(list);
    rig.answer(held);
  }
  SECTION("to another window and back") {
    list[0].limits = {Limit::per_token(3, 60s), Limit::per_token(100, 1h)};
    rig.pool().replace(list);
    rig.answer(held);
  }
  CHECK(rig.wait() == 60s);
}

TEST_CASE("a limit that is new does not count what was in flight before it") {
  std::vector<Token> list = tokens(1);
  Rig rig({.tokens = list});
  Lease held = rig.lease();
  list[0].limits = {Limit::per_token(1, 60s)};
  rig.pool().replace(list);
  rig.answer(held);
  rig.once();
  CHECK(rig.wait() == 60s);
  list[0].limits.clear();
  rig.pool().replace(list);
  CHECK(rig.has_room());
}

TEST_CASE("a token that changes its account rests with the new one") {
  std::vector<Token> list = tokens(2);
  Rig rig({.tokens = list});
  Lease held = rig.lease();
  list[0].account = list[1].account = "acme";
  rig.pool().replace(list);
  rig.answer(held, limited(30s));
  CHECK(rig.wait() == 30s);
  CHECK(rig.snapshot().tokens[1].account == "acme");
}

TEST_CASE("a pool may be emptied and filled again") {
  Rig rig({.tokens = tokens(3)});
  rig.pool().replace({});
  CHECK(rig.never().reason == Never::Reason::no_tokens);
  rig.pool().replace(tokens(2));
  rig.times(4);
  CHECK(rig.token("t0").requests == 2);
}

TEST_CASE("what a pool begins with is checked") {
  const auto problem = [](PoolOptions options) -> std::string {
    try {
      const TokenPool<RoundRobin> pool(std::move(options));
    } catch (const Error& error) {
      return error.what();
    }
    return "fit";
  };
  CHECK(problem({.tokens = tokens(1)}) == "fit");
  CHECK_THAT(problem({}), test::StartsWith("tokens is empty"));
  CHECK_THAT(problem({.tokens = {{.secret = "a"}, {}}}), test::StartsWith("tokens[1].secret is empty"));
  std::vector<Token> twice = tokens(2);
  twice[1].id = "t0";
  CHECK_THAT(problem({.tokens = twice}), test::StartsWith("tokens[1].id is t0, as that of an earlier token"));
  twice[1].secret = "secret-0";
  CHECK_THAT(problem({.tokens = twice}), test::StartsWith("tokens[1] is a duplicate"));
  CHECK(problem({.tokens = tokens(1),
                 .egress = {{.proxy = "one:secret@proxy:80"}, {}, {.proxy = "two:secret@proxy:80"}}}) ==
        "egress[2].id is proxy:80, as that of egress[0]: give each egress its own id");
  CHECK_THAT(problem({.tokens = tokens(1), .limits = {Limit::per_token(0, 1s)}}),
             test::StartsWith("limits[0].amount"));
  CHECK_THAT(problem({.tokens = tokens(1), .egress = {{.limits = {Limit::per_egress(1, 0s)}}}}),
             test::StartsWith("egress[0].limits[0].window"));
  CHECK_THAT(problem({.tokens = tokens(1), .max_rest = 0ms}), test::StartsWith("retry.max_rest is 0 ms"));
}

TEST_CASE("a token that could not be sent anywhere is refused when it is added") {
  Rig rig({.tokens = tokens(1)});
  CHECK_THROWS_WITH(rig.pool().add({.secret = "b", .base_url = "host"}), test::StartsWith("token.base_url"));
  CHECK_THROWS_AS(rig.pool().replace({{.secret = "b", .base_url = "host"}}), Error);
  CHECK(rig.once() == "t0");
}
