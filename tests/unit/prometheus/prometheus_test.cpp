#include "tokenpool/prometheus.hpp"

#include <prometheus/text_serializer.h>

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "../client/scripted_client.hpp"
#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::ScriptedClient;

namespace {

/// What a server that scrapes reads.
std::string text_of(const prometheus::Collectable& collectable) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, collectable.Collect());
  return text.str();
}

/// The value of one series, as it is written; nothing when it is not there.
std::optional<std::string> value_of(const std::string& text, const std::string& series) {
  const std::size_t at = ("\n" + text).find("\n" + series + " ");
  if (at == std::string::npos) return std::nullopt;
  const std::size_t value = at + series.size() + 1;
  return text.substr(value, text.find('\n', value) - value);
}

std::optional<std::string> value_of(const prometheus::Collectable& collectable, const std::string& series) {
  return value_of(text_of(collectable), series);
}

/// Shows the snapshots that a test makes.
struct Shown {
  PoolSnapshot snapshot{};
  PoolCollectable metrics{};

  Shown() {
    metrics.add([this] { return std::optional(snapshot); });
  }
};

TokenSnapshot counted(const std::string& id, std::uint64_t successes,
                      TokenState state = TokenState::available) {
  return {{.id = id, .state = state, .successes = successes}};
}

const std::string successes_of_a = R"(tokenpool_token_requests_total{token="a",outcome="success"})";

}  // namespace

TEST_CASE("a scrape shows state and rest and counts of each token and egress") {
  ScriptedClient t(2);
  t.transport->answer(429, "{}", {{"Retry-After", "5"}}).answer(200);
  REQUIRE(t.get());
  const std::string text = text_of(PoolCollectable(*t.client));
  CHECK(value_of(text, R"(tokenpool_tokens{state="available"})") == "1");
  CHECK(value_of(text, R"(tokenpool_token_state{token="t0",state="resting"})") == "1");
  CHECK(value_of(text, R"(tokenpool_token_state{token="t0",state="available"})") == "0");
  CHECK(value_of(text, R"(tokenpool_token_rest_seconds{token="t0"})") == "5");
  CHECK_FALSE(value_of(text, R"(tokenpool_token_rest_seconds{token="t1"})"));
  CHECK(value_of(text, R"(tokenpool_token_requests_total{token="t0",outcome="rate_limited"})") == "1");
  CHECK(value_of(text, R"(tokenpool_egress_requests_total{egress="default",outcome="success"})") == "1");
  CHECK(value_of(text, R"(tokenpool_egress_state{egress="default",state="available"})") == "1");
  CHECK(value_of(text, R"(tokenpool_requests_total{outcome="success"})") == "1");
  CHECK(value_of(text, "tokenpool_waiting_calls") == "0");
}

TEST_CASE("a scrape shows how much of each limit is used where it counts") {
  ClientOptions options{.tokens = {{.secret = "sk-canary-0", .id = "t0", .account = "company"}},
                        .limits = {Limit::per_token(5, 24h), Limit::per_account(7, 1500ms),
                                   Limit::per_egress(8, 50ms), Limit::per_pool(9, 1min)},
                        .egress = {{.id = "here"}, {.id = "there"}}};
  options.limits.push_back({.amount = 2, .scope = Scope::token, .unit = Unit::in_flight});
  ScriptedClient t(1, options);
  t.transport->answer(200);
  REQUIRE(t.get());
  const std::string text = text_of(PoolCollectable(*t.client));
  const std::string used = "tokenpool_limit_used{";
  CHECK(value_of(text, used + R"(token="t0",scope="token",unit="requests",window="86400s"})") == "1");
  CHECK(value_of(text, used + R"(token="t0",scope="token",unit="in_flight"})") == "0");
  CHECK(value_of(text, used + R"(account="company",scope="account",unit="requests",window="1.5s"})") == "1");
  CHECK(value_of(text, used + R"(egress="there",scope="egress",unit="requests",window="0.05s"})") == "0");
  CHECK(value_of(text, used + R"(scope="pool",unit="requests",window="60s"})") == "1");
  CHECK(value_of(text, R"(tokenpool_limit_amount{scope="pool",unit="requests",window="60s"})") == "9");
  CHECK(value_of(text, R"(tokenpool_token_info{token="t0",account="company"})") == "1");
}

TEST_CASE("a scrape shows how long answers and calls took") {
  Shown t;
  t.snapshot.tokens = {counted("a", 4), counted("new", 0)};
  UsageSnapshot& a = t.snapshot.tokens[0];
  a.p50 = 100ms;
  a.p95 = a.p99 = 1500ms;
  a.latency_total = 1800ms;
  t.snapshot.pool.waits = {.count = 2, .total = 250ms};
  const std::string text = text_of(t.metrics);
  CHECK(value_of(text, R"(tokenpool_token_latency_seconds{token="a",quantile="0.5"})") == "0.1");
  CHECK(value_of(text, R"(tokenpool_token_latency_seconds{token="a",quantile="0.99"})") == "1.5");
  CHECK(value_of(text, R"(tokenpool_token_latency_seconds_sum{token="a"})") == "1.8");
  CHECK(value_of(text, R"(tokenpool_token_latency_seconds_count{token="a"})") == "4");
  CHECK(value_of(text, R"(tokenpool_token_latency_seconds_count{token="new"})") == "0");
  CHECK_FALSE(value_of(text, R"(tokenpool_token_latency_seconds{token="new",quantile="0.5"})"));
  CHECK(value_of(text, "tokenpool_wait_seconds_sum") == "0.25");
  CHECK(value_of(text, "tokenpool_wait_seconds_count") == "2");
}

TEST_CASE("of two limits that count alike a scrape shows the stricter one") {
  Shown t;
  t.snapshot.tokens = {counted("a", 0)};
  t.snapshot.tokens[0].limits = {{.scope = "token", .amount = 150, .used = 3, .window = 1s},
                                 {.scope = "token", .amount = 100, .used = 3, .window = 1s}};
  CHECK(value_of(t.metrics,
                 R"(tokenpool_limit_amount{token="a",scope="token",unit="requests",window="1s"})") == "100");
}

TEST_CASE("counts go on when a token was removed and added again") {
  Shown t;
  t.snapshot.tokens = {counted("a", 10), counted("b", 1)};
  CHECK(value_of(t.metrics, successes_of_a) == "10");
  t.snapshot.tokens = {counted("b", 1)};
  CHECK_FALSE(value_of(t.metrics, successes_of_a));
  t.snapshot.tokens = {counted("a", 2), counted("b", 1)};
  CHECK(value_of(t.metrics, successes_of_a) == "12");
  t.snapshot.tokens[0].successes = 3;
  CHECK(value_of(t.metrics, successes_of_a) == "13");
}

TEST_CASE("a removed token with requests under way gives way to its successor of the same id") {
  Shown t;
  t.snapshot.tokens = {counted("a", 10, TokenState::draining)};
  CHECK(value_of(t.metrics, successes_of_a) == "10");
  t.snapshot.tokens = {counted("a", 10, TokenState::draining), counted("a", 1)};
  const std::string text = text_of(t.metrics);
  CHECK(value_of(text, successes_of_a) == "11");
  CHECK(value_of(text, R"(tokenpool_token_state{token="a",state="available"})") == "1");
  CHECK(value_of(text, R"(tokenpool_tokens{state="draining"})") == "1");
  CHECK(text.find(successes_of_a) == text.rfind(successes_of_a));
}

TEST_CASE("a client that is gone is shown no more and a scrape under way outlives it") {
  auto t = std::make_unique<ScriptedClient<>>(1);
  const StatsSource source = t->client->stats_source();
  const PoolCollectable metrics(*t->client);
  CHECK_FALSE(metrics.Collect().empty());
  t.reset();
  CHECK_FALSE(source());
  CHECK(metrics.Collect().empty());
}

TEST_CASE("several pools are told apart by a label") {
  Shown t;
  t.snapshot.tokens = {counted("a", 1)};
  t.metrics.add([] { return PoolSnapshot{.tokens = {counted("a", 5)}}; }, "other");
  CHECK(value_of(t.metrics, successes_of_a) == "1");
  CHECK(value_of(t.metrics, R"(tokenpool_token_requests_total{pool="other",token="a",outcome="success"})") ==
        "5");
}

TEST_CASE("ids that are no UTF-8 or equal without it cost no scrape") {
  Shown t;
  t.snapshot.tokens = {counted("\xE9", 1), counted("\xE8", 2)};
  CHECK(value_of(t.metrics, R"(tokenpool_token_requests_total{token="?",outcome="success"})") == "1");
}

TEST_CASE("events are counted by token and verdict and class of status") {
  const AttemptMetrics metrics;
  ScriptedClient t(2, {.observer = metrics.observer()});
  t.transport->answer(429, "{}", {{"Retry-After", "5"}})
      .answer(401, R"({"error": {"code": "invalid_api_key"}})")
      .answer(503)
      .answer(200);
  REQUIRE(t.get());
  t.client->pool().disable("t0");
  CHECK_FALSE(t.get());
  const std::string text = text_of(metrics);
  const std::string attempts = "tokenpool_attempts_total{";
  CHECK(value_of(text, attempts + R"(status="4xx",token="t0",verdict="rate_limited"})") == "1");
  CHECK(value_of(text, attempts + R"(status="4xx",token="t1",verdict="token_invalid"})") == "1");
  CHECK(value_of(text, attempts + R"(status="5xx",token="t0",verdict="server_error"})") == "1");
  CHECK(value_of(text, attempts + R"(status="2xx",token="t0",verdict="success"})") == "1");
  CHECK(value_of(text, R"(tokenpool_retries_total{verdict="rate_limited"})") == "1");
  CHECK(value_of(text, R"(tokenpool_rests_total{scope="token",verdict="rate_limited"})") == "1");
  CHECK(value_of(text, R"(tokenpool_ejections_total{verdict="token_invalid"})") == "1");
  CHECK(value_of(text, "tokenpool_exhausted_calls_total") == "1");
  CHECK(value_of(text, "tokenpool_attempt_duration_seconds_count") == "4");
  CHECK(value_of(text, "tokenpool_attempt_wait_seconds_count") == "4");
}

TEST_CASE("calls that end exhausted and shared limits are counted") {
  const AttemptMetrics metrics;
  ScriptedClient t(3, {.retry = {.max_wait = 0ms}, .observer = metrics.observer()});
  for (int token = 0; token < 3; ++token) t.transport->answer(429, "{}", {{"Retry-After", "5"}});
  CHECK_FALSE(t.get());
  CHECK_FALSE(t.get());
  const std::string text = text_of(metrics);
  CHECK(value_of(text, "tokenpool_exhausted_calls_total") == "2");
  CHECK(value_of(text, R"(tokenpool_shared_limits_total{scope="egress"})") == "1");
}

TEST_CASE("an observer that counts passes on what it hears and outlives the metrics") {
  int attempts = 0;
  int warnings = 0;
  Observer observer;
  {
    const AttemptMetrics metrics;
    observer = metrics.observer({.on_attempt = [&](const AttemptEvent&) { ++attempts; },
                                 .on_warning = [&](const WarningEvent&) { ++warnings; }},
                                "batch");
    observer.on_attempt({Attempt{.token_id = "a", .status = 999}});
    CHECK(value_of(metrics,
                   R"(tokenpool_attempts_total{pool="batch",status="other",token="a",verdict="success"})") ==
          "1");
  }
  observer.on_attempt({Attempt{.token_id = "a"}});
  observer.on_warning({"look"});
  observer.on_exhausted({});
  CHECK(attempts == 2);
  CHECK(warnings == 1);
}

TEST_CASE("no metric shows a secret or what a server or a caller wrote") {
  const AttemptMetrics metrics;
  ScriptedClient t(2, {.observer = metrics.observer()});
  const std::string body = R"({"error": {"message": "sk-canary-0 canary"}})";
  t.transport->answer(429, body, {{"X-Echo", "canary"}, {"RateLimit-Policy", "\"canary\";q=5;w=60"}})
      .answer(401, body)
      .answer(418, body);
  const auto result = t.client->try_send(
      make_request("POST", "/canary", "canary", {.query = {{"canary", "canary"}}, .bucket = "canary"}));
  static_cast<void>(result);
  CHECK_THAT(text_of(PoolCollectable(*t.client)) + text_of(metrics),
             !ContainsSubstring(std::string(test::canary)));
}
