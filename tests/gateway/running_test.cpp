// The gateway at work: who is let in, what is read anew, how it ends.

#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "catch_compat.hpp"
#include "support/running_gateway.hpp"
#include "support/scripted_server.hpp"

using namespace std::chrono_literals;
using namespace test;
using nlohmann::json;

namespace {

const std::string as_json = "Content-Type: application/json\r\n";

std::string state_of(const json& pool, const std::string& id) {
  for (const json& token : pool.at("tokens")) {
    if (token.at("id") == id) return token.at("state");
  }
  return "gone";
}

/// A server that begins its first answer at once and ends it when it is told to.
struct Hesitant {
  std::promise<void> go_on;
  ScriptedServer server{
      {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", .more = [this](int connection) {
          const bool in_time = go_on.get_future().wait_for(60s) == std::future_status::ready;
          return in_time && ScriptedServer::send_all(connection, "done");
        }}}};
};

/// Sends a request and waits for the header of its answer.
void begin_call(Wire& wire, const RunningGateway& gateway) {
  wire.send(get(gateway));
  REQUIRE(wire.read_until("\r\n\r\n"));
}

int health(const RunningGateway& gateway) { return status_of(ask(gateway, "GET", "/healthz")); }

}  // namespace

TEST_CASE("with access tokens nobody else is served and the page and the health are open") {
  ScriptedServer server;
  const RunningGateway gateway(server.origin(), {{"access_tokens", {"word-" + canary, "other"}}});
  const std::string good = "Authorization: Bearer word-" + canary + "\r\n";
  for (const char* path : {"/x", "/metrics", "/tokenpool/live"}) {
    const std::string refused = ask(gateway, "GET", path);
    CHECK(status_of(refused) == 401);
    CHECK(json::parse(body_of(refused)).at("error").at("code") == "invalid_api_key");
    CHECK(status_of(ask(gateway, "GET", path, "Authorization: Bearer word\r\n")) == 401);
  }
  CHECK(status_of(ask(gateway, "POST", "/tokenpool/tokens/one/disable", as_json, "{}")) == 401);
  CHECK(status_of(ask(gateway, "GET", "/x", good)) == 200);
  CHECK(status_of(ask(gateway, "GET", "/x", "x-api-key: other\r\n")) == 200);
  CHECK(status_of(ask(gateway, "GET", "/metrics", "x-api-key: other\r\n")) == 401);
  CHECK(status_of(ask(gateway, "GET", "/metrics", good)) == 200);
  CHECK(status_of(ask(gateway, "GET", "/")) == 200);
  CHECK(health(gateway) == 200);
  CHECK(server.requests().size() == 2);
}

TEST_CASE("without access tokens pages of the web are kept out") {
  ScriptedServer server;
  const RunningGateway gateway(server.origin());
  const auto ask_as = [&](const std::string& host, const std::string& more = "") {
    Wire wire(gateway.port());
    wire.send("GET /x HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n");
    return status_of(wire.read_answer());
  };
  CHECK(ask_as("attacker.example") == 421);
  CHECK(ask_as("127.0.0.1.attacker.example:80") == 421);
  CHECK(ask_as("localhost:1234") == 200);
  CHECK(ask_as("[::1]:1234") == 200);
  CHECK(ask_as("localhost:1", "Origin: http://localhost:1\r\n") == 200);
  CHECK(ask_as("localhost:1", "Origin: http://localhost:2\r\n") == 403);
  CHECK(ask_as("localhost:1", "Origin: null\r\n") == 403);
}

TEST_CASE("a token is disabled and enabled by who may") {
  ScriptedServer server;
  const RunningGateway gateway(server.origin(),
                               {{"tokens", {{{"id", "a/b c"}, {"secret", "sk-" + canary}}}}});
  const std::string path = "/tokenpool/tokens/a%2Fb%20c/";
  CHECK(status_of(ask(gateway, "POST", path + "disable", "", "{}")) == 415);
  CHECK(status_of(ask(gateway, "GET", path + "disable")) == 405);
  CHECK(status_of(ask(gateway, "POST", path + "remove", as_json, "{}")) == 404);
  CHECK(status_of(ask(gateway, "POST", "/tokenpool/tokens/zzz/disable", as_json, "{}")) == 404);
  CHECK(status_of(ask(gateway, "POST", path + "disable", as_json + "Origin: http://evil.example\r\n",
                      "{}")) == 403);
  CHECK(health(gateway) == 200);
  CHECK(status_of(ask(gateway, "POST", path + "disable", as_json, R"({"reason":"tired"})")) == 204);
  CHECK(health(gateway) == 503);
  const std::string none = ask(gateway, "GET", "/x");
  CHECK(status_of(none) == 503);
  CHECK_THAT(none, ContainsSubstring("no_tokens"));
  CHECK(status_of(ask(gateway, "POST", path + "enable", as_json)) == 204);
  CHECK(status_of(ask(gateway, "GET", "/x")) == 200);
}

TEST_CASE("the live stream says hello and then what is new") {
  ScriptedServer server({{.bytes = http(429, "{}", "Retry-After: 60\r\n")}});
  const RunningGateway gateway(server.origin());
  Events events(gateway);
  const json hello = events.next("hello");
  CHECK(hello.at("version") == 1);
  CHECK(hello.at("gateway").at("policy") == "round-robin");
  CHECK(hello.at("gateway").at("base_url") == server.origin());
  CHECK(hello.at("pool").at("tokens").size() == 3);
  CHECK(hello.at("news").empty());
  CHECK(status_of(ask(gateway, "GET", "/x?key=" + canary)) == 200);
  CHECK(events.next("news").at("kind") == "rest");
  CHECK(comes_true([&] { return state_of(events.next("state").at("pool"), "one") == "resting"; }));
  std::uint64_t requests = 0;
  CHECK(
      comes_true([&] { return (requests += events.next("tick").at("requests").get<std::uint64_t>()) == 2; }));
  ask(gateway, "POST", "/tokenpool/tokens/one/enable", as_json);
  CHECK(comes_true([&] { return state_of(events.next("state").at("pool"), "one") == "available"; }));
  Events late(gateway);
  const json seen = late.next("hello");
  CHECK(seen.at("news").back().at("kind") == "enabled");
  CHECK_FALSE(seen.at("history").empty());
  CHECK_THAT(seen.dump() + ask(gateway, "GET", "/metrics"), !ContainsSubstring(canary));
}

TEST_CASE("a changed configuration is taken up and drops no call") {
  Hesitant upstream;
  RunningGateway gateway(upstream.server.origin());
  Events events(gateway);
  events.next("hello");
  Wire under_way(gateway.port());
  begin_call(under_way, gateway);
  gateway.rewrite({{"tokens",
                    {{{"id", "two"}, {"secret", "sk-" + canary + "-new"}, {"weight", 7}},
                     {{"id", "four"}, {"secret", "sk-" + canary + "-4"}}}},
                   {"access_tokens", {"word"}}});
  CHECK(events.next("news").at("kind") == "reloaded");
  json pool;
  CHECK(comes_true([&] {  // states of before are still under way
    pool = events.next("state").at("pool");
    return state_of(pool, "four") == "available";
  }));
  CHECK(state_of(pool, "one") == "draining");
  CHECK(state_of(pool, "three") == "gone");
  for (const json& token : pool.at("tokens")) {
    if (token.at("id") == "two") CHECK(token.at("weight") == 7);
  }
  upstream.go_on.set_value();
  CHECK(body_of(under_way.read_answer()) == "done");
  CHECK(status_of(ask(gateway, "GET", "/x")) == 401);
  for (int i = 0; i < 2; ++i)
    CHECK(status_of(ask(gateway, "GET", "/x", "Authorization: Bearer word\r\n")) == 200);
  CHECK_THAT(upstream.server.requests().at(1) + upstream.server.requests().at(2),
             ContainsSubstring("-new\r\n") && ContainsSubstring("-4\r\n"));
}

TEST_CASE("an unfit configuration leaves the old one in force and is told of") {
  ScriptedServer server;
  RunningGateway gateway(server.origin());
  Events events(gateway);
  events.next("hello");
  gateway.rewrite_text("{ this is no JSON " + canary);
  const json broken = events.next("news");
  CHECK(broken.at("kind") == "warning");
  CHECK_THAT(broken.at("text").get<std::string>(),
             ContainsSubstring("stays in force") && !ContainsSubstring(canary));
  gateway.rewrite({{"tokens", json::array()}});
  CHECK(events.next("news").at("kind") == "warning");
  CHECK(status_of(ask(gateway, "GET", "/x")) == 200);
}

TEST_CASE("what is asked to end finishes what is under way") {
  Hesitant upstream;
  RunningGateway gateway(upstream.server.origin());
  Events events(gateway);
  events.next("hello");
  Wire idle(gateway.port());
  Wire under_way(gateway.port());
  begin_call(under_way, gateway);
  idle.send(get(gateway, "/healthz"));
  CHECK(status_of(idle.read_answer()) == 200);
  gateway.stop();
  CHECK(events.ends());
  CHECK_THROWS(Wire(gateway.port()));
  idle.send(get(gateway, "/healthz"));
  CHECK(status_of(idle.read_answer()) == 503);
  CHECK_FALSE(gateway.ended());
  upstream.go_on.set_value();
  CHECK(body_of(under_way.read_answer()) == "done");
  CHECK(comes_true([&] { return gateway.ended(); }));
  CHECK(gateway.whole());
}

TEST_CASE("what is asked to end twice ends at once") {
  ScriptedServer server(
      {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", .then = Turn::Then::stall}});
  RunningGateway gateway(server.origin());
  Wire under_way(gateway.port());
  begin_call(under_way, gateway);
  gateway.stop();
  gateway.stop();
  CHECK(comes_true([&] { return gateway.ended(); }));
  CHECK_FALSE(gateway.whole());
}
