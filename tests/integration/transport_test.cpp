// What libcurl does on real sockets, phase by phase: the bytes that go out, the connections that stay, and
// what each way of failing means.

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catch_compat.hpp"
#include "support/calls.hpp"
#include "support/client.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::body_in;
using test::ContainsSubstring;
using test::failure;
using test::http;
using test::options_for;
using test::post;
using test::ScriptedServer;
using test::Turn;
using Then = Turn::Then;
using Read = Turn::Read;

TEST_CASE("verb after verb goes out as what it is on one client") {
  ScriptedServer server;
  Client<> client(options_for(server));
  const std::vector<std::string> verbs{"GET",    "POST", "PUT",  "PATCH",   "DELETE", "HEAD", "GET",   "HEAD",
                                       "DELETE", "PUT",  "POST", "OPTIONS", "HEAD",   "GET",  "PATCH", "GET"};
  for (const std::string& verb : verbs) {
    const bool with_body = verb == "POST" || verb == "PUT" || verb == "PATCH";
    const Response response =
        client.send({.method = verb, .path = "/x", .body = with_body ? "body of " + verb : ""});
    CHECK(response.status == 200);
    const std::string request = server.requests().back();
    CHECK_THAT(request, test::StartsWith(verb + " /v1/x HTTP/1.1\r\n"));
    CHECK(body_in(request) == (with_body ? "body of " + verb : ""));
    CHECK(response.body == (verb == "HEAD" ? "" : request));
  }
  CHECK(server.requests().size() == verbs.size());
  CHECK(server.accepted() == 1);
}

TEST_CASE("a request has the headers that it needs and none that libcurl made up") {
  ScriptedServer server;
  Client<> client(options_for(server));
  client.post("/x", {{"a", 1}});
  const std::string json = server.requests().back();
  CHECK_THAT(json, ContainsSubstring("\r\nAuthorization: Bearer sk-canary-"));
  CHECK_THAT(json, ContainsSubstring("\r\nContent-Type: application/json\r\n"));
  CHECK_THAT(json, ContainsSubstring("\r\nContent-Length: 7\r\n"));
  client.send({.method = "POST", .path = "/x", .headers = {{"X-Empty", ""}}});
  const std::string empty = server.requests().back();
  CHECK_THAT(empty, ContainsSubstring("\r\nContent-Length: 0\r\n"));
  CHECK_THAT(empty, !ContainsSubstring("Content-Type") && !ContainsSubstring("Expect"));
  CHECK_THAT(empty, ContainsSubstring("\r\nX-Empty:\r\n"));
}

TEST_CASE("changing the token never costs a new connection") {
  ScriptedServer server({{http(429, "{}", "Retry-After: 60\r\n")}});
  Client<> client(options_for(server));
  for (int call = 0; call < 6; ++call) CHECK(client.get("/x").ok());
  CHECK(server.requests().size() == 7);
  CHECK(server.accepted() == 1);
}

TEST_CASE("interim answers and trailers are not taken for the answer") {
  ScriptedServer server({{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" +
                          http(200, "real", "X-Real: 1\r\n")},
                         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: "
                          "X-T\r\n\r\n4\r\nreal\r\n0\r\nX-T: 1\r\n\r\n"}});
  Client<> client(options_for(server));
  const Response interim = client.get("/x");
  CHECK(interim.body == "real");
  CHECK_FALSE(interim.headers.get("X-Early"));
  CHECK(interim.headers.get("X-Real") == "1");
  const Response trailed = client.get("/x");
  CHECK(trailed.body == "real");
  CHECK_FALSE(trailed.headers.get("X-T"));
}

TEST_CASE("repeated header fields and empty values are kept") {
  ScriptedServer server({{http(200, "", "Set-Cookie: a\r\nset-cookie:  b \r\nX-None:\r\n")}});
  Client<> client(options_for(server));
  const Response response = client.get("/x");
  CHECK(response.headers.all("Set-Cookie") == std::vector<std::string_view>{"a", "b"});
  CHECK(response.headers.get("X-None") == "");
}

TEST_CASE("a connection that died while idle is replaced") {
  for (const char* method : {"GET", "POST"}) {
    INFO(method);
    ScriptedServer server({{http(200, "first"), Then::close}});
    Client<> client(options_for(server));
    CHECK(client.send({.method = method, .path = "/x"}).body == "first");
    std::this_thread::yield();
    const Response second = client.send({.method = method, .path = "/x"});
    CHECK(second.ok());
    CHECK(server.accepted() == 2);
  }
}

TEST_CASE("what libcurl sends again by itself shows in the attempt") {
  ScriptedServer server({{http(200)}, {"", Then::close}});
  Client<> client(options_for(server));
  CHECK(client.send(post()).ok());
  const Response second = client.send(post());
  CHECK(second.ok());
  REQUIRE(second.attempts.size() == 1);
  CHECK(second.attempts[0].resent);
  CHECK(server.requests().size() == 3);
}

TEST_CASE("Replay never keeps libcurl from sending again by itself") {
  ScriptedServer server({{http(200)}, {"", Then::close}});
  Client<> client(options_for(server, {.retry = {.replay = Replay::never}}));
  CHECK(client.send(post()).ok());
  const Error error = failure(client.try_send(post()));
  CHECK(error.code() == ErrorCode::network);
  CHECK_FALSE(error.attempts().back().resent);
  CHECK(server.requests().size() == 2);
}

TEST_CASE("a lost request is repeated when it is safe and never when it is not") {
  const std::vector<Turn> losses{
      {"", Then::reset, Read::nothing},
      {"", Then::close, Read::nothing},
      {"", Then::reset, Read::head},
      {"", Then::reset},
      {"", Then::close},
      {"HTTP/1.1 2", Then::close},
      {"HTTP/1.1 200 OK\r\nContent-Le", Then::reset},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", Then::close},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", Then::reset},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123", Then::close},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", Then::close}};
  const auto send = [](const ScriptedServer& server, const std::string& method, const std::string& key,
                       Replay replay) {
    Client<> client(options_for(server, {.retry = {.replay = replay}}));
    return client.try_send(
        {.method = method, .path = "/x", .body = method == "GET" ? "" : "{}", .idempotency_key = key});
  };
  for (std::size_t i = 0; i < losses.size(); ++i) {
    for (const std::string method : {"GET", "PUT", "DELETE", "OPTIONS", "POST", "PATCH"}) {
      INFO(method << " loss " << i);
      const bool idempotent = is_idempotent(method);
      for (const std::string key : {"", "k1"}) {
        for (const Replay replay : {Replay::safe, Replay::always, Replay::never}) {
          ScriptedServer server({losses[i]});
          const auto got = send(server, method, key, replay);
          const bool repeated =
              replay != Replay::never && (idempotent || !key.empty() || replay == Replay::always);
          INFO("key " << key << " replay " << static_cast<int>(replay));
          CHECK(got.has_value() == repeated);
          CHECK(server.accepted() == (repeated ? 2 : 1));
          if (got) {
            CHECK(got->attempts.size() == 2);
          } else {
            CHECK(got.error().code() == ErrorCode::network);
            CHECK_THAT(got.error().what(), ContainsSubstring("it was not repeated"));
          }
        }
      }
    }
  }
}

TEST_CASE("nobody who listens is a network error after its attempts") {
  std::string origin;
  { origin = ScriptedServer().origin(); }
  Client<> client({.base_url = origin,
                   .tokens = parse_tokens("sk-canary-0"),
                   .egress = {{.id = "here"}},
                   .retry = {.backoff = {1ms, 1ms}}});
  const Error error = failure(client.try_send(post()));
  CHECK(error.code() == ErrorCode::network);
  CHECK(error.attempts().size() == 3);
  CHECK(error.attempts()[0].verdict == Verdict::network_error);
  CHECK(client.stats().tokens[0].state == TokenState::available);
}

TEST_CASE("a call is cancelled from another thread while it receives") {
  ScriptedServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12", Then::stall}});
  Client<> client(options_for(server));
  const CancelSource source;
  Request request = post();
  request.cancel = source.token();
  auto call = std::async(std::launch::async, [&] { return client.try_send(request); });
  while (server.requests().empty()) std::this_thread::yield();
  source.cancel();
  CHECK(failure(call.get()).code() == ErrorCode::cancelled);
  CHECK(client.try_send(post()));
}

TEST_CASE("a call is cancelled while it waits for a token") {
  ScriptedServer server({{http(429, "{}", "Retry-After: 50\r\n")}});
  ClientOptions options = options_for(server);
  options.tokens = parse_tokens("sk-canary-0");
  Client<> client(options);
  const CancelSource source;
  Request request = post();
  request.cancel = source.token();
  auto call = std::async(std::launch::async, [&] { return client.try_send(request); });
  while (client.stats().pool.waiting == 0) std::this_thread::yield();
  source.cancel();
  CHECK(failure(call.get()).code() == ErrorCode::cancelled);
}

TEST_CASE("a client that is destroyed ends the calls of other threads") {
  ScriptedServer server({{"", Then::stall}, {"", Then::stall}});
  auto client = std::make_unique<Client<>>(options_for(server));
  std::vector<std::future<Result<Response>>> calls;
  for (int i = 0; i < 2; ++i) {
    calls.push_back(std::async(std::launch::async, [&client = *client] { return client.try_send(post()); }));
  }
  while (server.requests().size() < 2) std::this_thread::yield();
  client.reset();
  for (auto& call : calls) CHECK(failure(call.get()).code() == ErrorCode::cancelled);
}

TEST_CASE("a Unix socket is used instead of TCP") {
  const std::string path = (std::filesystem::temp_directory_path() / "tokenpool-XXXXXX").string();
  std::string directory = path;
  REQUIRE(::mkdtemp(directory.data()) != nullptr);
  {
    ScriptedServer server({}, directory + "/socket");
    Client<> client({.base_url = "http://somewhere.invalid/v1",
                     .tokens = parse_tokens("sk-canary-0"),
                     .http = {.unix_socket = directory + "/socket"}});
    CHECK(client.get("/x").ok());
    CHECK_THAT(server.requests().back(), ContainsSubstring("Host: somewhere.invalid\r\n"));
  }
  std::filesystem::remove_all(directory);
}

TEST_CASE("a name can be given its address without asking a name service") {
  ScriptedServer server;
  const std::string port = server.origin().substr(server.origin().rfind(':') + 1);
  Client<> client({.base_url = "http://somewhere.invalid:" + port,
                   .tokens = parse_tokens("sk-canary-0"),
                   .egress = {{.id = "here"}},
                   .http = {.resolve = {"somewhere.invalid:" + port + ":127.0.0.1"}}});
  CHECK(client.get("/x").ok());
}

TEST_CASE("a redirect is delivered and not followed") {
  ScriptedServer other;
  ScriptedServer server({{http(302, "", "Location: " + other.origin() + "/stolen\r\n")}});
  Client<> client(options_for(server));
  const Response response = client.get("/x");
  CHECK(response.status == 302);
  CHECK(response.headers.get("Location") == other.origin() + "/stolen");
  CHECK(other.accepted() == 0);
}
