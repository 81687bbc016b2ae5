#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "scripted_client.hpp"
#include "tokenpool/testing/memory_ledger.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ScriptedClient;

namespace {

/// "t1 rests: ..., t2 disabled: ..."
std::string told(const Attempt& attempt) {
  std::string text;
  for (const Skipped& skipped : attempt.skipped) {
    text += (text.empty() ? "" : " | ") + skipped.token_id + " " + skipped.reason;
  }
  return text;
}

/// The attempt's own token and each that was passed over, sorted: every token once.
std::vector<std::string> all_of(const Attempt& attempt) {
  std::vector<std::string> ids{attempt.token_id};
  for (const Skipped& skipped : attempt.skipped) {
    CHECK_FALSE(skipped.reason.empty());
    ids.push_back(skipped.token_id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

const std::vector<std::string> three{"t0", "t1", "t2"};

}  // namespace

TEST_CASE("an attempt tells which tokens were passed over and why when asked to") {
  const Classification other_token{.verdict = Verdict::forbidden, .try_another_token = true};
  ScriptedClient t(6, {.limits = {Limit::per_token(1, 1h)},
                       .classify = {[&](const Answer& answer, WallTime) {
                         return answer.status == 403 ? std::optional(other_token) : std::nullopt;
                       }},
                       .explain = true});
  t.client->pool().disable("t4", "by hand");
  t.transport->answer(429, "{}", {{"Retry-After", "60"}})
      .answer(401, R"({"error": {"code": "invalid_api_key"}})")
      .answer(200)
      .answer(403)
      .answer(200);
  const auto first = t.get();
  REQUIRE(first);
  CHECK(told(first->attempts[0]) ==
        "t1 the policy chose another | t2 the policy chose another | t3 the policy chose another | "
        "t4 disabled: by hand | t5 the policy chose another");
  const auto second = t.get();
  REQUIRE(second);
  const std::string last = told(second->attempts[1]);
  CHECK(last.find("t0 rests: ") != std::string::npos);
  CHECK(last.find("t1 ejected: ") != std::string::npos);
  CHECK(last.find("t2 limit reached") != std::string::npos);
  CHECK(last.find("t3 asked by this call before") != std::string::npos);
  CHECK(second->attempts[1].token_id == "t5");
}

TEST_CASE("nothing is explained unless asked for") {
  ScriptedClient t(3);
  t.transport->answer(429).answer(200);
  const auto result = t.get();
  REQUIRE(result);
  for (const Attempt& attempt : result->attempts) CHECK(attempt.skipped.empty());
}

TEST_CASE("a call that waited is explained by what was so when it was served") {
  ScriptedClient t(2, {.explain = true});
  t.client->pool().disable("t1", "by hand");
  t.transport->answer(429, "{}", {{"Retry-After", "5"}}).answer(200);
  const auto result = t.get();
  REQUIRE(result);
  CHECK(result->attempts[1].token_id == "t0");
  CHECK(told(result->attempts[1]) == "t1 disabled: by hand");
}

TEST_CASE("every token has one reason in each attempt of a stream and with a shared ledger") {
  const bool shared = GENERATE(false, true);
  ScriptedClient t(
      3, {.limits = {Limit::per_token(5, 1h)},
          .ledger = shared ? std::make_shared<testing::MemoryLedger>([] { return SteadyTime{1h}; }) : nullptr,
          .ledger_options = {.republish_within = 0ms},
          .explain = true});
  t.transport->answer(429, "{}", {{"Retry-After", "60"}})
      .answer(401, R"({"error": {"code": "invalid_api_key"}})")
      .answer(200, "data: [DONE]\n\n", {{"Content-Type", "text/event-stream"}});
  const Response reply = t.client->stream(Request{.path = "/x"}, [](const ServerSentEvent&) {});
  REQUIRE(reply.attempts.size() == 3);
  for (const Attempt& attempt : reply.attempts) CHECK(all_of(attempt) == three);
}

TEST_CASE("a token kept back by a guess whose limit it was is explained by that") {
  ScriptedClient t(5, {.explain = true});
  t.transport->answer(200);
  REQUIRE(t.get());
  for (int refusal = 0; refusal < 3; ++refusal) t.transport->answer(429);
  t.transport->answer(200);
  const auto result = t.get();
  REQUIRE(result);
  const Attempt& test = result->attempts.back();
  CHECK(test.token_id == "t0");
  const std::string refused = " refused here, by a limit that may be shared | ";
  CHECK(told(test) ==
        "t1" + refused + "t2" + refused + "t3" + refused + "t4 another tests whether the limit was its own");
}

TEST_CASE("a token whose room is kept for an earlier call is explained by that") {
  const auto limit = [](std::int64_t amount) {
    return std::vector<Limit>{{.amount = amount, .window = 1h, .scope = Scope::token, .unit = Unit::cost}};
  };
  std::vector<Token> tokens = test::canary_tokens(2);
  tokens[0].limits = limit(10);
  tokens[1].limits = limit(5);
  ScriptedClient t(0, {.tokens = tokens, .explain = true});
  t.transport->answer(200);
  REQUIRE(t.get({.cost = 5}));
  struct Bell final : Wakeable {
    void wake() noexcept override {}
  };
  Waiter earlier{.request = {.cost = 8}, .wakeable = std::make_shared<Bell>()};
  NotUntil refusal;
  REQUIRE_FALSE(t.client->pool().acquire_or_join(earlier, t.clock.now(), refusal));
  t.transport->answer(200);
  const auto result = t.get({.cost = 3});
  REQUIRE(result);
  CHECK(result->attempts[0].token_id == "t1");
  CHECK(told(result->attempts[0]) == "t0 kept for a call that came earlier");
  static_cast<void>(t.client->pool().leave(earlier));
}

TEST_CASE("no more calls wait than max_waiting") {
  std::unique_ptr<ScriptedClient<>> t;
  t = std::make_unique<ScriptedClient<>>(
      1, ClientOptions{.limits = {{.amount = 1, .scope = Scope::token, .unit = Unit::in_flight}},
                       .max_waiting = 1});
  // While the only token is in use one stranger waits in the queue; the next call finds it full.
  struct Bell final : Wakeable {
    void wake() noexcept override {}
  };
  Waiter stranger{.request = {}, .wakeable = std::make_shared<Bell>()};
  ErrorCode code{};
  t->transport->reply({.answer = {200, {}, "first"}, .meanwhile = [&] {
                         NotUntil refusal;
                         CHECK_FALSE(t->client->pool().acquire_or_join(stranger, t->clock.now(), refusal));
                         const auto refused = t->get();
                         code = refused.error().code();
                         CHECK_THAT(refused.error().what(), test::ContainsSubstring("1 calls wait already"));
                       }});
  CHECK(t->get()->body == "first");
  CHECK(code == ErrorCode::exhausted);
  CHECK(t->client->pool().leave(stranger).has_value());
}
