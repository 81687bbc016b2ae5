// A remote ledger on paper: two clients that know nothing of each other share one limit and never go over it
// together; how their requests ended reaches the ledger with the next question.

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "scripted_client.hpp"
#include "tokenpool/quota/ledger.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::ScriptedClient;

namespace {

/// Counts what was granted in each place, for ever.
class PaperLedger final : public Ledger {
 public:
  LedgerAnswer ask(const LedgerQuestion& question) override {
    if (down) throw std::runtime_error("connection refused");
    ++questions;
    for (const LedgerNote& note : question.notes) {
      heard.push_back(note);
      if (!note.sent) used.at(granted.at(note.reservation))--;
    }
    const auto& claims = question.claims;
    for (std::size_t i = 0; i < claims.size(); ++i) {
      if (used[claims[i].place] + claims[i].units > claims[i].limit.amount) {
        return {.granted = false, .refused_claim = i, .retry_in = retry_in, .epoch = 1};
      }
    }
    for (const Claim& claim : claims) used[claim.place] += claim.units;
    granted[question.reservation] = claims.empty() ? "" : claims.front().place;
    order.push_back(question.reservation);
    return {.epoch = 1};
  }

  std::vector<LedgerCount> read(std::span<const Claim> places) override {
    return std::vector<LedgerCount>(places.size());
  }

  bool down = false;
  std::chrono::milliseconds retry_in = 1h;
  int questions = 0;
  std::vector<std::uint64_t> order;
  std::map<std::string, std::int64_t> used;
  std::map<std::uint64_t, std::string> granted;
  std::vector<LedgerNote> heard;
};

ClientOptions sharing(const std::shared_ptr<PaperLedger>& ledger) {
  return {.limits = {Limit::per_token(3, 1h)}, .ledger = ledger};
}

void answer_all(ScriptedClient<>& t) {
  t.transport->otherwise([](const testing::SentRequest&) {
    return testing::Reply{.answer = {200, {}, "{}"}};
  });
}

}  // namespace

TEST_CASE("two clients with one ledger are never over the limit together") {
  const auto ledger = std::make_shared<PaperLedger>();
  ScriptedClient one(2, sharing(ledger));
  ScriptedClient other(2, sharing(ledger));
  answer_all(one);
  answer_all(other);
  int answered = 0;
  for (int round = 0; round < 5; ++round) {
    answered += one.get() ? 1 : 0;
    answered += other.get() ? 1 : 0;
  }
  CHECK(answered == 6);
  CHECK(one.transport->sent().size() + other.transport->sent().size() == 6);
  const auto refused = other.get();
  CHECK(refused.error().code() == ErrorCode::exhausted);
  CHECK(refused.error().retry_at().has_value());
}

TEST_CASE("a ledger is told places by id and never a secret") {
  const auto ledger = std::make_shared<PaperLedger>();
  ScriptedClient t(1, sharing(ledger));
  answer_all(t);
  CHECK(t.get());
  CHECK(ledger->used == std::map<std::string, std::int64_t>{{"token=t0", 1}});
}

TEST_CASE("how a request ended rides along with the next question") {
  const auto ledger = std::make_shared<PaperLedger>();
  ClientOptions options = sharing(ledger);
  options.cost_of = [](const Response&) { return 7; };
  ScriptedClient t(1, options);
  t.transport->answer(200).fail(FailureKind::connect).answer(200);
  CHECK(t.get({.cost = 5}));
  CHECK(ledger->heard.empty());
  CHECK(t.get({.cost = 5}));
  CHECK(ledger->questions == 3);
  REQUIRE(ledger->heard.size() == 2);
  CHECK(ledger->heard[0].reservation == ledger->order[0]);
  CHECK(ledger->heard[0].sent);
  CHECK(ledger->heard[0].cost == 7);
  CHECK(ledger->heard[1].reservation == ledger->order[1]);
  CHECK_FALSE(ledger->heard[1].sent);
  CHECK_FALSE(ledger->heard[1].cost.has_value());
}

TEST_CASE("a request that never went out is given back to the ledger") {
  const auto ledger = std::make_shared<PaperLedger>();
  ScriptedClient t(1, sharing(ledger));
  answer_all(t);
  CHECK_FALSE(t.client->try_send({.path = "https://other/x"}));
  CHECK(ledger->used["token=t0"] == 1);
  for (int call = 0; call < 3; ++call) CHECK(t.get());
  CHECK(ledger->used["token=t0"] == 3);
}

TEST_CASE("a ledger that cannot be asked ends the call and keeps the notes") {
  const auto ledger = std::make_shared<PaperLedger>();
  ScriptedClient t(1, sharing(ledger));
  answer_all(t);
  CHECK(t.get());
  ledger->down = true;
  const auto result = t.get();
  CHECK(result.error().code() == ErrorCode::ledger);
  CHECK_THAT(result.error().what(), ContainsSubstring("the ledger could not be asked: connection refused"));
  CHECK(t.transport->sent().size() == 1);
  ledger->down = false;
  CHECK(t.get());
  REQUIRE(ledger->heard.size() == 1);
  CHECK(ledger->heard[0].reservation == ledger->order[0]);
}

TEST_CASE("a refusal that says no time is not asked again without end") {
  const auto ledger = std::make_shared<PaperLedger>();
  ledger->retry_in = 0ms;
  ScriptedClient t(1, sharing(ledger));
  answer_all(t);
  for (int call = 0; call < 3; ++call) CHECK(t.get());
  CHECK(t.get({.deadline = 10ms}).error().code() == ErrorCode::exhausted);
  CHECK(ledger->questions <= 3 + 11);
}

TEST_CASE("a code that throws in the middle counts in the ledger") {
  const auto ledger = std::make_shared<PaperLedger>();
  ClientOptions options = sharing(ledger);
  options.cost_of = [first = true](const Response&) mutable -> std::optional<std::int64_t> {
    if (std::exchange(first, false)) throw std::domain_error("mine");
    return std::nullopt;
  };
  ScriptedClient t(1, options);
  answer_all(t);
  CHECK_THROWS_AS(t.get(), std::domain_error);
  CHECK(t.get());
  REQUIRE(ledger->heard.size() == 1);
  CHECK(ledger->heard[0].sent);
}
