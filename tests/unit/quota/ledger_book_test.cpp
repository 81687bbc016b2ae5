// The book of a ledger beyond what testing::check_ledger asks of every ledger.

#include "tokenpool/quota/ledger_book.hpp"

#include <string>
#include <vector>

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

const Claim minute{.place = "token=a", .limit = Limit::per_token(3, 1min)};

LedgerAnswer take(LedgerBook& book, std::uint64_t name, const std::vector<Claim>& claims, std::int64_t now) {
  return book.ask({.reservation = name, .claims = claims, .lives_for = 10s}, now);
}

}  // namespace

TEST_CASE("an expiry is a window and a millisecond later and above 256 at the end of a sub window") {
  CHECK(ledger::expiry(Limit::per_token(256, 128s), 500) == 128'501);
  CHECK(ledger::expiry(Limit::per_token(257, 128s), 500) == 129'000);
  CHECK(ledger::expiry(Limit::per_token(257, 128s), 999) == 129'000);
  CHECK(ledger::expiry(Limit::per_token(257, 128s), 1000) == 130'000);
  CHECK(ledger::expiry(Limit::per_token(1000, 10ms), 5) == 16);
  CHECK(ledger::expiry({.amount = 3, .unit = Unit::in_flight}, 500) == 501);
  const auto longest = (std::chrono::milliseconds::max)();
  CHECK(ledger::expiry(Limit::per_token(1, longest), 500) == std::int64_t{1} << 53U);
  CHECK(ledger::expiry(Limit::per_token(1, 1s), std::int64_t{1} << 60U) == std::int64_t{1} << 53U);
}

TEST_CASE("a note says since when a request counts and how much") {
  Limit limit = Limit::per_token(3, 1min);
  const LedgerNote note{.cost = 9, .answered_ago = 3s, .arrived_ago = 5s};
  CHECK(ledger::counted_ago(limit, note) == 3000);
  CHECK(ledger::true_units(limit, note, 1) == 1);
  limit.counted = Counted::on_arrival;
  CHECK(ledger::counted_ago(limit, note) == 5000);
  CHECK(ledger::counted_ago(limit, {.answered_ago = 3s, .arrived_ago = 1s}) == 3000);
  limit.unit = Unit::cost;
  CHECK(ledger::true_units(limit, note, 4) == 9);
  CHECK(ledger::true_units(limit, {}, 4) == 4);
  CHECK(ledger::true_units(limit, {.cost = -1}, 4) == 0);
  CHECK(ledger::true_units(limit, {.cost = 2'000'000'000'000'000}, 4) == 1'000'000'000'000'000);
  CHECK(ledger::true_units(limit, {.sent = false, .cost = 9}, 4) == 0);
  limit.unit = Unit::in_flight;
  CHECK(ledger::true_units(limit, note, 1) == 0);
}

TEST_CASE("who finds no room asks again when an entry goes or could go") {
  const Limit limit = Limit::per_token(3, 1min);
  CHECK(ledger::retry_at(limit, 5000, 1000) == 5000);
  CHECK(ledger::retry_at(limit, 90'000, 1000) == 61'001);
  CHECK(ledger::retry_at({.amount = 1, .unit = Unit::in_flight}, 90'000, 1000) == 1020);
}

TEST_CASE("a key is the same for every amount and tells units and windows apart") {
  Claim other = minute;
  other.limit.amount = 99;
  CHECK(ledger_key(minute) == "token=a requests/60000");
  CHECK(ledger_key(other) == ledger_key(minute));
  CHECK(counted_together(minute, other));
  other.limit.unit = Unit::in_flight;
  CHECK(ledger_key(other) == "token=a in_flight/0");
  CHECK_FALSE(counted_together(minute, other));
}

TEST_CASE("what was spent is told with leases that are open by name and ended ones without") {
  LedgerBook book;
  CHECK(take(book, 7, {minute}, 0).granted);
  CHECK(take(book, 8, {minute}, 0).granted);
  CHECK(book.end({.reservation = 8, .answered_ago = 1s}, 2000));
  CHECK_FALSE(book.end({.reservation = 8}, 2000));
  const std::vector<LedgerSpent> spent = book.spent(3000);
  REQUIRE(spent.size() == 2);
  CHECK(spent[0].reservation == 7);
  CHECK(spent[0].expires_in == 67'001ms);
  CHECK(spent[1].reservation == 0);
  CHECK(spent[1].expires_in == 58'001ms);
  CHECK(spent[1].claim.units == 1);
  LedgerBook another;
  another.ask({.spent = spent}, 900'000);
  CHECK(another.read(minute, 900'000).used == 2);
  CHECK(another.end({.reservation = 7, .sent = false}, 900'000));
  CHECK(another.read(minute, 900'000).used == 1);
}

TEST_CASE("a book counts nothing once all has expired") {
  LedgerBook book;
  CHECK_FALSE(book.counts_anything(0));
  for (std::uint64_t name = 1; name <= 1000; ++name) {
    const std::vector<Claim> claims{{.place = "bucket=" + std::to_string(name),
                                     .limit = Limit::per_token(3, 1min),
                                     .units = name % 2 == 0 ? 0 : 1}};
    CHECK(take(book, name, claims, 0).granted);
    if (name % 3 == 0) book.end({.reservation = name}, 5);
  }
  CHECK(book.counts_anything(70'000));
  CHECK_FALSE(book.counts_anything(70'001));
  CHECK(book.spent(70'001).empty());
}

TEST_CASE("a count says when the last of it expires") {
  LedgerBook book;
  CHECK(book.read(minute, 0).resets_in == 0ms);
  take(book, 7, {minute}, 0);
  take(book, 8, {minute}, 2000);
  CHECK(book.read(minute, 5000).used == 2);
  CHECK(book.read(minute, 5000).resets_in == 67'001ms);
  CHECK(book.read(minute, 70'001).used == 1);
  CHECK(book.read(minute, 72'001).used == 0);
  CHECK(book.read(minute, 72'001).resets_in == 0ms);
}

TEST_CASE("what is given back leaves nothing to wait for") {
  LedgerBook book;
  take(book, 7, {minute}, 0);
  take(book, 8, {minute}, 2000);
  CHECK(book.end({.reservation = 8, .sent = false}, 3000));
  CHECK(book.read(minute, 5000).used == 1);
  CHECK(book.read(minute, 5000).resets_in == 65'001ms);
}

TEST_CASE("a lease is granted again under its name where there is no room for another") {
  LedgerBook book;
  for (const std::uint64_t name : {7U, 8U, 9U, 7U}) {
    CHECK(take(book, name, {minute}, 0).granted);
  }
  CHECK_FALSE(take(book, 10, {minute}, 0).granted);
  CHECK(book.read(minute, 0).used == 3);
}

TEST_CASE("a lease that died is a new one when it is asked for again") {
  LedgerBook book;
  CHECK(take(book, 7, {minute}, 0).granted);
  CHECK(take(book, 7, {minute}, 70'000).granted);
  CHECK(book.read(minute, 70'000).used == 1);
  CHECK(take(book, 7, {minute}, 70'001).granted);
  CHECK(book.read(minute, 70'001).used == 1);
  CHECK(book.read(minute, 140'001).used == 1);
  CHECK(book.read(minute, 140'002).used == 0);
}

TEST_CASE("a young store grants nothing until it is old enough") {
  LedgerBook book(1, 1000);
  const std::vector<Claim> claims{minute};
  const auto ask = [&](std::int64_t now) {
    return book.ask({.reservation = 7, .claims = claims, .lives_for = 10s, .fresh_for = 1min}, now);
  };
  const LedgerAnswer early = ask(21'000);
  CHECK_FALSE(early.granted);
  CHECK(early.refused_claim == 1);
  CHECK(early.retry_in == 40s);
  CHECK_FALSE(ask(60'999).granted);
  CHECK(ask(61'000).granted);
}

TEST_CASE("a limit smaller than one claim is refused without end") {
  LedgerBook book;
  Claim large = minute;
  large.units = 4;
  const LedgerAnswer answer = take(book, 1, {large}, 0);
  CHECK_FALSE(answer.granted);
  CHECK(answer.retry_in > 0ms);
}

TEST_CASE("who waits for requests of others to end asks again soon") {
  LedgerBook book;
  const Claim one{.place = "token=a", .limit = {.amount = 1, .scope = Scope::token, .unit = Unit::in_flight}};
  CHECK(take(book, 1, {one}, 0).granted);
  CHECK(take(book, 2, {one}, 0).retry_in == 20ms);
}

TEST_CASE("news are heard once") {
  LedgerBook book;
  const auto rest = [](const char* subject) {
    return std::vector<LedgerNews>{{.kind = LedgerNews::Kind::rest, .subject = subject, .left = 1min}};
  };
  const std::vector<LedgerNews> first = rest("token=a");
  const std::vector<LedgerNews> second = rest("token=b");
  const std::uint64_t heard = book.ask({.news = first}, 0).heard;
  CHECK(book.ask({.heard = heard}, 0).news.empty());
  book.ask({.news = second, .heard = heard}, 0);
  const LedgerAnswer answer = book.ask({.heard = heard}, 0);
  REQUIRE(answer.news.size() == 1);
  CHECK(answer.news[0].subject == "token=b");
}

TEST_CASE("of leases that ended before the store was emptied each counts") {
  LedgerBook book;
  const LedgerSpent once{.claim = minute, .expires_in = 30s};
  const std::vector<LedgerSpent> spent{once, once};
  book.ask({.spent = spent}, 0);
  CHECK(take(book, 7, {minute}, 0).granted);
  CHECK_FALSE(take(book, 8, {minute}, 0).granted);
}
