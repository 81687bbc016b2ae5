// A remote ledger on paper: two clients that know nothing of each other share one limit and never go over it
// together; how their requests ended reaches the ledger with the next question.

#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch_compat.hpp"
#include "scripted_client.hpp"
#include "tokenpool/quota/ledger.hpp"
#include "tokenpool/testing/memory_ledger.hpp"

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
      if (!note.sent && granted.count(note.reservation) != 0) used.at(granted.at(note.reservation))--;
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

ClientOptions sharing(const std::shared_ptr<Ledger>& ledger) {
  return {.limits = {Limit::per_token(3, 1h)},
          .ledger = ledger,
          .ledger_options = {.republish_within = 0ms, .report_within = 1h}};
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

TEST_CASE("whatever a ledger throws ends the call and nothing else") {
  struct OddLedger final : Ledger {
    LedgerAnswer ask(const LedgerQuestion&) override { throw 5; }
    std::vector<LedgerCount> read(std::span<const Claim>) override { throw 5; }
  };
  ScriptedClient t(1, sharing(std::make_shared<OddLedger>()));
  CHECK(t.get().error().code() == ErrorCode::ledger);
  CHECK(t.client->stats().tokens.size() == 1);
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
  REQUIRE(ledger->heard.size() == 2);
  CHECK(ledger->heard[0].reservation == ledger->order[0]);
  CHECK_FALSE(ledger->heard[1].sent);
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

namespace {

/// A ledger in memory that can be out of reach.
class StoreRoom final : public Ledger {
 public:
  LedgerAnswer ask(const LedgerQuestion& question) override {
    if (down) throw Error(ErrorCode::ledger, "no way there");
    return memory.ask(question);
  }
  std::vector<LedgerCount> read(std::span<const Claim> places) override { return memory.read(places); }

  std::int64_t used(const std::string& token) {
    const Claim place{.place = "token=" + token, .limit = Limit::per_token(3, 1h)};
    return memory.read({&place, 1}).front().used;
  }

  testing::ManualClock clock;
  testing::MemoryLedger memory{[clock = clock] { return clock.now().steady; }};
  bool down = false;
};

/// Two clients of one store, with clocks of their own.
struct Neighbours {
  explicit Neighbours(std::size_t tokens, const ClientOptions& more = {},
                      std::chrono::milliseconds republish_within = 0ms)
      : one(tokens, with_store(more, republish_within)), other(tokens, with_store(more, republish_within)) {
    answer_all(one);
    answer_all(other);
  }

  ClientOptions with_store(ClientOptions more, std::chrono::milliseconds republish_within) const {
    more.limits = {Limit::per_token(3, 1h)};
    more.ledger = store;
    more.ledger_options.report_within = 1h;
    more.ledger_options.republish_within = republish_within;
    return more;
  }

  std::shared_ptr<StoreRoom> store = std::make_shared<StoreRoom>();
  ScriptedClient<> one;
  ScriptedClient<> other;
};

const testing::Reply too_fast{.answer = {429, {{"Retry-After", "60"}}, "{}"}};
const testing::Reply revoked{.answer = {401, {}, R"({"error":{"code":"invalid_api_key"}})"}};

TokenState state_of(ScriptedClient<>& t, std::size_t token) {
  return t.client->stats().tokens.at(token).state;
}

/// News travels at once, but on the ledger's own thread.
void wait_for_news(StoreRoom& store, std::size_t subjects) {
  for (int patience = 0; patience < 5000 && store.memory.ask({}).news.size() < subjects; ++patience) {
    std::this_thread::sleep_for(1ms);
  }
  REQUIRE(store.memory.ask({}).news.size() == subjects);
}

}  // namespace

TEST_CASE("what one client is refused the other does not ask for") {
  Neighbours n(2);
  n.one.transport->reply(too_fast);
  CHECK(n.one.get());
  CHECK(n.one.sent() == "0 1");
  wait_for_news(*n.store, 1);
  for (int call = 0; call < 2; ++call) CHECK(n.other.get());
  CHECK(n.other.sent() == "1 1");
  CHECK(state_of(n.other, 0) == TokenState::resting);
  CHECK(n.store->used("t0") == 1);
}

TEST_CASE("a token that one client found dead is dead for the other until a person brings it back") {
  Neighbours n(2);
  n.one.transport->reply(revoked);
  CHECK(n.one.get());
  wait_for_news(*n.store, 1);
  CHECK(n.other.get());
  CHECK(n.other.sent() == "1");
  CHECK(state_of(n.other, 0) == TokenState::ejected);
  CHECK(n.other.client->pool().enable("t0"));
  CHECK(n.other.get());
  CHECK(n.one.get());
  CHECK(state_of(n.one, 0) == TokenState::available);
}

TEST_CASE("each of two clients tells its observer once of what one of them learnt or a person did") {
  std::mutex mutex;
  std::map<std::string, int> told;
  std::unique_ptr<Neighbours> n;
  bool call_back = false;
  const auto note = [&](const std::string& news) {
    const std::lock_guard lock(mutex);
    ++told[news];
  };
  n = std::make_unique<Neighbours>(
      2, ClientOptions{.observer = {.on_ejected =
                                        [&](const EjectedEvent& event) {
                                          note(event.token_id + " ejected: " + event.reason);
                                          if (std::exchange(call_back, false)) CHECK(n->other.get());
                                        },
                                    .on_changed =
                                        [&](const ChangedEvent& event) {
                                          note(event.token_id + ' ' + std::string(to_string(event.change)));
                                        }}});
  n->one.transport->reply(revoked);
  CHECK(n->one.get());
  wait_for_news(*n->store, 1);
  call_back = true;
  CHECK(n->other.get());
  CHECK_FALSE(call_back);
  CHECK(n->other.client->pool().enable("t0"));
  CHECK(n->other.get());
  CHECK(n->one.get());
  n.reset();
  CHECK(told == std::map<std::string, int>{{"t0 ejected: credential refused (HTTP 401, invalid_api_key)", 2},
                                           {"t0 enabled", 2}});
}

TEST_CASE("a rest that ended with a success ends for the other client too") {
  Neighbours n(2);
  n.one.transport->reply(too_fast);
  CHECK(n.one.get());
  wait_for_news(*n.store, 1);
  CHECK(n.other.get());
  n.one.clock.advance(61s);
  for (int call = 0; call < 2; ++call) CHECK(n.one.get());
  CHECK(state_of(n.one, 0) == TokenState::available);
  for (int patience = 0; patience < 5000 && n.store->memory.ask({}).news[0].kind == LedgerNews::Kind::rest;
       ++patience) {
    std::this_thread::sleep_for(1ms);
  }
  CHECK(n.other.get());
  CHECK(state_of(n.other, 0) == TokenState::available);
}

TEST_CASE("of two clients one at a time tests whether a token has rested long enough") {
  Neighbours n(1);
  n.one.transport->reply(too_fast);
  CHECK_FALSE(n.one.get({.deadline = 10ms}));
  wait_for_news(*n.store, 1);
  CHECK_FALSE(n.other.get({.deadline = 10ms}));
  CHECK(n.other.transport->sent().empty());
  n.one.clock.advance(61s);
  n.other.clock.advance(61s);
  n.store->clock.advance(61s);
  n.one.transport->reply({.answer = {200, {}, "{}"}, .meanwhile = [&] {
                            CHECK_FALSE(n.other.get({.deadline = 10ms}));
                            CHECK(n.other.transport->sent().empty());
                          }});
  CHECK(n.one.get());
  CHECK(n.other.get());
}

TEST_CASE("clients with wrong clocks share a limit all the same") {
  Neighbours n(1);
  n.one.clock.set_wall(WallTime{});
  n.other.clock.advance(100h);
  for (int call = 0; call < 3; ++call) CHECK((call % 2 == 0 ? n.one : n.other).get());
  CHECK(n.one.get({.deadline = 10ms}).error().code() == ErrorCode::exhausted);
  CHECK(n.other.get({.deadline = 10ms}).error().code() == ErrorCode::exhausted);
  n.store->clock.advance(1h + 1s);
  n.one.clock.advance(1h + 1s);
  CHECK(n.one.get());
}

TEST_CASE("an emptied store is told what all have spent before it grants anything") {
  Neighbours n(1, {}, 2s);
  n.store->clock.advance(3s);
  CHECK(n.one.get());
  CHECK(n.one.get());
  CHECK(n.other.get());
  n.store->memory.empty();
  const auto refused = n.one.get({.deadline = 10ms});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::exhausted);
  CHECK_FALSE(n.other.get({.deadline = 10ms}));
  CHECK(n.store->used("t0") == 3);
  n.store->clock.advance(3s);
  n.one.clock.advance(3s);
  CHECK_FALSE(n.one.get({.deadline = 10ms}));
  CHECK(n.one.transport->sent().size() + n.other.transport->sent().size() == 3);
}

TEST_CASE("a store that is new grants nothing until all that the dead may have spent has expired") {
  ClientOptions options;
  options.ledger_options.on_fresh = OnFresh::wait_window;
  options.retry.max_wait = 24h;
  Neighbours n(1, options);
  CHECK(n.one.get({.deadline = 10ms}).error().code() == ErrorCode::exhausted);
  n.store->clock.advance(1h + 11min);
  n.one.clock.advance(1h + 11min);
  CHECK(n.one.get());
}

TEST_CASE("without its ledger a client goes on within its part and tells of it afterwards") {
  ClientOptions options;
  options.ledger_options.on_unavailable = OnUnavailable::local;
  options.ledger_options.processes = 3;
  Neighbours n(1, options);
  n.store->down = true;
  CHECK(n.one.get());
  CHECK(n.one.get({.deadline = 10ms}).error().code() == ErrorCode::exhausted);
  CHECK(n.store->used("t0") == 0);
  n.store->down = false;
  n.one.clock.advance(61min);
  CHECK(n.one.get());
  CHECK(n.store->used("t0") == 1);
}

TEST_CASE("what was spent without the ledger counts when it is back") {
  ClientOptions options;
  options.ledger_options.on_unavailable = OnUnavailable::local;
  options.ledger_options.processes = 1;
  Neighbours n(1, options);
  CHECK(n.one.get());
  n.store->down = true;
  CHECK(n.one.get());
  n.store->down = false;
  n.one.clock.advance(2s);
  CHECK(n.one.get());
  CHECK(n.store->used("t0") == 3);
  CHECK(n.other.get({.deadline = 10ms}).error().code() == ErrorCode::exhausted);
}

TEST_CASE("a snapshot shows what all have used") {
  Neighbours n(2);
  for (int call = 0; call < 3; ++call) CHECK(n.one.get());
  CHECK(n.other.get());
  const PoolSnapshot seen = n.other.client->stats();
  CHECK(seen.tokens.at(0).limits.at(0).used == 3);
  CHECK(seen.tokens.at(0).limits.at(0).resets_in > 59min);
  CHECK(seen.tokens.at(1).limits.at(0).used == 1);
}

TEST_CASE("a snapshot shows what all have used by account and by egress and in all") {
  ClientOptions options;
  options.tokens = test::canary_tokens(2);
  options.tokens[0].account = "acme";
  options.limits = {Limit::per_account(5, 1h), Limit::per_egress(7, 1h), Limit::per_pool(9, 1h),
                    Limit::per(Scope::token | Scope::account, 4, 1h)};
  options.egress = {{.id = "wire"}};
  options.ledger = std::make_shared<StoreRoom>();
  options.ledger_options.report_within = 1h;
  options.ledger_options.republish_within = 0ms;
  ScriptedClient<> one(2, options);
  ScriptedClient<> other(2, options);
  answer_all(one);
  for (int call = 0; call < 2; ++call) CHECK(one.get().value().status == 200);
  const PoolSnapshot seen = other.client->stats();
  const auto used = [](const auto& place, std::string_view scope) {
    for (const LimitUse& use : place.limits) {
      if (use.scope == scope) return use.used;
    }
    return std::int64_t{-1};
  };
  for (const TokenSnapshot& token : seen.tokens) CHECK(used(token, "token+account") == 1);
  REQUIRE(seen.accounts.size() == 1);
  CHECK(used(seen.accounts[0], "account") == 1);
  REQUIRE(seen.egresses.size() == 1);
  CHECK(used(seen.egresses[0], "egress") == 2);
  CHECK(used(seen.egresses[0], "pool") == 2);
}

TEST_CASE("a client that ends leaves nothing untold") {
  Neighbours n(1);
  CHECK_FALSE(n.one.client->try_send({.path = "https://other/x"}));
  CHECK(n.store->used("t0") == 1);
  n.one.client.reset();
  CHECK(n.store->used("t0") == 0);
}

TEST_CASE("local without the number of processes is refused") {
  ClientOptions options;
  options.ledger_options.on_unavailable = OnUnavailable::local;
  CHECK_THROWS_WITH(ScriptedClient<>(1, options), ContainsSubstring("ledger_options.processes is 0"));
}

TEST_CASE("a ledger without a bound on calls is refused") {
  ClientOptions options = sharing(std::make_shared<PaperLedger>());
  options.timeouts.total = 0s;
  CHECK_THROWS_WITH(ScriptedClient<>(1, options), ContainsSubstring("timeouts.total is 0"));
}
