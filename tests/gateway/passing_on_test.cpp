// What passes through the gateway, over real sockets: between a client of bare bytes and a server that does
// what its script says.

#include <chrono>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "catch_compat.hpp"
#include "support/quota_server.hpp"
#include "support/running_gateway.hpp"
#include "support/scripted_server.hpp"

using namespace std::chrono_literals;
using namespace test;
using nlohmann::json;

namespace {

const std::string chunked_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A server that waits with its answers until it is told to go on, and counts the clients that left.
struct Waiting {
  std::promise<void> told;
  std::shared_future<void> go_on = told.get_future().share();
  std::atomic<int> begun{0};
  std::atomic<int> left{0};

  Turn turn(std::string bytes) {
    return {.bytes = std::move(bytes), .more = [this](int connection) {
              ++begun;
              std::string ignored;
              while (ScriptedServer::receive(connection, ignored)) ignored.clear();
              ++left;
              return false;
            }};
  }
};

}  // namespace

TEST_CASE("method path query header and body pass to the server and status header and body to the client") {
  ScriptedServer server({{.bytes = http(201, "made", "X-Kind: a\r\nX-Kind: b\r\nSet-Cookie: c=d\r\n")}});
  const RunningGateway gateway(server.origin() + "/base");
  const std::string answer = ask(gateway, "PATCH", "/v1/things?a=%20b&c",
                                 "X-Mine: 1\r\nUser-Agent: tester\r\nContent-Type: text/odd\r\n", "a body");
  CHECK(status_of(answer) == 201);
  CHECK(body_of(answer) == "made");
  CHECK_THAT(answer, ContainsSubstring("X-Kind: a\r\nX-Kind: b\r\nSet-Cookie: c=d\r\n"));
  CHECK(field_of(answer, "x-tokenpool-token") == "one");
  CHECK(field_of(answer, "x-tokenpool-attempts") == "1");
  const std::string request = server.requests().at(0);
  CHECK_THAT(request, StartsWith("PATCH /base/v1/things?a=%20b&c HTTP/1.1\r\n"));
  for (const char* line :
       {"X-Mine: 1\r\n", "User-Agent: tester\r\n", "Content-Type: text/odd\r\n", "\r\n\r\na body"}) {
    CHECK_THAT(request, ContainsSubstring(line));
  }
}

TEST_CASE("a client's credential and what is between two connections stay on their side") {
  ScriptedServer server(
      {{.bytes = http(200, "", "Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n")}});
  const RunningGateway gateway(server.origin());
  const std::string answer =
      ask(gateway, "GET", "/x",
          "Authorization: Bearer own\r\nx-api-key: own\r\nConnection: keep-alive, X-Odd\r\nX-Odd: own\r\n"
          "TE: trailers\r\nProxy-Authorization: own\r\nAccept-Encoding: gzip\r\n");
  CHECK(status_of(answer) == 200);
  CHECK(field_of(answer, "X-Hop").empty());
  CHECK(field_of(answer, "Keep-Alive").empty());
  const std::string request = server.requests().at(0);
  CHECK_THAT(request, !ContainsSubstring("own"));
  CHECK_THAT(request, !ContainsSubstring("TE: "));
  CHECK_THAT(request, ContainsSubstring("Authorization: Bearer sk-" + canary + "-1\r\n"));
}

TEST_CASE("the first byte of a stream is there before the server sends the last") {
  std::promise<void> seen;
  ScriptedServer server({{.bytes = chunked_head + "6\r\nfirst \r\n", .more = [&](int connection) {
                            const bool in_time = seen.get_future().wait_for(60s) == std::future_status::ready;
                            return in_time && ScriptedServer::send_all(connection, "4\r\nlast\r\n0\r\n\r\n");
                          }}});
  const RunningGateway gateway(server.origin());
  Wire wire(gateway.port());
  wire.send(get(gateway));
  REQUIRE(wire.read_until("first "));
  CHECK_THAT(wire.unread(), !ContainsSubstring("last"));
  seen.set_value();
  const std::string answer = wire.read_answer();
  CHECK(body_of(answer) == "first last");
  CHECK(field_of(answer, "Content-Type") == "text/event-stream");
  wire.send(get(gateway));
  CHECK(status_of(wire.read_answer()) == 200);
}

TEST_CASE("a head passes while the server still thinks about the body") {
  Waiting waiting;
  ScriptedServer server({waiting.turn(chunked_head)});
  const RunningGateway gateway(server.origin());
  Wire wire(gateway.port());
  wire.send(get(gateway));
  CHECK(wire.read_until("text/event-stream\r\n"));
}

TEST_CASE("a stream that is cut upstream is seen as cut") {
  const std::string with_length = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome";
  for (const std::string& bytes : {chunked_head + "4\r\nsome\r\n", with_length}) {
    ScriptedServer server(
        {{.bytes = bytes, .then = Turn::Then::close}, {.bytes = bytes, .then = Turn::Then::close}});
    const RunningGateway gateway(server.origin());
    Wire wire(gateway.port());
    wire.send(get(gateway));
    const std::string all = wire.read_all();
    CHECK_THAT(all, ContainsSubstring("some"));
    CHECK_THAT(all, !ContainsSubstring("0\r\n\r\n"));
    Wire old(gateway.port());
    old.send("GET /x HTTP/1.0\r\nHost: " + gateway.host() + "\r\n\r\n");
    old.read_all();
    CHECK((old.was_reset() || bytes == with_length));  // a length that is not reached says it all
  }
}

TEST_CASE("a client of HTTP/1.0 gets no chunks") {
  ScriptedServer server({{.bytes = chunked_head + "4\r\nsome\r\n0\r\n\r\n"}});
  const RunningGateway gateway(server.origin());
  Wire wire(gateway.port());
  wire.send("GET /x HTTP/1.0\r\nHost: " + gateway.host() + "\r\n\r\n");
  CHECK_THAT(wire.read_all(), EndsWith("\r\n\r\nsome"));
}

TEST_CASE("HEAD has the header and no body") {
  ScriptedServer server({{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"}});
  const RunningGateway gateway(server.origin());
  Wire wire(gateway.port());
  wire.send("HEAD /x HTTP/1.1\r\nHost: " + gateway.host() + "\r\n\r\n" + get(gateway));
  CHECK(field_of(wire.read_answer(true), "Content-Length") == "5000");
  CHECK(status_of(wire.read_answer()) == 200);
}

TEST_CASE("requests that are sent ahead are answered one after the other") {
  ScriptedServer server;
  const RunningGateway gateway(server.origin());
  Wire wire(gateway.port());
  wire.send(get(gateway, "/a") + get(gateway, "/b") + get(gateway, "/c"));
  for (const char* path : {"GET /a ", "GET /b ", "GET /c "})
    CHECK_THAT(body_of(wire.read_answer()), StartsWith(path));
}

TEST_CASE("a client that hangs up cancels its call at the server") {
  Waiting waiting;
  ScriptedServer server({waiting.turn(""), waiting.turn(chunked_head + "4\r\nsome\r\n")});
  const RunningGateway gateway(server.origin());
  for (int i = 1; i <= 2; ++i) {
    Wire wire(gateway.port());
    wire.send(get(gateway));
    REQUIRE(comes_true([&] { return waiting.begun == i; }));
    wire.close();
    CHECK(comes_true([&] { return waiting.left == i; }));
  }
}

TEST_CASE("a client that hangs up while it waits for a token leaves the queue") {
  Waiting waiting;
  ScriptedServer server({waiting.turn("")});
  const RunningGateway gateway(server.origin(), {{"limits", {{{"amount", 1}, {"unit", "in_flight"}}}},
                                                 {"retry", {{"max_wait", "60s"}}}});
  const auto waiting_calls = [&] {
    return json::parse(body_of(ask(gateway, "GET", "/healthz")))["waiting"].get<int>();
  };
  Wire first(gateway.port());
  first.send(get(gateway));
  REQUIRE(comes_true([&] { return waiting.begun == 1; }));
  Wire second(gateway.port());
  second.send(get(gateway));
  REQUIRE(comes_true([&] { return waiting_calls() == 1; }));
  second.close();
  CHECK(comes_true([&] { return waiting_calls() == 0; }));
  CHECK(server.accepted() == 1);
}

TEST_CASE("a client that does not read slows the server down") {
  static constexpr std::size_t total = 64'000'000;
  std::atomic<std::size_t> written{0};
  const std::string piece(50'000, 'x');
  ScriptedServer server({{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(total) + "\r\n\r\n",
                          .more = [&](int connection) {
                            while (written < total && ScriptedServer::send_all(connection, piece))
                              written += piece.size();
                            return false;
                          }}});
  const RunningGateway gateway(server.origin());
  Wire wire(gateway.port(), 64 * 1024);
  wire.send(get(gateway));
  REQUIRE(wire.read_until("\r\n\r\n"));
  std::size_t before = 1;
  while (before != written) {  // until it stands still; it writes all of it in a tenth of a second otherwise
    before = written;
    std::this_thread::sleep_for(400ms);
  }
  CHECK(before < total / 2);
  CHECK(body_of(wire.read_answer()).size() == total);
  CHECK(comes_true([&] { return written == total; }));  // the server counts what it has sent
}

TEST_CASE("a refused request goes out again with another token and its whole body") {
  const std::string body(300'000, 'b');
  ScriptedServer server({{.bytes = http(429, "{}", "Retry-After: 60\r\n")}, {.bytes = http(200, "done")}});
  const RunningGateway gateway(server.origin());
  const std::string answer = ask(gateway, "POST", "/x", "", body);
  CHECK(body_of(answer) == "done");
  CHECK(field_of(answer, "x-tokenpool-token") == "two");
  CHECK(field_of(answer, "x-tokenpool-attempts") == "2");
  CHECK_THAT(server.requests().at(1), ContainsSubstring("-2\r\n") && EndsWith(body));
}

TEST_CASE("errors of the pool are told as OpenAI tells errors") {
  ScriptedServer server({{.bytes = "no HTTP at all\r\n\r\n", .then = Turn::Then::close},
                         {.bytes = http(404, "no such", "Content-Type: text/odd\r\n")},
                         {.bytes = http(429, "{}", "Retry-After: 60\r\n")},
                         {.bytes = http(429, "{}", "Retry-After: 70\r\n")},
                         {.bytes = http(429, "{}", "Retry-After: 80\r\n")}});
  const RunningGateway gateway(server.origin());
  const auto error = [](const std::string& answer) { return json::parse(body_of(answer)).at("error"); };
  const std::string odd = ask(gateway, "POST", "/x", "", "{}");
  CHECK(status_of(odd) == 502);
  const std::string missing = ask(gateway, "GET", "/x");
  CHECK(status_of(missing) == 404);
  CHECK(body_of(missing) == "no such");
  CHECK(field_of(missing, "Content-Type") == "text/odd");
  const std::string spent = ask(gateway, "GET", "/x");
  CHECK(status_of(spent) == 429);
  CHECK(error(spent).at("code") == "exhausted");
  CHECK(error(spent).at("type") == "rate_limit_error");
  const int after = std::stoi(field_of(spent, "Retry-After"));
  CHECK((after > 0 && after <= 60));
  CHECK_THAT(odd + spent, !ContainsSubstring(canary));
}

TEST_CASE("what a server says of a token is not passed on as the client's own refusal") {
  const std::string dead = R"({"error":{"message":"Incorrect API key","code":"invalid_api_key"}})";
  ScriptedServer server({{.bytes = http(401, dead)}, {.bytes = http(401, dead)}, {.bytes = http(401, dead)}});
  const RunningGateway gateway(server.origin());
  const std::string answer = ask(gateway, "GET", "/x");
  CHECK(status_of(answer) == 502);
  CHECK_THAT(answer, ContainsSubstring("http_status"));
}

TEST_CASE("limits are kept for clients that know nothing of them") {
  const QuotaServer server(
      {"--tokens",
       "sk-" + canary + "-1,sk-" + canary + "-2,sk-" + canary + "-3,sk-" + canary + "-4,sk-" + canary + "-5",
       "--limit", "20", "--window", "1h"});
  json tokens = json::array();
  for (int i = 1; i <= 5; ++i) tokens.push_back("sk-" + canary + "-" + std::to_string(i));
  const RunningGateway gateway(
      server.origin(),
      {{"tokens", tokens}, {"limits", {{{"amount", 20}, {"window", "1h"}, {"per", {"token"}}}}}});
  std::vector<std::thread> clients;
  std::atomic<int> answered{0};
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      Wire wire(gateway.port());
      for (int n = 0; n < 25; ++n) {
        const std::string body = R"({"messages":[{"role":"user","content":"hello"}]})";
        wire.send("POST /v1/chat/completions HTTP/1.1\r\nHost: " + gateway.host() +
                  "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        answered += status_of(wire.read_answer()) == 200 ? 1 : 0;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(answered == 100);
  CHECK(server.counts()["total"]["refused"] == 0);
  CHECK(status_of(ask(gateway, "GET", "/v1/models")) == 429);
  CHECK(server.counts()["total"]["refused"] == 0);
}
