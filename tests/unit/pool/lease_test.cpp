#include "tokenpool/pool/lease.hpp"

#include <type_traits>

#include "rig.hpp"

using namespace test;

namespace {
PoolOptions one_a_minute() { return {.tokens = tokens(1), .limits = {Limit::per_token(1, 60s)}}; }
}  // namespace

TEST_CASE("a lease can be moved and not copied") {
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Lease>);
  STATIC_REQUIRE(std::is_nothrow_move_assignable_v<Lease>);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Lease>);
}

TEST_CASE("a lease dropped before it was sent is given back") {
  Rig rig(one_a_minute());
  { const Lease lease = rig.lease(); }
  CHECK(rig.has_room());
  CHECK(rig.token("t0").requests == 0);
  CHECK(rig.token("t0").in_flight == 0);
}

TEST_CASE("a lease dropped after it was sent counts until a window after it is given up") {
  Rig rig(one_a_minute());
  {
    Lease lease = rig.lease();
    lease.mark_sent(rig.now().steady + 30s);
  }
  CHECK(rig.wait() == 90s);
  CHECK(rig.token("t0").in_flight == 0);
  CHECK(rig.token("t0").failures == 1);
}

TEST_CASE("a request that surely never reached the server counts nowhere") {
  Rig rig(one_a_minute());
  Lease lease = rig.lease();
  lease.settle({.sent = false, .meaning = meaning(Verdict::network_error), .answered_at = rig.now().steady},
               rig.now());
  CHECK(rig.has_room());
}

TEST_CASE("a moved-from lease does nothing") {
  Rig rig({.tokens = tokens(2)});
  Lease first = rig.lease();
  Lease second = std::move(first);
  CHECK(rig.answer(first).events.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(rig.snapshot().tokens[0].in_flight == 1);
  rig.answer(second);
  CHECK(rig.snapshot().tokens[0].in_flight == 0);
}

TEST_CASE("a lease settled twice is settled once") {
  Rig rig({.tokens = tokens(1)});
  Lease lease = rig.lease();
  rig.answer(lease);
  rig.answer(lease, invalid());
  CHECK(rig.token("t0").requests == 1);
  CHECK(rig.token("t0").state == TokenState::available);
}

TEST_CASE("a lease that takes the place of another lets that one go") {
  Rig rig(one_a_minute());
  Lease lease = rig.lease();
  CHECK_FALSE(rig.has_room());
  rig.pool().add({.secret = "other", .id = "t1"});
  lease = rig.lease();
  CHECK(lease.credential().token_id == "t1");
  CHECK(rig.token("t0").in_flight == 0);
  CHECK(rig.lease().credential().token_id == "t0");
}

TEST_CASE("a lease keeps the credential that it was given") {
  Rig rig({.tokens = tokens(1)});
  Lease first = rig.lease();
  Lease second = rig.lease();
  rig.pool().set_secret("t0", "rotated");
  Lease third = rig.lease();
  rig.pool().set_secret("t0", "rotated again");
  rig.answer(first);
  CHECK(second.credential().secret.reveal() == "secret-0");
  CHECK(third.credential().secret.reveal() == "rotated");
  rig.answer(third);
  CHECK(rig.lease().credential().secret.reveal() == "rotated again");
  rig.pool().remove("t0");
  CHECK(second.credential().secret.reveal() == "secret-0");
  CHECK(second.credential().token_id == "t0");
  rig.answer(second);
  CHECK(rig.snapshot().tokens.empty());
}

TEST_CASE("a request whose answer goes on counts from its beginning where requests are counted") {
  Rig rig(one_a_minute());
  Lease lease = rig.lease();
  rig.pass(2s);
  lease.answered(rig.now());
  CHECK(rig.wait() == 60s);
  rig.pass(60s);
  CHECK(rig.has_room());
  rig.answer(lease);
  CHECK(rig.has_room());
  CHECK(rig.token("t0").successes == 1);
}

TEST_CASE("a request whose answer goes on is in flight until its end") {
  Rig rig({.tokens = tokens(1), .limits = {{.amount = 1, .scope = Scope::token, .unit = Unit::in_flight}}});
  Lease lease = rig.lease();
  lease.answered(rig.now());
  CHECK_FALSE(rig.has_room());
  rig.answer(lease);
  CHECK(rig.has_room());
}

TEST_CASE("an answer that goes on costs what its end says") {
  Rig rig({.tokens = tokens(1),
           .limits = {{.amount = 10, .window = 60s, .scope = Scope::token, .unit = Unit::cost}}});
  Lease lease = rig.lease({.cost = 4});
  lease.answered(rig.now());
  rig.answer(lease, success(), 7);
  CHECK(rig.has_room({.cost = 3}));
  CHECK_FALSE(rig.has_room({.cost = 4}));
}

TEST_CASE("the test of a rest is passed when its answer begins") {
  Rig rig({.tokens = tokens(1)});
  rig.once(limited(1s));
  rig.pass(1s);
  Lease test = rig.lease();
  CHECK_FALSE(rig.has_room());
  const SettleResult begun = test.answered(rig.now());
  REQUIRE(begun.events.size() == 1);
  CHECK(begun.events[0].kind == PoolEvent::Kind::recovered);
  CHECK(rig.has_room());
  CHECK(rig.answer(test).events.empty());
}

TEST_CASE("an answer that began well and ends as a refusal rests its token") {
  Rig rig({.tokens = tokens(1)});
  Lease lease = rig.lease();
  lease.answered(rig.now());
  rig.answer(lease, limited(5s));
  CHECK(rig.wait() == 5s);
}

TEST_CASE("only the first beginning of an answer counts and none after its end") {
  Rig rig(one_a_minute());
  Lease lease = rig.lease();
  lease.answered(rig.now());
  rig.pass(10s);
  lease.answered(rig.now());
  rig.answer(lease);
  lease.answered(rig.now());
  CHECK(rig.wait() == 50s);
}

TEST_CASE("an answer that claims to be older than its request counts from the request on") {
  Rig rig({.tokens = tokens(1), .limits = {Limit::per_token(1, 1min)}});
  Lease lease = rig.lease();
  lease.settle({.answered = true, .answered_at = rig.now().steady - 1h}, rig.now());
  CHECK(rig.wait() == 1min);
}
