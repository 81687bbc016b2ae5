// Alerts to a hook that is slow, broken, gone or well: each told once, and no call held up.

#include "tokenpool/alerts.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/calls.hpp"
#include "support/guests.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::http;
using test::ScriptedServer;
using test::Turn;

namespace {

const std::string invalid_key = R"({"error": {"code": "invalid_api_key", "message": "canary"}})";

/// Alerts that lose no time.
AlertOptions options_for(const std::string& origin, AlertOptions options = {}) {
  options.url = origin + "/services/canary?key=canary";
  options.headers.add("Authorization", "Bearer canary");
  options.hold = options.calm = 0ms;
  options.look_every = 5ms;
  options.backoff = {.first = 1ms, .max = 2ms};
  return options;
}

/// Waits until `done`, for as long as it takes a loaded machine.
template <class Condition>
bool in_time(Condition done) {
  for (int tries = 0; tries < 3000; ++tries) {
    if (done()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

/// The bodies that a hook was sent.
std::vector<nlohmann::json> alerts_at(const ScriptedServer& hook) {
  std::vector<nlohmann::json> alerts;
  for (const std::string& request : hook.requests()) {
    alerts.push_back(nlohmann::json::parse(test::body_in(request)));
    CHECK_THAT(alerts.back().dump(), !ContainsSubstring("canary"));
  }
  return alerts;
}

const EjectedEvent ejected{.token_id = "t0", .cause = Verdict::token_invalid, .reason = "key revoked"};

}  // namespace

TEST_CASE("a hook hears of ejection and floor and exhaustion once each") {
  const ScriptedServer hook;
  const ScriptedServer api({{http(401, invalid_key)}, {http(401, invalid_key)}, {http(200)}});
  int heard = 0;
  Alerts alerts(options_for(hook.origin(), {.name = "billing", .floor = 2, .calm = 1h}));
  Client<> client(test::options_for(
      api, {.limits = {Limit::per_token(1, 1h)},
            .observer = alerts.observer({.on_ejected = [&](const EjectedEvent&) { ++heard; }})}));
  alerts.watch(client);
  CHECK(client.try_send(test::post()));
  for (int call = 0; call < 20; ++call) CHECK_FALSE(client.try_send(test::post()));
  CHECK(in_time([&] { return alerts.counts().delivered >= 4; }));
  std::this_thread::sleep_for(50ms);  // several looks at the pool, none of which has news

  std::multiset<std::string> kinds;
  for (const nlohmann::json& alert : alerts_at(hook)) {
    kinds.insert(alert.at("kind"));
    CHECK(alert.at("name") == "billing");
    CHECK_THAT(alert.at("text").get<std::string>(), test::StartsWith("billing: "));
    CHECK(alert.at("at").get<std::string>().size() == std::string("2026-01-01T00:00:00Z").size());
  }
  CHECK(kinds == std::multiset<std::string>{"below_floor", "exhausted", "token_ejected", "token_ejected"});
  CHECK(heard == 2);
  for (const std::string& request : hook.requests()) {
    CHECK_THAT(request, test::StartsWith("POST /services/canary?key=canary HTTP/1.1\r\n"));
    CHECK_THAT(request, ContainsSubstring("Authorization: Bearer canary\r\n"));
    CHECK_THAT(request, ContainsSubstring("Content-Type: application/json\r\n"));
  }
}

TEST_CASE("a pool that recovers above its floor is told") {
  const ScriptedServer hook;
  Alerts alerts(options_for(hook.origin(), {.floor = 3}));
  Client<> client(test::options_for("http://127.0.0.1:1"));
  const std::string id = client.stats().tokens[0].id;
  client.pool().disable(id);
  alerts.watch(client);
  REQUIRE(in_time([&] { return alerts.counts().delivered == 1; }));
  client.pool().enable(id);
  REQUIRE(in_time([&] { return alerts.counts().delivered == 2; }));
  CHECK(alerts_at(hook)[0].at("kind") == "below_floor");
  CHECK(alerts_at(hook)[1].at("kind") == "above_floor");
}

TEST_CASE("an alert is tried again until a hook that is down takes it") {
  const ScriptedServer hook({{http(503)}, {.then = Turn::Then::reset}, {http(429)}, {http(204, "")}});
  const Alerts alerts(options_for(hook.origin()));
  alerts.observer().on_ejected(ejected);
  CHECK(in_time([&] { return alerts.counts().delivered == 1; }));
  CHECK(hook.requests().size() == 4);
  CHECK(alerts.counts().failed == 0);
  CHECK(alerts.counts().last_problem == "the hook answered 429");
}

TEST_CASE("an alert that a hook refuses is not repeated and the next one goes on") {
  const ScriptedServer hook({{http(404, "no canary here")}, {http(200)}});
  const Alerts alerts(options_for(hook.origin()));
  alerts.observer().on_ejected(ejected);
  alerts.observer().on_exhausted({.reason = "all rest"});
  CHECK(in_time([&] { return alerts.counts().delivered == 1; }));
  CHECK(alerts.counts().failed == 1);
  CHECK(alerts.counts().last_problem == "the hook answered 404");
  CHECK(alerts_at(hook).back().at("kind") == "exhausted");
}

TEST_CASE("a hook that asks for more time than an alert has is not asked again") {
  const ScriptedServer hook({{http(429, "{}", "Retry-After: 3600\r\n")}});
  const Alerts alerts(options_for(hook.origin()));
  alerts.observer().on_ejected(ejected);
  CHECK(in_time([&] { return alerts.counts().failed == 1; }));
  CHECK(hook.requests().size() == 1);
}

TEST_CASE("alerts may be let go by the thread that they have") {
  struct Source {
    StatsSource source{};
    StatsSource stats_source() const { return source; }
  };
  auto last =
      std::make_shared<std::unique_ptr<Alerts>>(std::make_unique<Alerts>(options_for("http://127.0.0.1:1")));
  std::atomic<bool> let_go{false};
  (*last)->watch(Source{[&, last] {
    last->reset();
    let_go = true;
    return std::optional<PoolSnapshot>();
  }});
  CHECK(in_time([&] { return let_go.load(); }));
}

TEST_CASE("what is never taken is given up and counted and shows nothing of the hook") {
  const Alerts alerts(
      options_for("http://127.0.0.1:" + std::to_string(test::free_port()), {.give_up = 100ms}));
  alerts.observer().on_ejected(ejected);
  CHECK(in_time([&] { return alerts.counts().failed == 1; }));
  CHECK(alerts.counts().last_problem == "no connection to the hook");
}

TEST_CASE("a hook that hangs delays no call and no end and costs no memory") {
  const ScriptedServer hook({{.then = Turn::Then::stall}, {.then = Turn::Then::stall}});
  const ScriptedServer api;
  const auto begin = std::chrono::steady_clock::now();
  AlertCounts counts;
  {
    const Alerts alerts(options_for(hook.origin(), {.timeout = 1h, .max_queued = 3, .flush = 50ms}));
    Client<> client(test::options_for(api, {.observer = alerts.observer()}));
    for (int call = 0; call < 5; ++call) {
      alerts.observer().on_ejected({.token_id = "t" + std::to_string(call)});
      CHECK(client.try_send(test::post()));
    }
    counts = alerts.counts();
  }
  CHECK(std::chrono::steady_clock::now() - begin < 30s);  // the hook would have held for an hour
  CHECK(counts.queued == 3);
  CHECK(counts.dropped == 2);
}

TEST_CASE("what is queued at the end is still delivered if that is quick") {
  const ScriptedServer hook;
  {
    const Alerts alerts(options_for(hook.origin(), {.flush = 30s}));
    const Observer observer = alerts.observer();
    for (int token = 0; token < 5; ++token) observer.on_ejected({.token_id = "t" + std::to_string(token)});
  }
  CHECK(alerts_at(hook).size() == 5);
}

TEST_CASE("alerts may go before their client and an observer then only passes on") {
  const ScriptedServer hook;
  int heard = 0;
  Observer observer;
  {
    Client<> client(test::options_for("http://127.0.0.1:1"));
    Alerts alerts(options_for(hook.origin(), {.floor = 1}));
    alerts.watch(client);
    observer = alerts.observer({.on_ejected = [&](const EjectedEvent&) { ++heard; }});
  }
  observer.on_ejected(ejected);
  CHECK(heard == 1);
  CHECK(hook.requests().empty());
}

TEST_CASE("a forked child has nothing to say and ends at once") {
  const ScriptedServer hook;
  auto alerts = std::make_unique<Alerts>(options_for(hook.origin()));
  const pid_t child = ::fork();
  if (child == 0) {
    alerts->observer().on_ejected(ejected);
    alerts.reset();
    ::_exit(0);
  }
  int status = -1;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  alerts->observer().on_exhausted({});
  CHECK(in_time([&] { return alerts->counts().delivered == 1; }));
  CHECK(hook.requests().size() == 1);
}
