#include "tokenpool/quota/meter.hpp"

#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/quota/ledger.hpp"

using namespace std::chrono_literals;
using tokenpool::account_of_its_own;
using tokenpool::Counted;
using tokenpool::end_of_time;
using tokenpool::Limit;
using tokenpool::Meter;
using tokenpool::Place;
using tokenpool::Scope;
using tokenpool::SteadyTime;
using tokenpool::Unit;

namespace {

constexpr SteadyTime now{1000s};

void use(Meter& meter, const Place& place) {
  meter.reserve(place, 1);
  meter.settle(place, 1, 1, now, now);
}

bool has_room(Meter& meter, const Place& place) { return meter.room_at(place, 1, now) == now; }

}  // namespace

TEST_CASE("a limit counts apart by its own dimensions and by no other") {
  const Place used{.token = 1, .account = 2, .egress = 3, .bucket = 4};
  for (unsigned bits = 0; bits < 16; ++bits) {
    const auto scope = static_cast<Scope>(bits);
    CAPTURE(to_string(scope));
    Meter meter(Limit::per(scope, 1, 60s));
    use(meter, used);
    CHECK_FALSE(has_room(meter, used));
    CHECK(has_room(meter, {.token = 9, .account = 2, .egress = 3, .bucket = 4}) == has(scope, Scope::token));
    CHECK(has_room(meter, {.token = 1, .account = 9, .egress = 3, .bucket = 4}) ==
          has(scope, Scope::account));
    CHECK(has_room(meter, {.token = 1, .account = 2, .egress = 9, .bucket = 4}) == has(scope, Scope::egress));
    CHECK(has_room(meter, {.token = 1, .account = 2, .egress = 3, .bucket = 9}) == has(scope, Scope::bucket));
  }
}

TEST_CASE("the meter of one owner has one window however large the owner's number is") {
  Meter meter(Limit::per_token(1, 60s), Scope::token);
  const Place place{.token = 4'000'000'000U};
  use(meter, place);
  CHECK_FALSE(has_room(meter, place));
  CHECK(meter.limit().scope == Scope::token);
}

TEST_CASE("only a limit on cost looks at the cost") {
  CHECK(Meter(Limit{.amount = 9, .window = 1s, .unit = Unit::cost}).units(7) == 7);
  CHECK(Meter(Limit{.amount = 9, .window = 1s}).units(7) == 1);
  CHECK(Meter(Limit{.amount = 9, .unit = Unit::in_flight}).units(7) == 1);
}

TEST_CASE("no request costs more than a quadrillion here and in a ledger") {
  const Limit limit{.amount = 9, .window = 1s, .unit = Unit::cost};
  constexpr std::int64_t quadrillion = 1'000'000'000'000'000;
  CHECK(Meter(limit).units(quadrillion) == quadrillion);
  CHECK(Meter(limit).units(quadrillion + 1) == quadrillion);
  CHECK(tokenpool::ledger::true_units(limit, {.cost = quadrillion + 1}, 1) == quadrillion);
}

TEST_CASE("a cost above the amount has no room in a place never used") {
  Meter meter(Limit{.amount = 9, .window = 1s, .unit = Unit::cost});
  CHECK(meter.room_at({}, 9, now) == now);
  CHECK(meter.room_at({}, 10, now) == end_of_time);
}

TEST_CASE("a request that arrived long before its answer is free earlier where arrival counts") {
  Limit limit = Limit::per_token(1, 60s);
  limit.counted = Counted::on_arrival;
  Meter meter(limit);
  meter.reserve({}, 1);
  meter.settle({}, 1, 1, now, now + 20s);
  CHECK(meter.room_at({}, 1, now + 20s) == now + 60s);
}

TEST_CASE("a meter that came later counts only later requests") {
  const Meter meter(Limit::per_token(1, 60s), Scope::pool, 41);
  CHECK_FALSE(meter.counts(41));
  CHECK(meter.counts(42));
}

TEST_CASE("a token that goes leaves no count to the next with its number") {
  for (const Scope scope :
       {Scope::token, Scope::token | Scope::bucket, Scope::account, Scope::account | Scope::egress}) {
    CAPTURE(to_string(scope));
    Meter meter(Limit::per(scope, 1, 60s));
    const Place place{.token = 5, .account = account_of_its_own | 5U, .egress = 1, .bucket = 1};
    use(meter, place);
    meter.forget_token(5);
    CHECK(has_room(meter, place));
  }
}

TEST_CASE("a named account keeps its count when one of its tokens goes") {
  Meter meter(Limit::per_account(1, 60s));
  use(meter, {.token = 5, .account = 3});
  meter.forget_token(5);
  CHECK_FALSE(has_room(meter, {.token = 6, .account = 3}));
}

TEST_CASE("a sweep drops what is no longer counted and nothing else") {
  Meter meter(Limit::per(Scope::bucket, 1, 60s));
  for (std::uint32_t bucket = 1; bucket <= 100; ++bucket) {
    use(meter, {.bucket = bucket});
  }
  meter.reserve({.bucket = 101}, 1);
  const auto places = [&] {
    std::vector<Place> found;
    meter.each_place([&](const Place& place) { found.push_back(place); });
    return found;
  };
  meter.sweep(now + 59s);
  CHECK(places().size() == 101);
  meter.sweep(now + 60s);
  CHECK(places() == std::vector<Place>{{.bucket = 101}});
}

TEST_CASE("an amount that changes keeps what is counted") {
  Meter meter(Limit::per_token(2, 60s));
  use(meter, {});
  meter.set_amount(1);
  CHECK_FALSE(has_room(meter, {}));
  meter.set_amount(3);
  CHECK(has_room(meter, {}));
}
