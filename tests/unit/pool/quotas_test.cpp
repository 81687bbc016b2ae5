// Limits as a pool keeps them: every scope, several at once, cost, requests in flight.
#include "tokenpool/pool/quotas.hpp"

#include "rig.hpp"

using namespace test;

TEST_CASE("a limit per token holds each token and no other") {
  Rig rig({.tokens = tokens(2), .limits = {Limit::per_token(2, 60s)}});
  CHECK(rig.once() == "t0");
  CHECK(rig.once() == "t1");
  rig.times(2);
  CHECK(rig.wait() == 60s);
  CHECK(rig.refused().why.scope == LimitScope::token);
  CHECK(rig.refused().why.by_limit);
  rig.pass(60s);
  rig.times(4);
}

TEST_CASE("a limit per account is shared by its tokens") {
  std::vector<Token> list = tokens(3);
  list[0].account = list[1].account = "acme";
  Rig rig({.tokens = list, .limits = {Limit::per_account(2, 60s)}});
  rig.times(4);
  CHECK_FALSE(rig.has_room());
  CHECK(rig.token("t2").successes == 2);
}

TEST_CASE("a limit per egress is shared by all tokens that leave by it") {
  Rig rig({.tokens = tokens(4), .limits = {Limit::per_egress(3, 60s)}});
  rig.times(3);
  const NotUntil refusal = rig.refused();
  CHECK(refusal.when == rig.now().steady + 60s);
  CHECK(refusal.why.scope == LimitScope::egress);
  CHECK(rig.pool().describe(refusal) == "egress default");
}

TEST_CASE("a limit of the pool is shared by everything and named so") {
  Rig rig({.tokens = tokens(4), .limits = {Limit::per_pool(3, 60s)}, .egress = {{.id = "a"}, {.id = "b"}}});
  rig.times(3);
  CHECK(rig.wait() == 60s);
  CHECK(rig.pool().describe(rig.refused()) == "the pool");
}

TEST_CASE("a limit per bucket counts each bucket apart") {
  Rig rig({.tokens = tokens(2), .limits = {Limit::per(Scope::bucket, 2, 60s)}});
  rig.times(2, {.bucket = "large"});
  CHECK(rig.wait({.bucket = "large"}) == 60s);
  CHECK(rig.pool().describe(rig.refused({.bucket = "large"})) == "bucket large");
  rig.times(2, {.bucket = "small"});
}

TEST_CASE("a limit on a pair counts each pair apart") {
  Rig rig({.tokens = tokens(2), .limits = {Limit::per(Scope::token | Scope::bucket, 1, 60s)}});
  rig.times(2, {.bucket = "large"});
  CHECK(rig.wait({.bucket = "large"}) == 60s);
  rig.times(2, {.bucket = "small"});
  CHECK_FALSE(rig.has_room({.bucket = "small"}));
}

TEST_CASE("of several windows the strictest holds") {
  Rig rig({.tokens = tokens(1), .limits = {Limit::per_token(2, 60s), Limit::per_token(3, 24h)}});
  rig.times(2);
  CHECK(rig.wait() == 60s);
  rig.pass(60s);
  rig.times(1);
  CHECK(rig.wait() == 24h - 60s);
  rig.pass(24h - 60s);
  rig.times(2);
}

TEST_CASE("a token and its address are held at once") {
  Rig rig({.tokens = tokens(3), .limits = {Limit::per_token(150, 24h), Limit::per_egress(150, 24h)}});
  rig.times(150);
  CHECK(rig.wait() == 24h);
  CHECK(rig.pool().describe(rig.refused()) == "egress default");
}

TEST_CASE("a request in flight occupies until its window after its answer") {
  Rig rig({.tokens = tokens(1), .limits = {Limit::per_token(1, 60s)}});
  Lease lease = rig.lease();
  CHECK(rig.refused().when == end_of_time);
  rig.pass(20s);
  rig.answer(lease);
  CHECK(rig.wait() == 60s);
}

TEST_CASE("a server that counts on arrival gives the time of the answer back") {
  Limit limit = Limit::per_token(1, 60s);
  limit.counted = Counted::on_arrival;
  Rig rig({.tokens = tokens(1), .limits = {limit}});
  const SteadyTime sent = rig.now().steady;
  Lease lease = rig.lease();
  rig.pass(20s);
  Outcome outcome{.answered = true, .answered_at = rig.now().steady};
  SECTION("as far as something tells of the arrival") {
    outcome.arrived_by = sent + 1s;
    lease.settle(outcome, rig.now());
    CHECK(rig.refused().when == sent + 61s);
  }
  SECTION("but never to before the request was sent") {
    outcome.arrived_by = sent - 1h;
    lease.settle(outcome, rig.now());
    CHECK(rig.refused().when == sent + 60s);
  }
  SECTION("and not at all when nothing tells") {
    lease.settle(outcome, rig.now());
    CHECK(rig.refused().when == sent + 80s);
  }
}

TEST_CASE("cost is reserved as estimated and settled as it truly was") {
  Rig rig({.tokens = tokens(1),
           .limits = {{.amount = 100, .window = 60s, .scope = Scope::token, .unit = Unit::cost}}});
  Lease lease = rig.lease({.cost = 80});
  CHECK_FALSE(rig.has_room({.cost = 30}));
  SECTION("less") {
    rig.answer(lease, success(), 10);
    CHECK(rig.has_room({.cost = 90}));
  }
  SECTION("more") {
    rig.answer(lease, success(), 500);
    CHECK(rig.wait({.cost = 1}) == 60s);
  }
  SECTION("unknown") {
    rig.answer(lease);
    CHECK(rig.has_room({.cost = 20}));
    CHECK_FALSE(rig.has_room({.cost = 21}));
  }
  SECTION("nonsense counts as nothing or as very much") {
    rig.answer(lease, success(), -5);
    Lease other = rig.lease({.cost = 100});
    rig.answer(other, success(), (std::numeric_limits<std::int64_t>::max)());
    CHECK(rig.wait({.cost = 1}) == 60s);
  }
}

TEST_CASE("a limit on requests in flight frees with the answer") {
  Rig rig({.tokens = tokens(1), .limits = {{.amount = 2, .scope = Scope::token, .unit = Unit::in_flight}}});
  Lease first = rig.lease();
  const Lease second = rig.lease();
  CHECK(rig.refused().when == end_of_time);
  rig.answer(first, limited(0ms));
  CHECK(rig.has_room());
}

TEST_CASE("more cost than a limit can ever hold is refused for ever at once") {
  const Limit cost{.amount = 100, .window = 60s, .unit = Unit::cost};
  const auto scoped = [&](Scope scope, std::int64_t amount) {
    Limit limit = cost;
    limit.scope = scope;
    limit.amount = amount;
    return limit;
  };
  const LeaseRequest large{.cost = 101};
  SECTION("by a limit of the pool in any scope") {
    for (unsigned bits = 0; bits < 16; ++bits) {
      Rig rig({.tokens = tokens(2), .limits = {scoped(static_cast<Scope>(bits), 100)}});
      CHECK(rig.never(large).reason == Never::Reason::cost_too_large);
      CHECK(rig.never(large).amount == 100);
      CHECK(rig.has_room({.cost = 100}));
    }
  }
  SECTION("by the limits of every single token") {
    std::vector<Token> list = tokens(2);
    list[0].limits = {scoped(Scope::pool, 50)};
    list[1].limits = {scoped(Scope::bucket, 100)};
    Rig rig({.tokens = list});
    CHECK(rig.never(large).amount == 100);
    CHECK(rig.has_room({.cost = 100}));
    rig.pool().remove("t1");
    CHECK(rig.never({.cost = 100}).amount == 50);
  }
  SECTION("by the limits of every egress") {
    Rig rig({.tokens = tokens(2),
             .egress = {{.id = "a", .limits = {scoped(Scope::pool, 100)}},
                        {.id = "b", .limits = {scoped(Scope::token, 60)}}}});
    CHECK(rig.never(large).amount == 100);
    CHECK(rig.lease({.cost = 100}).egress() == 0);
  }
  SECTION("also while every token rests") {
    std::vector<Token> list = tokens(1);
    list[0].limits = {scoped(Scope::pool, 100)};
    Rig rig({.tokens = list});
    rig.once(limited(10s, LimitScope::token));
    CHECK(rig.never(large).reason == Never::Reason::cost_too_large);
  }
}

TEST_CASE("a cost that only some tokens can ever hold waits for those") {
  std::vector<Token> list = tokens(2);
  list[0].limits = {{.amount = 50, .window = 60s, .unit = Unit::cost}};
  list[1].limits = {{.amount = 100, .window = 30s, .unit = Unit::cost}};
  Rig rig({.tokens = list});
  CHECK(rig.once(success(), {.cost = 80}) == "t1");
  CHECK(rig.wait({.cost = 80}) == 30s);
  rig.pass(30s);
  CHECK(rig.once(success(), {.cost = 80}) == "t1");
}

TEST_CASE("a negative cost is refused in a sentence") {
  Rig rig({.tokens = tokens(1)});
  CHECK_THROWS_WITH(rig.acquire({.cost = -5}), test::StartsWith("cost is -5: give an estimate"));
  CHECK(rig.has_room({.cost = 0}));
}

TEST_CASE("a token's own limits count that token alone") {
  std::vector<Token> list = tokens(2);
  list[0].limits = {Limit::per_pool(1, 60s)};
  Rig rig({.tokens = list});
  CHECK(rig.once() == "t0");
  for (int i = 0; i < 5; ++i) {
    CHECK(rig.once() == "t1");
  }
}

TEST_CASE("an account of its own goes with its token") {
  Rig rig({.tokens = tokens(1), .limits = {Limit::per_account(1, 60s)}});
  rig.once();
  rig.pool().remove("t0");
  rig.pool().add({.secret = "other", .id = "new"});
  CHECK(rig.once() == "new");
}

TEST_CASE("headroom is the smallest share of its limits that a token has left") {
  struct Watch {
    std::vector<double>* seen;
    std::size_t pick(const Candidates& candidates, PickContext&) {
      seen->push_back(candidates[0].headroom);
      return 0;
    }
  };
  std::vector<double> seen;
  Rig<Watch> rig({.tokens = tokens(1), .limits = {Limit::per_token(4, 60s), Limit::per_token(10, 1h)}},
                 Watch{&seen});
  rig.times(3);
  rig.pass(60s);
  rig.times(2);
  CHECK(seen[0] == 1);
  CHECK(seen[1] == test::Approx(0.75));
  CHECK(seen[2] == test::Approx(0.5));
  CHECK(seen[4] == test::Approx(0.6));
}

TEST_CASE("buckets with made-up names are forgotten when nothing speaks of them") {
  Rig rig({.tokens = tokens(2), .limits = {Limit::per(Scope::token | Scope::bucket, 1, 60s)}});
  const Lease held = rig.lease({.bucket = "held"});
  rig.once(limited(24h, LimitScope::bucket), {.bucket = "resting"});
  rig.once(limited(24h, LimitScope::token), {.bucket = "resting-for-one"});
  for (int i = 0; i < 20'000; ++i) {
    rig.pass(1s);
    rig.once(success(), {.bucket = "made-up-" + std::to_string(i)});
  }
  CHECK(rig.wait({.bucket = "resting"}) == 24h - 20'000s);
  const std::string other = rig.once(success(), {.bucket = "resting-for-one"});
  CHECK_FALSE(rig.has_room({.bucket = "resting-for-one", .asked = {}}));
  CHECK(held.grant().place.bucket == 1);
  Lease late = rig.lease({.bucket = "the last one"});
  CHECK(late.grant().place.bucket < 2100);
}

TEST_CASE("buckets that a token's own limits have counted are forgotten as well") {
  std::vector<Token> list = tokens(1);
  list[0].limits = {Limit::per(Scope::bucket, 1, 60s)};
  Rig rig({.tokens = list});
  for (int i = 0; i < 3000; ++i) {
    rig.pass(1s);
    rig.once(success(), {.bucket = "made-up-" + std::to_string(i)});
  }
  CHECK_FALSE(rig.has_room({.bucket = "made-up-2999"}));
  CHECK(rig.lease({.bucket = "the last one"}).grant().place.bucket < 2100);
}
