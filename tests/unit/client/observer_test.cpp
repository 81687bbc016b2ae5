#include "tokenpool/client/observer.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "scripted_client.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ScriptedClient;

namespace {

/// Notes every event in a word or two.
Observer noting(std::vector<std::string>& notes) {
  return {
      .on_attempt = [&](const AttemptEvent& event) { notes.push_back(std::to_string(event.attempt.status)); },
      .on_retry =
          [&](const RetryEvent& event) {
            notes.push_back("retry in " + std::to_string(event.wait / 1s) + " s");
          },
      .on_rest = [&](const RestEvent& event) { notes.push_back(event.token_id + " rests"); },
      .on_ejected = [&](const EjectedEvent& event) { notes.push_back(event.token_id + " ejected"); },
      .on_recovered = [&](const RecoveredEvent& event) { notes.push_back(event.token_id + " recovered"); },
      .on_exhausted = [&](const ExhaustedEvent& event) { notes.push_back("exhausted: " + event.reason); },
      .on_shared_limit =
          [&](const SharedLimitEvent& event) {
            notes.push_back("shared by " + std::string(to_string(event.scope)));
          },
      .on_warning = [&](const WarningEvent& event) { notes.push_back(event.text); }};
}

const std::string invalid_key = R"({"error": {"code": "invalid_api_key"}})";

}  // namespace

TEST_CASE("an observer hears what happened in its order") {
  std::vector<std::string> notes;
  ScriptedClient t(2, {.observer = noting(notes)});
  t.transport->answer(429, "{}", {{"Retry-After", "5"}})
      .answer(401, invalid_key)
      .answer(503, "{}", {{"Retry-After", "3"}})
      .answer(200);
  REQUIRE(t.get());
  CHECK(notes == std::vector<std::string>{"429", "t0 rests", "retry in 0 s", "401", "t1 ejected",
                                          "retry in 0 s", "503", "retry in 3 s", "200", "t0 recovered"});
}

TEST_CASE("an ejection is told once however often the token is met") {
  std::vector<std::string> notes;
  ScriptedClient t(2, {.observer = {.on_ejected = noting(notes).on_ejected}});
  t.transport->otherwise([](const testing::SentRequest& request) {
    return testing::Reply{.answer = request.token() == "sk-canary-0" ? Answer{401, {}, invalid_key}
                                                                     : Answer{200, {}, {}}};
  });
  for (int call = 0; call < 10; ++call) CHECK(t.get());
  CHECK(notes == std::vector<std::string>{"t0 ejected"});
}

TEST_CASE("a call that finds nothing available is told with the time to come back") {
  std::vector<std::string> notes;
  ScriptedClient t(1, {.limits = {Limit::per_token(1, 1h)}, .observer = noting(notes)});
  t.transport->answer(200);
  CHECK(t.get());
  CHECK_FALSE(t.get());
  CHECK(notes == std::vector<std::string>{"200", "exhausted: token t0 exhausted until 2024-01-01T01:00:00Z"});
}

TEST_CASE("an observer that throws harms nobody") {
  ScriptedClient t(2, {.observer = {.on_attempt = [](const AttemptEvent&) { throw std::runtime_error("no"); },
                                    .on_retry = [](const RetryEvent&) { throw 42; },
                                    .on_rest = [](const RestEvent&) { throw std::bad_alloc(); }}});
  t.transport->answer(429).answer(200);
  CHECK(t.get());
}

TEST_CASE("two observers hear all events and neither is harmed by the other") {
  std::vector<std::string> first;
  std::vector<std::string> second;
  Observer thrower = noting(first);
  thrower.on_rest = [](const RestEvent&) { throw std::runtime_error("no"); };
  thrower.on_recovered = {};
  ScriptedClient t(2, {.observer = both(thrower, noting(second))});
  t.transport->answer(429, "{}", {{"Retry-After", "5"}})
      .answer(401, invalid_key)
      .answer(503, "{}", {{"Retry-After", "3"}})
      .answer(200);
  REQUIRE(t.get());
  CHECK(first == std::vector<std::string>{"429", "retry in 0 s", "401", "t1 ejected", "retry in 0 s", "503",
                                          "retry in 3 s", "200"});
  CHECK(second == std::vector<std::string>{"429", "t0 rests", "retry in 0 s", "401", "t1 ejected",
                                           "retry in 0 s", "503", "retry in 3 s", "200", "t0 recovered"});
  const Observer all = both(noting(first), noting(second));
  first = second = {};
  all.on_exhausted({.reason = "all rest"});
  all.on_shared_limit({});
  all.on_warning({"look"});
  CHECK(first == std::vector<std::string>{"exhausted: all rest", "shared by egress", "look"});
  CHECK(second == first);
}

TEST_CASE("an observer may call back into its client") {
  std::unique_ptr<ScriptedClient<>> t;
  int rests = 0;
  t = std::make_unique<ScriptedClient<>>(2,
                                         ClientOptions{.observer = {.on_rest = [&](const RestEvent& event) {
                                                         ++rests;
                                                         CHECK(t->client->stats().pool.resting == 1);
                                                         t->client->pool().disable(event.token_id, "by hand");
                                                         CHECK(t->get());
                                                       }}});
  t->transport->answer(429).answer(200).answer(200);
  CHECK(t->get());
  CHECK(rests == 1);
  CHECK(t->client->stats().pool.disabled == 1);
}

TEST_CASE("a client may be destroyed by its own observer") {
  std::unique_ptr<ScriptedClient<>> t;
  t = std::make_unique<ScriptedClient<>>(
      1, ClientOptions{.observer = {.on_retry = [&](const RetryEvent&) { t->client.reset(); }}});
  t->transport->answer(503);
  const auto result = t->get();
  CHECK(result.error().code() == ErrorCode::cancelled);
  CHECK(result.error().attempts().size() == 1);
}

TEST_CASE("a call that is over when its client is destroyed keeps its answer") {
  std::unique_ptr<ScriptedClient<>> t;
  t = std::make_unique<ScriptedClient<>>(
      1, ClientOptions{.observer = {.on_attempt = [&](const AttemptEvent&) { t->client.reset(); }}});
  t->transport->answer(200, "kept");
  CHECK(t->get()->body == "kept");
}

TEST_CASE("an observer hears what a person changes") {
  std::vector<std::string> notes;
  ScriptedClient t(2, {.observer = {.on_changed = [&](const ChangedEvent& event) {
                         notes.push_back(event.token_id + " " + std::string(to_string(event.change)) +
                                         (event.reason.empty() ? "" : ": " + event.reason));
                       }}});
  auto& pool = t.client->pool();
  pool.add({.secret = "sk-canary-9", .id = "t9"});
  pool.disable("t0", "by hand");
  pool.enable("t0");
  pool.remove("t1");
  CHECK_FALSE(pool.remove("t1"));
  CHECK_FALSE(pool.disable("t1"));
  CHECK_FALSE(pool.enable("t1"));
  pool.replace({{.secret = "sk-canary-9", .id = "t9"}, {.secret = "sk-canary-5", .id = "t5"}});
  CHECK(notes == std::vector<std::string>{"t9 added", "t0 disabled: by hand", "t0 enabled", "t1 removed",
                                          "t0 removed", "t5 added"});
}

TEST_CASE("a listener of changes may change something itself and throw") {
  std::unique_ptr<ScriptedClient<>> t;
  t = std::make_unique<ScriptedClient<>>(
      2, ClientOptions{.observer = {.on_changed = [&](const ChangedEvent& event) {
                         if (event.change == TokenChange::disabled) t->client->pool().enable(event.token_id);
                         throw std::runtime_error("no");
                       }}});
  CHECK(t->client->pool().disable("t0"));
  CHECK(t->client->stats().pool.available == 2);
}

TEST_CASE("a pool without any usable token is told as exhausted without a time") {
  std::vector<std::string> notes;
  ScriptedClient t(1, {.observer = {.on_exhausted = [&](const ExhaustedEvent& event) {
                         notes.push_back(event.retry_at ? "later" : event.reason);
                       }}});
  t.client->pool().disable("t0", "at lunch");
  CHECK(t.get().error().code() == ErrorCode::no_tokens);
  t.client->pool().remove("t0");
  CHECK(t.get().error().code() == ErrorCode::no_tokens);
  CHECK(notes == std::vector<std::string>{"no token is left: all are ejected or disabled (t0 is disabled: at "
                                          "lunch); enable() brings one back",
                                          "no token is left: the pool is empty; add() puts one in"});
}

TEST_CASE("a recovery that a stream began with is told even if the caller's own code throws later") {
  std::vector<std::string> notes;
  bool throws = false;
  ScriptedClient t(1, {.observer = {.on_recovered = noting(notes).on_recovered},
                       .cost_of = [&](const Response&) -> std::optional<std::int64_t> {
                         if (throws) throw std::runtime_error("no");
                         return std::nullopt;
                       }});
  t.transport->answer(429, "{}", {{"Retry-After", "5"}}).answer(200, "{}");
  t.transport->otherwise([](const testing::SentRequest&) {
    return testing::Reply{
        .answer = {200, {{"Content-Type", "text/event-stream"}}, "data: 1\n\ndata: [DONE]\n\n"}};
  });
  REQUIRE(t.get());
  CHECK(notes == std::vector<std::string>{"t0 recovered"});
  t.transport->answer(429, "{}", {{"Retry-After", "5"}});
  CHECK_THROWS_WITH(t.client->stream(Request{.path = "/x"}, [&](const ServerSentEvent&) { throws = true; }),
                    "no");
  CHECK(notes == std::vector<std::string>{"t0 recovered", "t0 recovered"});
}
