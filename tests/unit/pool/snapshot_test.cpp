#include "tokenpool/pool/snapshot.hpp"

#include <set>

#include "rig.hpp"

using namespace test;

TEST_CASE("a snapshot says what each token did") {
  Rig rig({.tokens = tokens(2)});
  Lease lease = rig.lease();
  lease.settle({.answered = true, .answered_at = rig.now().steady, .latency = 8ms}, rig.now());
  rig.once(meaning(Verdict::server_error));
  rig.once(limited(5s));
  const Lease held = rig.lease();
  const TokenSnapshot first = rig.token("t0");
  CHECK(first.successes == 1);
  CHECK(first.rate_limited == 1);
  CHECK(first.requests == 2);
  CHECK(first.latency == 8ms);
  CHECK(first.state == TokenState::resting);
  CHECK(first.cause == "rate_limited");
  CHECK(*first.rest == 5s);
  const TokenSnapshot second = rig.token("t1");
  CHECK(second.failures == 1);
  CHECK(second.in_flight == 1);
  CHECK(second.state == TokenState::available);
  CHECK_FALSE(second.rest);
  CHECK(second.cause.empty());
}

TEST_CASE("a snapshot says how much of each limit is used") {
  std::vector<Token> list = tokens(1);
  list[0].limits = {{.amount = 1000, .window = 1h, .unit = Unit::cost}};
  Rig rig({.tokens = list,
           .limits = {Limit::per_token(150, 24h), Limit::per_egress(300, 24h)},
           .egress = {{.id = "wire"}}});
  rig.once(success(), {.cost = 40});
  rig.pass(1h - 10s);
  const Lease held = rig.lease({.cost = 2});
  const PoolSnapshot snapshot = rig.snapshot();
  REQUIRE(snapshot.tokens[0].limits.size() == 2);
  const LimitUse& requests = snapshot.tokens[0].limits[0];
  CHECK(requests.scope == "token");
  CHECK(requests.amount == 150);
  CHECK(requests.used == 2);
  CHECK(requests.window == 24h);
  CHECK(*requests.resets_in == 23h + 10s);
  const LimitUse& cost = snapshot.tokens[0].limits[1];
  CHECK(cost.unit == Unit::cost);
  CHECK(cost.used == 42);
  REQUIRE(snapshot.egresses.size() == 1);
  CHECK(snapshot.egresses[0].id == "wire");
  CHECK(snapshot.egresses[0].in_flight == 1);
  REQUIRE(snapshot.egresses[0].limits.size() == 1);
  CHECK(snapshot.egresses[0].limits[0].used == 2);
}

TEST_CASE("a token at its own limit rests until there is room") {
  Rig rig({.tokens = tokens(1), .limits = {Limit::per_token(1, 60s)}});
  rig.once();
  const TokenSnapshot token = rig.token("t0");
  CHECK(token.state == TokenState::resting);
  CHECK(token.cause == "limit reached");
  CHECK(*token.rest == 60s);
}

TEST_CASE("an egress at its own limit rests until there is room") {
  Rig rig({.tokens = tokens(2), .limits = {Limit::per_egress(2, 60s)}});
  rig.times(1);
  CHECK(rig.snapshot().egresses.at(0).state == TokenState::available);
  rig.times(1);
  const EgressSnapshot full = rig.snapshot().egresses.at(0);
  CHECK(full.state == TokenState::resting);
  CHECK(full.rest == 60s);
  CHECK(full.cause == "limit reached");
}

TEST_CASE("a snapshot counts who is what") {
  Rig rig({.tokens = tokens(5)});
  rig.once(limited(5s, LimitScope::token));
  rig.once(invalid());
  rig.pool().disable("t2");
  const PoolTotals totals = rig.snapshot().pool;
  CHECK(totals.available == 2);
  CHECK(totals.resting == 1);
  CHECK(totals.ejected == 1);
  CHECK(totals.disabled == 1);
  CHECK(totals.waiting == 0);
}

TEST_CASE("an egress is shown by what it is without the credentials of its proxy") {
  Rig rig({.tokens = tokens(1),
           .egress = {{.source = "192.0.2.7"}, {.proxy = "http://user:canary@proxy.example:8080"}, {}}});
  const PoolSnapshot snapshot = rig.snapshot();
  REQUIRE(snapshot.egresses.size() == 3);
  CHECK(snapshot.egresses[0].id == "192.0.2.7");
  CHECK(snapshot.egresses[1].id == "http://proxy.example:8080");
  CHECK(snapshot.egresses[2].id == "default");
}

TEST_CASE("each state of a token has its own name") {
  std::set<std::string_view> names;
  for (int state = 0; state <= static_cast<int>(TokenState::draining); ++state) {
    names.insert(to_string(static_cast<TokenState>(state)));
  }
  CHECK(names ==
        std::set<std::string_view>{"available", "resting", "probing", "ejected", "disabled", "draining"});
}

TEST_CASE("a snapshot says what the tokens of an account did together") {
  std::vector<Token> list = tokens(4);
  list[0].account = list[2].account = "acme";
  list[3].account = "other";
  Rig rig({.tokens = list, .limits = {Limit::per_account(5, 60s), Limit::per_token(9, 60s)}});
  rig.times(3);
  const Lease held = rig.lease();
  rig.once(meaning(Verdict::server_error));
  rig.once();
  rig.once(limited(5s));
  const PoolSnapshot snapshot = rig.snapshot();
  REQUIRE(snapshot.accounts.size() == 2);
  const AccountSnapshot& acme = snapshot.accounts[0];
  CHECK(acme.id == "acme");
  CHECK(acme.successes == 2);
  CHECK(acme.failures == 1);
  CHECK(acme.rate_limited == 1);
  CHECK(acme.requests == 4);
  CHECK(acme.state == TokenState::resting);
  CHECK(acme.cause == "rate_limited");
  CHECK(*acme.rest == 5s);
  const AccountSnapshot& other = snapshot.accounts[1];
  CHECK(other.id == "other");
  CHECK(other.in_flight == 1);
  CHECK(other.state == TokenState::available);
  REQUIRE(other.limits.size() == 1);
  CHECK(other.limits[0].amount == 5);
  CHECK(other.limits[0].used == 1);
}

TEST_CASE("a snapshot says how long accepting answers took") {
  std::vector<Token> list = tokens(2);
  list[0].account = list[1].account = "acme";
  Rig rig({.tokens = list});
  const auto take = [&](Duration latency, const Classification& answer) {
    Lease lease = rig.lease();
    lease.settle({.meaning = answer, .answered = true, .answered_at = rig.now().steady, .latency = latency},
                 rig.now());
  };
  for (int i = 0; i < 10; ++i) {
    take(6us, success());                      // t0
    take(4us, i < 9 ? success() : limited());  // t1
  }
  const PoolSnapshot snapshot = rig.snapshot();
  CHECK(snapshot.tokens[0].latency == 6us);
  CHECK(snapshot.tokens[0].p50 == 6us);
  CHECK(snapshot.tokens[1].p99 == 4us);
  for (const UsageSnapshot& together : {snapshot.accounts[0], snapshot.egresses[0]}) {
    CHECK(together.successes == 19);
    CHECK(together.p50 == 6us);
    CHECK(together.p99 == 6us);
    CHECK(together.latency >= 4us);
    CHECK(together.latency <= 6us);
  }
}

TEST_CASE("no answer is missing where a snapshot says how long they took") {
  Rig rig({.tokens = tokens(1)});
  for (int i = 1; i <= 16; ++i) {
    Lease lease = rig.lease();
    lease.settle({.answered = true, .answered_at = rig.now().steady, .latency = i * 10ms}, rig.now());
  }
  const TokenSnapshot token = rig.token("t0");
  CHECK((token.p50 > 70ms && token.p50 < 90ms));
  CHECK((token.p99 > 150ms && token.p99 < 170ms));
}

TEST_CASE("an average of several is one of their answers") {
  std::vector<Token> list = tokens(2);
  list[0].account = list[1].account = "acme";
  Rig rig({.tokens = list});
  for (const auto latency : {1000us, 3000us}) {
    Lease lease = rig.lease();
    lease.settle({.answered = true, .answered_at = rig.now().steady, .latency = latency}, rig.now());
  }
  CHECK(rig.snapshot().accounts[0].latency == 2000us);
  CHECK(rig.snapshot().accounts[0].latency_total == 4000us);
}

TEST_CASE("a snapshot says what went wrong last") {
  std::vector<Token> list = tokens(2);
  list[0].account = list[1].account = "acme";
  Rig rig({.tokens = list});
  CHECK_FALSE(rig.token("t0").last_error);
  Lease first = rig.lease();
  Lease second = rig.lease();
  first.settle({.meaning = invalid(), .answered = true, .status = 401}, rig.now());
  rig.pass(2s);
  second.settle({.meaning = meaning(Verdict::ambiguous), .status = 0}, rig.now());
  rig.pass(1s);
  rig.once();
  const PoolSnapshot snapshot = rig.snapshot();
  const LastError& revoked = snapshot.tokens[0].last_error.value();
  CHECK(revoked.verdict == Verdict::token_invalid);
  CHECK(revoked.status == 401);
  CHECK(revoked.reason == "revoked");
  CHECK(revoked.age == 3s);
  for (const auto& last :
       {snapshot.tokens[1].last_error, snapshot.accounts[0].last_error, snapshot.egresses[0].last_error}) {
    REQUIRE(last);
    CHECK(last->verdict == Verdict::ambiguous);
    CHECK(last->status == 0);
    CHECK(last->age == 1s);
  }
}

TEST_CASE("a snapshot says in which buckets a token rests by itself") {
  Rig rig({.tokens = tokens(1)});
  rig.once(limited(5s), {.bucket = "large"});
  const TokenSnapshot resting = rig.token("t0");
  CHECK(resting.state == TokenState::available);
  REQUIRE(resting.buckets.size() == 1);
  CHECK(resting.buckets[0].id == "large");
  CHECK(*resting.buckets[0].rest == 5s);
  CHECK(resting.buckets[0].cause == "rate_limited");
  rig.pass(5s);
  CHECK(rig.token("t0").buckets.empty());
  const Lease probe = rig.lease({.bucket = "large"});
  REQUIRE(rig.token("t0").buckets.size() == 1);
  CHECK_FALSE(rig.token("t0").buckets[0].rest);
}

TEST_CASE("a bucket that rests for an account is shown with each of its tokens") {
  std::vector<Token> list = tokens(3);
  list[0].account = list[1].account = "shared";
  Rig rig({.tokens = list});
  rig.once(limited(5s, LimitScope::account), {.bucket = "large"});
  for (const auto* id : {"t0", "t1"}) {
    const TokenSnapshot token = rig.token(id);
    CHECK(token.state == TokenState::available);
    REQUIRE(token.buckets.size() == 1);
    CHECK(token.buckets[0].id == "large");
    CHECK(*token.buckets[0].rest == 5s);
  }
  CHECK(rig.token("t2").buckets.empty());
}

TEST_CASE("a bucket in which any token rests outlives thousands of others") {
  // As many as lie in one piece of memory: who looks beyond the last one is found out.
  Rig rig({.tokens = tokens(64)});
  for (const std::string id : {"t0", "t1", "t2"})
    CHECK(rig.once(limited(1h, LimitScope::token), {.bucket = "of " + id}) == id);
  for (int i = 0; i < 5000; ++i) {
    const std::string once = "made up " + std::to_string(i);
    rig.once(success(), {.bucket = once});
  }
  for (const std::string id : {"t0", "t1", "t2"}) {
    const TokenSnapshot token = rig.token(id);
    REQUIRE(token.buckets.size() == 1);
    CHECK(token.buckets[0].id == "of " + id);
    CHECK(rig.once(success(), {.bucket = "of " + id}) != id);
  }
}

TEST_CASE("an account that rests is shown with its cause and with the test of its rest") {
  std::vector<Token> list = tokens(1);
  list[0].account = "acme";
  Rig rig({.tokens = list});
  rig.once(limited(5s, LimitScope::account));
  CHECK(rig.token("t0").state == TokenState::resting);
  CHECK(rig.token("t0").cause == "account: rate_limited");
  CHECK(*rig.token("t0").rest == 5s);
  rig.pass(5s);
  CHECK(rig.token("t0").state == TokenState::available);
  CHECK(rig.snapshot().accounts[0].state == TokenState::available);
  CHECK(rig.snapshot().accounts[0].cause.empty());
  const Lease probe = rig.lease();
  CHECK(rig.token("t0").state == TokenState::probing);
  const AccountSnapshot probing = rig.snapshot().accounts[0];
  CHECK(probing.state == TokenState::probing);
  CHECK(probing.cause == "rate_limited");
  CHECK_FALSE(probing.rest);
  CHECK(rig.snapshot().pool.resting == 1);
}

TEST_CASE("an egress that rests is shown with its cause and with the test of its rest") {
  Rig rig({.tokens = tokens(4)});
  const auto shown = [&] { return rig.snapshot().egresses.at(0); };
  SECTION("by its own rest") {
    rig.once(limited(5s, LimitScope::egress));
    CHECK(shown().cause == "rate_limited");
    CHECK(*shown().rest == 5s);
    rig.pass(5s);
    CHECK(shown().state == TokenState::available);
  }
  SECTION("by a guess") {
    for (int i = 0; i < 3; ++i) {
      rig.once(limited());
    }
    CHECK(shown().cause == "several tokens were refused here in a row");
    CHECK(*shown().rest == 1s);
    rig.pass(1s);
    CHECK(shown().state == TokenState::available);
  }
  const Lease probe = rig.lease();
  CHECK(shown().state == TokenState::probing);
  CHECK_FALSE(shown().rest);
  CHECK_FALSE(rig.has_room());
}

TEST_CASE("each limit is shown where it alone counts") {
  std::vector<Token> list = tokens(1);
  list[0].account = "acme";
  PoolOptions options{.tokens = list};
  for (unsigned bits = 0; bits < 16; ++bits) {
    options.limits.push_back(Limit::per(static_cast<Scope>(bits), 100, 60s));
  }
  Rig rig(options);
  rig.once(success(), {.bucket = "large"});
  const auto scopes = [](const UsageSnapshot& shown) {
    std::vector<std::string> names;
    for (const LimitUse& use : shown.limits) {
      CHECK(use.used == 1);
      names.push_back(use.scope);
    }
    return names;
  };
  const PoolSnapshot snapshot = rig.snapshot();
  CHECK(scopes(snapshot.tokens[0]) == std::vector<std::string>{"token", "token+account"});
  CHECK(scopes(snapshot.accounts[0]) == std::vector<std::string>{"account"});
  CHECK(scopes(snapshot.egresses[0]) == std::vector<std::string>{"pool", "egress"});
}

TEST_CASE("the totals know of tokens that have left") {
  Rig rig({.tokens = tokens(2)});
  rig.once();
  rig.once(meaning(Verdict::server_error));
  rig.once(limited(1s));
  rig.pool().remove("t0");
  const PoolTotals totals = rig.snapshot().pool;
  CHECK(totals.requests == 3);
  CHECK(totals.successes == 1);
  CHECK(totals.rate_limited == 1);
  CHECK(totals.failures == 1);
}

TEST_CASE("a snapshot says how long calls waited") {
  Rig rig({.tokens = tokens(1), .limits = {Limit::per_token(1, 60s)}});
  struct Bell final : Wakeable {
    void wake() noexcept override {}
  };
  NotUntil refusal;
  rig.once();
  Waiter served{.wakeable = std::make_shared<Bell>()};
  CHECK_FALSE(rig.pool().acquire_or_join(served, rig.now(), refusal));
  rig.pass(10s);
  Waiter gives_up{.wakeable = served.wakeable};
  CHECK_FALSE(rig.pool().acquire_or_join(gives_up, rig.now(), refusal));
  CHECK(rig.snapshot().pool.waits.count == 0);
  rig.pass(50s);
  rig.pool().tick(rig.now());
  CHECK(rig.pool().collect(served));
  rig.pool().leave(gives_up);
  const WaitTotals waits = rig.snapshot().pool.waits;
  CHECK(waits.count == 2);
  CHECK(waits.total == 110s);
  CHECK(waits.longest == 60s);
}
