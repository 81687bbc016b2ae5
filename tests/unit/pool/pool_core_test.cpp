// Waiting for a lease: one queue, nobody polls, no wake-up is lost; and leases that a remote ledger confirms.
#include "tokenpool/pool/pool_core.hpp"

#include <array>
#include <deque>
#include <functional>

#include "rig.hpp"

using namespace test;

namespace {

/// Counts how often it is woken.
struct Bell final : Wakeable {
  int rung = 0;
  void wake() noexcept override { ++rung; }
};

/// One call in the queue, which it leaves at its end.
struct Call {
  std::shared_ptr<Bell> bell = std::make_shared<Bell>();
  Waiter waiter;
  std::function<void()> leave = [] {};

  explicit Call(const LeaseRequest& request = {}) {
    waiter.request = request;
    waiter.wakeable = bell;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { leave(); }
};

template <class R>
bool joins(R& rig, Call& call) {
  NotUntil refusal;
  call.leave = [&] { static_cast<void>(rig.pool().leave(call.waiter)); };
  return !rig.pool().acquire_or_join(call.waiter, rig.now(), refusal).has_value();
}

template <class R>
std::optional<Lease> served(R& rig, Call& call) {
  std::optional<Acquired> acquired = rig.pool().collect(call.waiter);
  if (!acquired) {
    return std::nullopt;
  }
  return std::get<Lease>(std::move(*acquired));
}

PoolOptions one_at_a_time(std::size_t count = 1) {
  return {.tokens = tokens(count), .limits = {{.amount = 1, .scope = Scope::token, .unit = Unit::in_flight}}};
}

}  // namespace

TEST_CASE("who can be served does not wait") {
  Rig rig(one_at_a_time());
  Call call;
  NotUntil refusal;
  CHECK(rig.pool().acquire_or_join(call.waiter, rig.now(), refusal).has_value());
  CHECK(rig.snapshot().pool.waiting == 0);
}

TEST_CASE("a lease that settles serves the first in the queue and wakes no other") {
  Rig rig(one_at_a_time());
  Lease lease = rig.lease();
  Call first;
  Call second;
  REQUIRE(joins(rig, first));
  REQUIRE(joins(rig, second));
  CHECK(rig.snapshot().pool.waiting == 2);
  const int before = second.bell->rung;
  rig.answer(lease);
  CHECK(first.bell->rung == 1);
  CHECK_FALSE(served(rig, second));
  std::optional<Lease> given = served(rig, first);
  REQUIRE(given);
  CHECK(rig.snapshot().pool.waiting == 1);
  // The second now owns the timer and is told so, once at most.
  CHECK(second.bell->rung <= before + 1);
  rig.answer(*given);
  CHECK(served(rig, second));
}

TEST_CASE("a newcomer does not pass those who wait for the same") {
  Rig rig({.tokens = tokens(1), .limits = {Limit::per_token(1, 60s)}});
  rig.once();
  Call waiting;
  REQUIRE(joins(rig, waiting));
  rig.pass(60s);
  CHECK_FALSE(rig.has_room());
  CHECK(served(rig, waiting));
}

TEST_CASE("a newcomer passes who wait for something else") {
  Rig rig({.tokens = tokens(2)});
  rig.once(limited(60s, LimitScope::bucket), {.bucket = "large"});
  Call waiting({.bucket = "large"});
  REQUIRE(joins(rig, waiting));
  CHECK(rig.once(success(), {.bucket = "small"}) == "t1");
  CHECK(waiting.bell->rung <= 1);
  CHECK_FALSE(served(rig, waiting));
}

TEST_CASE("a later waiter passes an earlier one only with what could not serve it") {
  Rig rig(one_at_a_time(2));
  Lease first = rig.lease();
  Lease second = rig.lease();
  const std::array<SlotNumber, 1> asked = {1};
  Call only_first({.asked = asked});
  Call any;
  REQUIRE(joins(rig, only_first));
  REQUIRE(joins(rig, any));
  SECTION("the token that the earlier may not have goes to the later") {
    rig.answer(second);
    CHECK_FALSE(served(rig, only_first));
    CHECK(served(rig, any));
  }
  SECTION("the token that both may have goes to the earlier") {
    rig.answer(first);
    const std::optional<Lease> given = served(rig, only_first);
    CHECK(given);
    CHECK_FALSE(served(rig, any));
  }
}

TEST_CASE("a large request is not starved by small ones") {
  Rig rig({.tokens = tokens(1), .limits = {{.amount = 10, .window = 60s, .unit = Unit::cost}}});
  for (int i = 0; i < 10; ++i) {
    rig.once();
    rig.pass(1s);
  }
  Call large({.cost = 8});
  REQUIRE(joins(rig, large));
  int small_served = 0;
  for (int second = 0; second < 60 && large.waiter.line != nullptr; ++second) {
    rig.pass(1s);
    small_served += rig.has_room() ? 1 : 0;
  }
  CHECK(small_served == 0);
  CHECK(served(rig, large));
  // What the large one leaves is for the small ones.
  rig.pass(60s);
  CHECK(rig.has_room());
}

TEST_CASE("a large request is not passed at the very instant at which its token has rested") {
  Rig rig({.tokens = tokens(1), .limits = {{.amount = 10, .window = 60s, .unit = Unit::cost}}});
  rig.once(success(), {.cost = 5});
  rig.once(limited(10s, LimitScope::token), {.bucket = "large"});
  Call large({.bucket = "large", .cost = 8});
  REQUIRE(joins(rig, large));
  rig.pass(10s);
  CHECK(rig.wait({.bucket = "large"}) == 50s);
}

TEST_CASE("who is kept back for an earlier call waits although it has asked every other token") {
  Rig rig({.tokens = tokens(4),
           .limits = {{.amount = 10, .window = 60s, .scope = Scope::token, .unit = Unit::cost}}});
  rig.once(success(), {.cost = 5});
  REQUIRE(rig.once() == "t1");
  for (int i = 0; i < 3; ++i) {
    rig.once(limited(1s));
  }
  rig.pool().disable("t2");
  rig.pool().disable("t3");
  rig.pass(1s);
  const std::array<SlotNumber, 1> asked = {1};
  Call large({.cost = 8, .asked = asked});
  REQUIRE(joins(rig, large));
  CHECK(rig.wait({.asked = asked}) == 59s);
}

TEST_CASE("small requests pass a large one by tokens that can never hold it") {
  std::vector<Token> list = tokens(2);
  list[0].limits = {{.amount = 5, .window = 60s, .unit = Unit::cost}};
  list[1].limits = {{.amount = 100, .window = 60s, .unit = Unit::cost}};
  Rig rig({.tokens = list});
  CHECK(rig.once(success(), {.cost = 95}) == "t1");
  Call large({.cost = 50});
  REQUIRE(joins(rig, large));
  CHECK(rig.once() == "t0");
  CHECK(rig.once() == "t0");
  rig.pass(60s);
  rig.pool().tick(rig.now());
  CHECK(served(rig, large));
}

TEST_CASE("a bucket that is forgotten while somebody waits for it is known again at the next look") {
  std::vector<Token> list = tokens(2);
  list[0].limits = {{.amount = 10, .window = 1h, .unit = Unit::cost}};
  Rig rig({.tokens = list});
  const std::array<SlotNumber, 1> asked = {1};
  REQUIRE(rig.once(success(), {.cost = 8, .asked = asked}) == "t0");
  Call large({.bucket = "waits", .cost = 5, .asked = asked});
  REQUIRE(joins(rig, large));
  int passed = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string bucket = "made up " + std::to_string(i);
    passed += rig.once(success(), {.bucket = bucket}) == "t0" ? 1 : 0;
  }
  CHECK(passed <= 2);
  rig.pass(1h);
  rig.pool().tick(rig.now());
  CHECK(served(rig, large));
}

TEST_CASE("a waiter that leaves lets those behind it pass") {
  Rig rig({.tokens = tokens(1), .limits = {{.amount = 10, .window = 60s, .unit = Unit::cost}}});
  rig.once(success(), {.cost = 5});
  Call large({.cost = 8});
  Call small({.cost = 3});
  REQUIRE(joins(rig, large));
  REQUIRE(joins(rig, small));
  CHECK_FALSE(rig.pool().leave(large.waiter).has_value());
  CHECK(small.bell->rung == 1);
  CHECK(served(rig, small));
}

TEST_CASE("the first in the queue owns the timer and hands it on") {
  Rig rig({.tokens = tokens(1)});
  rig.once(limited(30s));
  Call first;
  Call second;
  REQUIRE(joins(rig, first));
  REQUIRE(joins(rig, second));
  CHECK(rig.pool().sleep_until(first.waiter) == rig.now().steady + 30s);
  CHECK(rig.pool().sleep_until(second.waiter) == end_of_time);
  CHECK(first.bell->rung == 0);
  rig.pool().leave(first.waiter);
  CHECK(second.bell->rung == 1);
  CHECK(rig.pool().sleep_until(second.waiter) == rig.now().steady + 30s);
  rig.pass(30s);
  rig.pool().tick(rig.now());
  CHECK(served(rig, second));
}

TEST_CASE("the owner of the timer is woken when somebody behind it waits for an earlier time") {
  Rig rig({.tokens = tokens(1)});
  rig.once(limited(60s), {.bucket = "slow"});
  rig.once(limited(5s), {.bucket = "quick"});
  Call slow({.bucket = "slow"});
  Call quick({.bucket = "quick"});
  REQUIRE(joins(rig, slow));
  CHECK(rig.pool().sleep_until(slow.waiter) == rig.now().steady + 60s);
  REQUIRE(joins(rig, quick));
  CHECK(slow.bell->rung == 1);
  CHECK(rig.pool().sleep_until(slow.waiter) == rig.now().steady + 5s);
  rig.pass(5s);
  rig.pool().tick(rig.now());
  CHECK(quick.bell->rung == 1);
  CHECK(served(rig, quick));
}

TEST_CASE("capacity that appears wakes who can use it") {
  Rig rig({.tokens = tokens(1)});
  rig.once(limited(1h, LimitScope::token));
  Call call;
  REQUIRE(joins(rig, call));
  SECTION("a token is added") { rig.pool().add({.secret = "fresh", .id = "fresh"}); }
  SECTION("a rest is ended by a person") { rig.pool().enable("t0"); }
  SECTION("the tokens are replaced") { rig.pool().replace({{.secret = "fresh", .id = "fresh"}}); }
  SECTION("the rest ends and anybody looks at the pool") {
    rig.pass(1h);
    rig.snapshot();
  }
  CHECK(call.bell->rung == 1);
  CHECK(served(rig, call));
}

TEST_CASE("a lease that is dropped serves the queue") {
  Rig rig(one_at_a_time());
  std::optional<Lease> lease = rig.lease();
  Call call;
  REQUIRE(joins(rig, call));
  SECTION("unsent") {}
  SECTION("sent") { lease->mark_sent(rig.now().steady + 1h); }
  lease.reset();
  CHECK(call.bell->rung == 1);
  CHECK(served(rig, call));
}

TEST_CASE("when the last token goes those who wait are told") {
  Rig rig(one_at_a_time());
  const Lease lease = rig.lease();
  Call call;
  REQUIRE(joins(rig, call));
  rig.pool().disable("t0");
  CHECK(call.bell->rung == 1);
  const std::optional<Acquired> told = rig.pool().collect(call.waiter);
  REQUIRE(told);
  CHECK(std::get<Never>(*told).reason == Never::Reason::no_tokens);
}

TEST_CASE("what was given to a waiter that leaves at the same moment is not lost") {
  Rig rig(one_at_a_time());
  Lease lease = rig.lease();
  Call call;
  REQUIRE(joins(rig, call));
  rig.answer(lease);
  {
    const std::optional<Acquired> given = rig.pool().leave(call.waiter);
    REQUIRE(given);
    CHECK(std::holds_alternative<Lease>(*given));
    CHECK_FALSE(rig.has_room());
  }
  CHECK(rig.has_room());
}

TEST_CASE("a waiter knows why it was not served the last time") {
  Rig rig({.tokens = tokens(1)});
  rig.once(limited(30s, LimitScope::egress));
  Call call;
  NotUntil refusal;
  CHECK_FALSE(rig.pool().acquire_or_join(call.waiter, rig.now(), refusal).has_value());
  CHECK(refusal.when == rig.now().steady + 30s);
  CHECK(rig.pool().refusal(call.waiter).why.scope == LimitScope::egress);
}

TEST_CASE("never is not queued for") {
  Rig rig({.tokens = tokens(1), .limits = {{.amount = 5, .window = 1s, .unit = Unit::cost}}});
  Call call({.cost = 6});
  CHECK_FALSE(joins(rig, call));
  CHECK(rig.snapshot().pool.waiting == 0);
}

TEST_CASE("a policy that throws while a waiter is served ends that wait alone") {
  bool broken = false;
  const auto policy = [&broken](const Candidates& candidates, PickContext& context) -> std::size_t {
    if (broken && context.affinity == "doomed") {
      throw std::runtime_error("no idea");
    }
    return broken && context.affinity == "astray" ? candidates.size() : 0;
  };
  Rig<decltype(policy)> rig(one_at_a_time(), policy);
  Lease lease = rig.lease();
  Call doomed({.affinity = "doomed"});
  Call astray({.affinity = "astray"});
  Call fine;
  for (Call* call : {&doomed, &astray, &fine}) {
    REQUIRE(joins(rig, *call));
  }
  broken = true;
  CHECK_NOTHROW(rig.answer(lease));
  for (Call* call : {&doomed, &astray, &fine}) {
    CHECK(call->bell->rung >= 1);
  }
  CHECK_THROWS_WITH(served(rig, doomed), "no idea");
  CHECK_THROWS_AS(served(rig, astray), Error);
  std::optional<Lease> given = served(rig, fine);
  REQUIRE(given);
  rig.answer(*given);
  CHECK(rig.snapshot().pool.waiting == 0);
  CHECK(rig.token("t0").in_flight == 0);
}

TEST_CASE("a queue of many is served in its order") {
  Rig rig(one_at_a_time(3));
  std::vector<Lease> leases;
  for (int i = 0; i < 3; ++i) {
    leases.push_back(rig.lease());
  }
  std::deque<Call> calls(100);
  for (Call& call : calls) {
    REQUIRE(joins(rig, call));
  }
  std::size_t next = 0;
  while (next < calls.size()) {
    rig.answer(leases.front());
    leases.erase(leases.begin());
    std::optional<Lease> given = served(rig, calls[next]);
    REQUIRE(given);
    leases.push_back(std::move(*given));
    ++next;
    REQUIRE(rig.snapshot().pool.waiting == calls.size() - next);
  }
}

TEST_CASE("time that goes backwards moves nothing") {
  Rig rig({.tokens = tokens(1)});
  rig.once(limited(10s));
  rig.pass(10s);
  rig.snapshot();
  rig.pass(-5s);
  CHECK(rig.has_room());
}

namespace {

/// A remote store in one line: so many units in all.
struct Store {
  std::int64_t left;
  LedgerAnswer reserve(const std::vector<Claim>& claims) {
    if (left < static_cast<std::int64_t>(claims.size())) {
      return {.granted = false, .refused_claim = 0, .retry_in = 30s};
    }
    left -= static_cast<std::int64_t>(claims.size());
    return {};
  }
};

PoolOptions asking() {
  return {.tokens = tokens(1),
          .limits = {Limit::per_token(150, 24h), Limit::per(Scope::egress | Scope::bucket, 10, 60s)},
          .egress = {{.id = "wire"}},
          .ask_ledger = true};
}

}  // namespace

TEST_CASE("a lease that a ledger must confirm says what it takes from where") {
  Rig rig(asking());
  Acquired acquired = rig.acquire({.bucket = "large"});
  const Ask& ask = std::get<Ask>(acquired);
  REQUIRE(ask.claims.size() == 2);
  CHECK(ask.claims[0].place == "token=t0");
  CHECK(ask.claims[0].limit == Limit::per_token(150, 24h));
  CHECK(ask.claims[0].units == 1);
  CHECK(ask.claims[1].place == "egress=wire bucket=large");
}

TEST_CASE("a lease that the ledger confirms goes on like any other") {
  Rig rig(asking());
  Store store{2};
  Acquired acquired = rig.acquire();
  Ask& ask = std::get<Ask>(acquired);
  REQUIRE(store.reserve(ask.claims).granted);
  Lease lease = std::move(ask.lease);
  rig.answer(lease);
  CHECK(rig.token("t0").successes == 1);
}

TEST_CASE("a lease that the ledger refuses is given back and its place is closed for as long") {
  Rig rig(asking());
  Store store{0};
  Acquired acquired = rig.acquire();
  Ask& ask = std::get<Ask>(acquired);
  const LedgerAnswer answer = store.reserve(ask.claims);
  rig.pool().refuse(std::move(ask), answer, rig.now());
  CHECK(rig.token("t0").in_flight == 0);
  CHECK(rig.wait() == 30s);
  rig.pass(30s);
  CHECK(std::holds_alternative<Ask>(rig.acquire()));
}

TEST_CASE("a waiter is handed the question when its turn comes") {
  PoolOptions options = asking();
  options.limits = {{.amount = 1, .scope = Scope::token, .unit = Unit::in_flight}};
  Rig rig(options);
  std::optional<Acquired> held = rig.acquire();
  Call call;
  REQUIRE(joins(rig, call));
  held.reset();
  const std::optional<Acquired> given = rig.pool().collect(call.waiter);
  REQUIRE(given);
  CHECK(std::holds_alternative<Ask>(*given));
}

TEST_CASE("a ledger that grants nothing yet closes every place for as long") {
  Rig rig(asking());
  Acquired acquired = rig.acquire();
  rig.pool().refuse(std::move(std::get<Ask>(acquired)),
                    {.granted = false, .refused_claim = 99, .retry_in = 1h}, rig.now());
  CHECK(rig.wait() == 1h);
}
