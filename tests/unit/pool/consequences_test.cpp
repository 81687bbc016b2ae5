// What an answer changes: rests and their half-open ends, ejections, the way to the server.
#include "tokenpool/pool/consequences.hpp"

#include "rig.hpp"

using namespace test;

namespace {

std::size_t count(const std::vector<PoolEvent>& events, PoolEvent::Kind kind) {
  return static_cast<std::size_t>(std::count_if(
      events.begin(), events.end(), [kind](const PoolEvent& event) { return event.kind == kind; }));
}

}  // namespace

TEST_CASE("a token that met 429 rests until Retry-After") {
  Rig rig({.tokens = tokens(1)});
  rig.once(limited(7500ms));
  CHECK(rig.wait() == 7500ms);
  rig.pass(7499ms);
  CHECK_FALSE(rig.has_room());
  rig.pass(1ms);
  CHECK(rig.has_room());
}

TEST_CASE("a token without the server's word rests in steps until a success forgets them") {
  Rig rig({.tokens = tokens(1)});
  for (const Duration step : {1s, 2s, 4s, 8s, 16s, 32s, 64s, 120s, 120s}) {
    rig.once(limited());
    CHECK(rig.wait() == step);
    rig.pass(step);
  }
  rig.once();
  rig.once(limited());
  CHECK(rig.wait() == 1s);
}

TEST_CASE("no rest is longer than the longest that is allowed") {
  Rig rig({.tokens = tokens(1), .max_rest = 1h});
  rig.once(limited(100h));
  CHECK(rig.wait() == 1h);
}

TEST_CASE("at the end of a rest one request goes through and the others after its success") {
  Rig rig({.tokens = tokens(1)});
  rig.once(limited(5s));
  rig.pass(5s);
  Lease probe = rig.lease();
  CHECK(rig.token("t0").state == TokenState::probing);
  CHECK(rig.refused().when == end_of_time);
  SECTION("success") {
    const SettleResult result = rig.answer(probe);
    CHECK(count(result.events, PoolEvent::Kind::recovered) == 1);
    const Lease one = rig.lease();
    CHECK(rig.has_room());
  }
  SECTION("refusal") {
    rig.answer(probe, limited());
    CHECK(rig.wait() == 2s);
  }
  SECTION("nothing learned") {
    rig.answer(probe, meaning(Verdict::server_error));
    const Lease next = rig.lease();
    CHECK_FALSE(rig.has_room());
  }
  SECTION("never sent") { const Lease gone = std::move(probe); }
}

TEST_CASE("a probe that is dropped leaves the place to another") {
  Rig rig({.tokens = tokens(1)});
  rig.once(limited(5s));
  rig.pass(5s);
  { const Lease probe = rig.lease(); }
  const Lease probe = rig.lease();
  CHECK_FALSE(rig.has_room());
}

TEST_CASE("answers to what was sent before a rest prove nothing") {
  Rig rig({.tokens = tokens(1)});
  Lease early = rig.lease();
  Lease other = rig.lease();
  rig.once(limited(60s));
  rig.answer(early);
  CHECK(rig.wait() == 60s);
  rig.answer(other, limited(10s));
  CHECK(rig.wait() == 60s);
  CHECK(rig.token("t0").rate_limited == 2);
}

TEST_CASE("refusals of requests under way count one strike") {
  Rig rig({.tokens = tokens(1)});
  Lease first = rig.lease();
  Lease second = rig.lease();
  rig.answer(first, limited());
  rig.answer(second, limited());
  CHECK(rig.wait() == 1s);
}

TEST_CASE("a refusal in a bucket rests the token for that bucket alone") {
  Rig rig({.tokens = tokens(1)});
  rig.once(limited(30s), {.bucket = "large"});
  CHECK(rig.wait({.bucket = "large"}) == 30s);
  rig.once(success(), {.bucket = "small"});
  rig.once();
  CHECK(rig.wait({.bucket = "large"}) == 30s);
}

TEST_CASE("three buckets in a row rest the whole token") {
  Rig rig({.tokens = tokens(1)});
  for (const auto* bucket : {"a", "b", "c"}) {
    rig.once(limited(30s), {.bucket = bucket});
  }
  CHECK(rig.wait({.bucket = "d"}) == 30s);
}

TEST_CASE("a bucket's rest has its own half-open end") {
  Rig rig({.tokens = tokens(1)});
  rig.once(limited(30s), {.bucket = "large"});
  rig.pass(30s);
  Lease probe = rig.lease({.bucket = "large"});
  CHECK(rig.refused({.bucket = "large"}).when == end_of_time);
  rig.once(success(), {.bucket = "small"});
  rig.answer(probe);
  rig.times(3, {.bucket = "large"});
}

TEST_CASE("tokens of one account rest together") {
  std::vector<Token> list = tokens(3);
  list[0].account = list[1].account = "acme";
  Rig rig({.tokens = list});
  const SettleResult result = [&] {
    Lease lease = rig.lease();
    return rig.answer(lease, limited(30s, LimitScope::account));
  }();
  REQUIRE(result.events.size() == 1);
  CHECK(result.events[0].scope == LimitScope::account);
  CHECK(result.events[0].scope_id == "acme");
  for (int i = 0; i < 4; ++i) {
    CHECK(rig.once() == "t2");
  }
  CHECK(rig.token("t1").state == TokenState::resting);
  rig.pool().disable("t2");
  CHECK(rig.wait() == 30s);
  CHECK(rig.pool().describe(rig.refused()) == "account acme");
  rig.pass(30s);
  Lease probe = rig.lease();
  CHECK_FALSE(rig.has_room());
  rig.answer(probe);
  const Lease one = rig.lease();
  CHECK(rig.has_room());
}

TEST_CASE("a refusal that names the token alone spares its account") {
  std::vector<Token> list = tokens(2);
  list[0].account = list[1].account = "acme";
  Rig rig({.tokens = list});
  CHECK(rig.once(limited(30s, LimitScope::token)) == "t0");
  CHECK(rig.once() == "t1");
  CHECK(rig.once() == "t1");
}

TEST_CASE("a refusal that names its scope rests just that") {
  Rig rig({.tokens = tokens(5)});
  SECTION("the egress") {
    rig.once(limited(30s, LimitScope::egress));
    CHECK(rig.wait() == 30s);
    CHECK(rig.pool().describe(rig.refused()) == "egress default");
  }
  SECTION("the bucket over all tokens") {
    rig.once(limited(30s, LimitScope::bucket), {.bucket = "large"});
    CHECK(rig.pool().describe(rig.refused({.bucket = "large"})) == "bucket large");
    CHECK(rig.has_room({.bucket = "small"}));
  }
  SECTION("the service") {
    rig.once(limited(30s, LimitScope::service));
    CHECK(rig.pool().describe(rig.refused()) == "the service");
  }
  CHECK(rig.snapshot().pool.available == 5);
  rig.pass(30s);
  Lease probe = rig.lease({.bucket = "large"});
}

TEST_CASE("a revoked token is ejected and told of once") {
  Rig rig({.tokens = tokens(2)});
  Lease first = rig.lease();
  Lease other = rig.lease();
  Lease same = rig.lease();
  Lease other_again = rig.lease();
  Lease late = rig.lease();
  REQUIRE((same.slot() == first.slot() && late.slot() == first.slot()));
  CHECK(count(rig.answer(first, invalid()).events, PoolEvent::Kind::ejected) == 1);
  CHECK(rig.answer(same, invalid()).events.empty());
  rig.answer(other);
  rig.answer(other_again);
  rig.answer(late);  // granted before: it proves nothing
  CHECK(rig.token("t0").state == TokenState::ejected);
  CHECK(rig.token("t0").cause == "revoked");
  CHECK(rig.once() == "t1");
  CHECK(rig.once() == "t1");
}

TEST_CASE("a bare 401 rests a token first and ejects it the second time") {
  Rig rig({.tokens = tokens(1)});
  rig.once(invalid(false));
  CHECK(rig.wait() == 1s);
  rig.pass(1s);
  rig.once(invalid(false));
  CHECK(rig.token("t0").state == TokenState::ejected);
}

TEST_CASE("a success between two bare 401s forgets the first") {
  Rig rig({.tokens = tokens(1)});
  for (int i = 0; i < 3; ++i) {
    rig.once(invalid(false));
    rig.pass(1s);
    rig.once();
  }
  CHECK(rig.token("t0").state == TokenState::available);
}

TEST_CASE("a token that is forbidden three times in a row is ejected") {
  Rig rig({.tokens = tokens(2)});
  const auto forbid_first = [&] {
    for (std::string id; id != "t0";) {
      Lease lease = rig.lease();
      id = lease.credential().token_id;
      rig.answer(lease, id == "t0" ? meaning(Verdict::forbidden) : success());
    }
  };
  forbid_first();
  forbid_first();
  CHECK(rig.token("t0").state == TokenState::available);
  forbid_first();
  CHECK(rig.token("t0").state == TokenState::ejected);
}

TEST_CASE("a token whose key is what is forbidden is ejected at once") {
  Rig rig({.tokens = tokens(2)});
  Classification key = meaning(Verdict::forbidden);
  key.eject = true;
  CHECK(rig.once(key) == "t0");
  CHECK(rig.token("t0").state == TokenState::ejected);
  CHECK(rig.token("t1").state == TokenState::available);
}

TEST_CASE("what is forbidden to three tokens in a row is no fault of theirs") {
  Rig rig({.tokens = tokens(4)});
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 3; ++i) {
      Lease lease = rig.lease();
      CHECK(rig.answer(lease, meaning(Verdict::forbidden)).endpoint_at_fault == (round > 0 || i == 2));
    }
  }
  CHECK(rig.snapshot().pool.available == 4);
}

TEST_CASE("spent money ejects and a quota that resets by itself rests") {
  Rig rig({.tokens = tokens(2)});
  Classification spent{.verdict = Verdict::quota_exhausted, .rest = 5h};
  CHECK(rig.once(spent) == "t0");
  CHECK(*rig.token("t0").rest == 5h);
  spent.eject = true;
  CHECK(rig.once(spent) == "t1");
  CHECK(rig.token("t1").state == TokenState::ejected);
}

TEST_CASE("three tokens refused in a row put the blame on the endpoint") {
  Rig rig({.tokens = tokens(4)});
  std::vector<PoolEvent> events;
  bool at_fault = false;
  for (int i = 0; i < 3; ++i) {
    Lease lease = rig.lease();
    SettleResult result = rig.answer(lease, invalid());
    events.insert(events.end(), result.events.begin(), result.events.end());
    at_fault = result.endpoint_at_fault;
    CHECK(at_fault == (i == 2));
  }
  CHECK(count(events, PoolEvent::Kind::shared_limit) == 1);
  CHECK(rig.snapshot().pool.ejected == 0);
  CHECK(rig.snapshot().pool.resting == 3);
  CHECK(rig.once() == "t3");
  rig.pass(1s);
  CHECK(rig.snapshot().pool.available == 4);
  rig.once(invalid());
  CHECK(rig.snapshot().pool.ejected == 1);
}

TEST_CASE("the blame on the endpoint brings ejected tokens back and leaves resting ones as they are") {
  Rig rig({.tokens = tokens(3)});
  CHECK(rig.once(invalid(false)) == "t0");
  rig.once(invalid());
  rig.pass(500ms);
  CHECK(rig.once(invalid()) == "t2");
  CHECK(rig.snapshot().pool.resting == 3);
  CHECK(*rig.token("t0").rest == 500ms);
  CHECK(*rig.token("t1").rest == 1s);
  CHECK(*rig.token("t2").rest == 1s);
}

TEST_CASE("refusals of different endpoints do not add up") {
  std::vector<Token> list = tokens(4);
  list[1].base_url = "https://one.example";
  list[2].base_url = "https://two.example";
  Rig rig({.tokens = list});
  for (int i = 0; i < 3; ++i) {
    rig.once(invalid());
  }
  CHECK(rig.snapshot().pool.ejected == 3);
}

TEST_CASE("an egress by which nothing comes through five times in a row rests") {
  Rig rig({.tokens = tokens(2), .egress = {{.id = "wire"}}});
  const Classification lost = meaning(Verdict::network_error);
  for (int i = 0; i < 5; ++i) {
    rig.once(lost);
  }
  CHECK(rig.wait() == 1s);
  CHECK(rig.pool().describe(rig.refused()) == "egress wire");
  rig.pass(1s);
  rig.once(lost);
  CHECK(rig.wait() == 2s);
  CHECK(rig.snapshot().pool.available == 2);
}

TEST_CASE("any answer proves that the way is open") {
  Rig rig({.tokens = tokens(2)});
  const Classification lost = meaning(Verdict::network_error);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i) {
      rig.once(lost);
    }
    rig.once(meaning(Verdict::server_error));
  }
  for (int i = 0; i < 5; ++i) {
    rig.once(lost);
  }
  rig.pass(1s);
  rig.once(meaning(Verdict::overloaded));
  const Lease one = rig.lease();
  CHECK(rig.has_room());
}

TEST_CASE("failures that are nobody's fault leave the token as it is") {
  Rig rig({.tokens = tokens(1)});
  for (const Verdict verdict :
       {Verdict::server_error, Verdict::overloaded, Verdict::ambiguous, Verdict::caller_error}) {
    rig.once(meaning(verdict));
    CHECK(rig.token("t0").state == TokenState::available);
  }
  CHECK(rig.token("t0").failures == 3);
  CHECK(rig.token("t0").successes == 1);
  CHECK(rig.token("t0").requests == 4);
}

TEST_CASE("a token that gives one request at a time is not asked for two") {
  Rig rig({.tokens = tokens(1)});
  // One unit comes back every six seconds.
  const auto one_and_a_refusal = [&] {
    rig.once();
    rig.once(limited(6s));
    rig.pass(6s);
  };
  rig.once(limited(6s));
  rig.pass(6s);
  one_and_a_refusal();
  one_and_a_refusal();
  for (int i = 0; i < 10; ++i) {
    rig.once();
    CHECK(rig.wait() == 6s);
    CHECK(rig.token("t0").state == TokenState::resting);
    CHECK(rig.token("t0").cause == "gives a few requests at a time");
    rig.pass(6s);
  }
}

TEST_CASE("an egress that gives one request at a time is not asked for two") {
  Rig rig({.tokens = tokens(3)});
  for (int i = 0; i < 3; ++i) {
    rig.once(limited(6s, LimitScope::egress));
    rig.pass(6s);
    rig.once();
  }
  CHECK(rig.wait() == 6s);
  CHECK(rig.snapshot().egresses[0].cause == "gives a few requests at a time");
  rig.pass(6s);
  rig.once();
  CHECK(rig.wait() == 6s);
}

TEST_CASE("requests that were under way when a rest began tell of it once") {
  Rig rig({.tokens = tokens(1)});
  std::vector<Lease> sent;
  for (int i = 0; i < 4; ++i) sent.push_back(rig.lease());
  CHECK(count(rig.answer(sent[0], limited(5s)).events, PoolEvent::Kind::rest) == 1);
  rig.pass(100ms);
  CHECK(rig.answer(sent[1], limited(5s)).events.empty());
  const SettleResult longer = rig.answer(sent[2], limited(60s));
  REQUIRE(longer.events.size() == 1);
  CHECK(*longer.events[0].until == rig.now().steady + 60s);
  CHECK(rig.answer(sent[3], limited(60s)).events.empty());
  rig.pass(60s);
  Lease test = rig.lease();
  CHECK(count(rig.answer(test, limited(5s)).events, PoolEvent::Kind::rest) == 1);
}

TEST_CASE("a rest that becomes longer by a second is told of again") {
  const auto told_again = [](std::chrono::milliseconds longer) {
    Rig rig({.tokens = tokens(1)});
    Lease first = rig.lease();
    Lease second = rig.lease();
    rig.answer(first, limited(5s));
    return !rig.answer(second, limited(5s + longer)).events.empty();
  };
  CHECK(told_again(1000ms));
  CHECK_FALSE(told_again(999ms));
}

TEST_CASE("a rest for one bucket is told with its name and one of the whole without") {
  Rig rig({.tokens = tokens(1)});
  const auto refused_in = [&](const char* bucket) {
    Lease lease = rig.lease({.bucket = bucket});
    return rig.answer(lease, limited(30s, LimitScope::token)).events;
  };
  const auto first = refused_in("large");
  REQUIRE(first.size() == 1);
  CHECK(first[0].scope == LimitScope::token);
  CHECK(first[0].bucket == "large");
  refused_in("small");
  const auto third = refused_in("tiny");
  REQUIRE(third.size() == 2);
  CHECK(third[0].bucket == "tiny");
  CHECK(third[1].bucket.empty());
  CHECK(third[1].until == third[0].until);
  rig.pass(30s);
  Lease test = rig.lease({.bucket = "large"});
  const auto recovered = rig.answer(test).events;
  REQUIRE(recovered.size() == 1);
  CHECK(recovered[0].kind == PoolEvent::Kind::recovered);
  CHECK(recovered[0].bucket.empty());
  Lease small = rig.lease({.bucket = "small"});
  const auto of_bucket = rig.answer(small).events;
  REQUIRE(of_bucket.size() == 1);
  CHECK(of_bucket[0].bucket == "small");
  Lease again = rig.lease({.bucket = "small"});
  CHECK(rig.answer(again).events.empty());
}

TEST_CASE("a token whose ejection becomes a rest is told of as resting") {
  Rig rig({.tokens = tokens(4)});
  rig.once(invalid());
  rig.once(invalid());
  Lease third = rig.lease();
  std::vector<std::string> resting;
  for (const PoolEvent& event : rig.answer(third, invalid()).events) {
    if (event.kind == PoolEvent::Kind::rest) {
      CHECK(event.until == rig.now().steady + 1s);
      resting.push_back(event.token_id);
    }
  }
  CHECK(resting == std::vector<std::string>{"t0", "t1", "t2"});
}

TEST_CASE("an egress that is down and up again is told of once each") {
  Rig rig({.tokens = tokens(1)});
  std::vector<Lease> sent;
  for (int i = 0; i < 8; ++i) sent.push_back(rig.lease());
  std::vector<PoolEvent> events;
  for (Lease& lease : sent) {
    SettleResult result =
        lease.settle({.sent = false, .meaning = meaning(Verdict::network_error)}, rig.now());
    events.insert(events.end(), result.events.begin(), result.events.end());
  }
  REQUIRE(events.size() == 1);
  CHECK(events[0].scope == LimitScope::egress);
  CHECK(events[0].scope_id == "default");
  rig.pass(1s);
  Lease test = rig.lease();
  const auto up = rig.answer(test, meaning(Verdict::server_error)).events;
  REQUIRE(up.size() == 1);
  CHECK(up[0].kind == PoolEvent::Kind::recovered);
  CHECK(up[0].scope == LimitScope::egress);
  CHECK(up[0].scope_id == "default");
}

TEST_CASE("whatever rests by name is told of when it serves again") {
  const LimitScope scope =
      GENERATE(LimitScope::account, LimitScope::bucket, LimitScope::egress, LimitScope::service);
  std::vector<Token> list = tokens(1);
  list[0].account = "acme";
  Rig rig({.tokens = list, .egress = {{.id = "wire"}}});
  const auto send = [&](const Classification& answer) {
    Lease lease = rig.lease({.bucket = scope == LimitScope::bucket ? "large" : ""});
    return rig.answer(lease, answer).events;
  };
  const auto rest = send(limited(5s, scope));
  REQUIRE(rest.size() == 1);
  rig.pass(5s);
  const auto up = send(success());
  REQUIRE(up.size() == 1);
  CHECK(up[0].kind == PoolEvent::Kind::recovered);
  CHECK(up[0].scope == scope);
  CHECK(up[0].scope_id == rest[0].scope_id);
  CHECK(send(success()).empty());
}

TEST_CASE("a suspicion that a place is limited is told of when it is over") {
  Rig rig({.tokens = tokens(4), .egress = {{.id = "wire"}}});
  for (int i = 0; i < 3; ++i) rig.once(limited());
  rig.pass(1s);
  Lease test = rig.lease();
  const auto up = rig.answer(test).events;
  REQUIRE(count(up, PoolEvent::Kind::recovered) == 1);
  CHECK(up[0].scope_id == "wire");
}
