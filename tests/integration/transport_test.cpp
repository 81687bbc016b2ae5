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
#include "support/quota_server.hpp"
#include "support/scripted_server.hpp"
#include "tokenpool/tokenpool.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::http;
using test::ScriptedServer;
using test::Turn;
using Then = Turn::Then;
using Read = Turn::Read;

namespace {

/// A client of `server` that does not lose time: three tokens, back-off of a millisecond, no proxy.
ClientOptions options_for(const ScriptedServer& server, ClientOptions options = {}) {
  options.base_url = server.origin() + "/v1";
  options.tokens = parse_tokens("sk-canary-0,sk-canary-1,sk-canary-2");
  options.retry.backoff = {.first = 1ms, .max = 2ms};
  if (options.egress.empty()) options.egress = {{.id = "here"}};
  return options;
}

Request post(std::string body = "hello") {
  return {
      .method = "POST", .path = "/x", .headers = {{"Content-Type", "text/plain"}}, .body = std::move(body)};
}

/// A producer of `text` in pieces of at most `piece` bytes; counts how often it was rewound.
struct Pieces {
  std::size_t read(char* buffer, std::size_t capacity) {
    const std::size_t count = text.copy(buffer, (std::min)(capacity, piece), at);
    at += count;
    return count;
  }

  std::string text;
  std::size_t piece = 3;
  std::size_t at = 0;
  int rewinds = 0;
};

Body body_of(Pieces& pieces, std::optional<std::uint64_t> size, bool rewinds) {
  const auto rewind = [&pieces] {
    pieces.at = 0;
    ++pieces.rewinds;
    return true;
  };
  return Body::from([&pieces](char* buffer, std::size_t capacity) { return pieces.read(buffer, capacity); },
                    size, rewinds ? Body::Rewind(rewind) : Body::Rewind());
}

/// What the server saw of a request's body.
std::string body_in(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }

Error failure(const Result<Response>& result) {
  REQUIRE_FALSE(result.has_value());
  CHECK_THAT(result.error().what(), !ContainsSubstring("canary"));
  for (const Attempt& attempt : result.error().attempts()) {
    CHECK_THAT(attempt.reason, !ContainsSubstring("canary"));
  }
  return result.error();
}

}  // namespace

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

TEST_CASE("a body with zeros in it and a body of many megabytes arrive as they are") {
  ScriptedServer server;
  Client<> client(options_for(server));
  const std::string zeros("a\0b\0", 4);
  client.send(post(zeros));
  CHECK(body_in(server.requests().back()) == zeros);
  const std::string large(5'000'000, 'x');
  client.send(post(large));
  CHECK(body_in(server.requests().back()) == large);
  CHECK_THAT(server.requests().back().substr(0, 500), !ContainsSubstring("Expect"));
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

TEST_CASE("what is not HTTP is a protocol error") {
  for (const char* garbage : {"220 smtp.example.com ready\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n"}) {
    ScriptedServer server({{garbage, Then::close}});
    const Error error = failure(Client<>(options_for(server)).try_send(post()));
    CHECK(error.code() == ErrorCode::protocol);
    CHECK(server.requests().size() == 1);
  }
}

TEST_CASE("a chunk without a length ends the call like a lost connection") {
  ScriptedServer server({{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n"}});
  const Error error = failure(Client<>(options_for(server)).try_send(post()));
  CHECK(error.code() == ErrorCode::network);
  CHECK_FALSE(error.response());
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a header block above its maximum ends the call") {
  const std::vector<std::string> blocks{
      "HTTP/1.1 200 OK\r\nX-Long: " + std::string(80'000, 'x') + "\r\nX-More: " + std::string(80'000, 'x'),
      "HTTP/1.1 200 OK\r\nX-Long: " + std::string(1'000'000, 'x')};
  for (const std::string& block : blocks) {
    ScriptedServer server({{block + "\r\nContent-Length: 0\r\n\r\n", Then::close}});
    const Error error = failure(
        Client<>(options_for(server, {.http = {.max_header_bytes = 100'000}})).try_send({.path = "/x"}));
    CHECK(error.code() == ErrorCode::response_too_large);
    CHECK_THAT(error.what(), ContainsSubstring("header"));
    CHECK(server.requests().size() == 1);
  }
}

TEST_CASE("a body above its maximum ends the call however it comes") {
  const std::string large(2000, 'x');
  const std::vector<Turn> answers{
      {http(200, large)},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + large + "\r\n0\r\n\r\n"},
      {"HTTP/1.1 200 OK\r\n\r\n" + large, Then::close}};
  for (const Turn& turn : answers) {
    ScriptedServer server({turn, turn});
    Client<> client(options_for(server, {.http = {.max_response_bytes = 1999}}));
    const Error error = failure(client.try_send(post()));
    CHECK(error.code() == ErrorCode::response_too_large);
    CHECK_THAT(error.what(), ContainsSubstring("max_response_bytes (1999)"));
    Request with_more = post();
    with_more.max_response_bytes = 2000;
    CHECK(client.try_send(with_more)->body == large);
  }
}

TEST_CASE("a server that says nothing is left at the deadline") {
  for (const Turn& turn : {Turn{"", Then::stall}, Turn{"", Then::stall, Read::nothing},
                           Turn{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12", Then::stall}}) {
    ScriptedServer server({turn});
    Request request = post();
    request.deadline = 50ms;
    const Error error = failure(Client<>(options_for(server)).try_send(request));
    CHECK(error.code() == ErrorCode::deadline_exceeded);
    CHECK(server.accepted() == 1);
  }
}

TEST_CASE("silence before the answer and in the middle of it has limits of its own") {
  ScriptedServer mute({{"", Then::stall}});
  const Error first =
      failure(Client<>(options_for(mute, {.timeouts = {.first_byte = 30ms}})).try_send(post()));
  CHECK(first.code() == ErrorCode::network);
  CHECK_THAT(first.what(), ContainsSubstring("timeouts.first_byte"));

  ScriptedServer cut({{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12", Then::stall}});
  const Error idle = failure(Client<>(options_for(cut, {.timeouts = {.idle = 30ms}})).try_send(post()));
  CHECK(idle.code() == ErrorCode::network);
  CHECK_THAT(idle.what(), ContainsSubstring("timeouts.idle"));
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

TEST_CASE("a produced body of known size goes out with its length") {
  ScriptedServer server;
  Client<> client(options_for(server));
  Pieces pieces{.text = "hello world"};
  Request request = post();
  request.body = body_of(pieces, 11, false);
  CHECK(client.send(request).ok());
  CHECK_THAT(server.requests().back(),
             test::StartsWith("POST ") && ContainsSubstring("Content-Length: 11\r\n"));
  CHECK(body_in(server.requests().back()) == "hello world");
}

TEST_CASE("a produced body of unknown size goes out in chunks") {
  ScriptedServer server;
  Client<> client(options_for(server));
  Pieces pieces{.text = "hello world", .piece = 6};
  Request request = post();
  request.method = "PUT";
  request.body = body_of(pieces, {}, false);
  CHECK(client.send(request).ok());
  CHECK_THAT(server.requests().back(), test::StartsWith("PUT ") && ContainsSubstring("chunked\r\n"));
  CHECK(body_in(server.requests().back()) == "6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n");
}

TEST_CASE("a produced body that rewinds is sent again from its beginning") {
  ScriptedServer server({{http(429, "{}", "Retry-After: 60\r\n")}});
  Client<> client(options_for(server));
  Pieces pieces{.text = "hello world"};
  Request request = post();
  request.body = body_of(pieces, 11, true);
  CHECK(client.send(request).ok());
  CHECK(pieces.rewinds == 1);
  CHECK(body_in(server.requests()[0]) == "hello world");
  CHECK(body_in(server.requests()[1]) == "hello world");
}

TEST_CASE("a produced body that does not rewind is sent once") {
  ScriptedServer server({{http(429, "{}", "Retry-After: 60\r\n")}});
  Client<> client(options_for(server));
  Pieces pieces{.text = "hello world"};
  Request request = post();
  request.body = body_of(pieces, 11, false);
  const Error error = failure(client.try_send(request));
  CHECK(error.code() == ErrorCode::http_status);
  CHECK(error.response()->status == 429);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a produced body that ends early ends the call instead of hanging") {
  ScriptedServer server;
  Pieces pieces{.text = "hello"};
  Request request = post();
  request.body = body_of(pieces, 11, true);
  const Error error = failure(Client<>(options_for(server)).try_send(request));
  CHECK(error.code() == ErrorCode::invalid_request);
  CHECK_THAT(error.what(), ContainsSubstring("the body ended after 5 of 11 bytes"));
}

TEST_CASE("a produced body with more than its size is cut to it") {
  ScriptedServer server;
  Pieces pieces{.text = "hello world", .piece = 100};
  Request request = post();
  request.body = body_of(pieces, 5, false);
  CHECK(Client<>(options_for(server)).send(request).ok());
  CHECK(body_in(server.requests().back()) == "hello");
}

TEST_CASE("a producer that throws reaches the caller and leaves the client usable") {
  ScriptedServer server;
  Client<> client(options_for(server));
  Request request = post();
  request.body = Body::from([](char*, std::size_t) -> std::size_t { throw std::domain_error("mine"); }, 5);
  CHECK_THROWS_AS(client.try_send(request), std::domain_error);
  CHECK(client.send(post()).ok());
  CHECK(client.stats().tokens[0].in_flight == 0);
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

TEST_CASE("a proxy that wants a password of its own blames no token") {
  const Turn refusal{http(407)};
  ScriptedServer proxy({refusal, refusal, refusal});
  ClientOptions options = options_for(proxy, {.egress = {{.id = "way", .proxy = proxy.origin()}}});
  options.base_url = "http://somewhere.invalid/v1";
  Client<> client(options);
  const Error error = failure(client.try_send({.path = "/x"}));
  CHECK(error.attempts().back().verdict == Verdict::network_error);
  CHECK_THAT(proxy.requests().back(), test::StartsWith("GET http://somewhere.invalid/v1/x HTTP/1.1\r\n"));
  for (const TokenSnapshot& token : client.stats().tokens) CHECK(token.state == TokenState::available);
}

TEST_CASE("a proxy that refuses the tunnel never sees the credential") {
  ScriptedServer proxy({{http(407), Then::close}, {http(407), Then::close}, {http(407), Then::close}});
  ClientOptions options = options_for(proxy, {.egress = {{.id = "way", .proxy = proxy.origin()}}});
  options.base_url = "https://somewhere.invalid/v1";
  const Error error = failure(Client<>(options).try_send(post()));
  CHECK(error.code() == ErrorCode::network);
  for (const std::string& request : proxy.requests()) {
    CHECK_THAT(request, test::StartsWith("CONNECT somewhere.invalid:443") && !ContainsSubstring("canary"));
  }
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

TEST_CASE("a line end in path or header or method sends nothing") {
  ScriptedServer server;
  Client<> client(options_for(server));
  for (const Request& request : {Request{.path = "/x HTTP/1.1\r\nX-Evil: 1"},
                                 Request{.path = "/x", .headers = {{"X-A", "1\r\nX-Evil: 1"}}},
                                 Request{.path = "/x", .headers = {{"X-A\r\nX-Evil", "1"}}},
                                 Request{.method = "GET\r\nX-Evil: 1", .path = "/x"},
                                 Request{.path = "/x", .idempotency_key = "k\r\nX-Evil: 1"}}) {
    CHECK(failure(client.try_send(request)).code() == ErrorCode::invalid_request);
  }
  client.send({.path = "/x", .query = {{"a\r\n", "b\r\nX-Evil: 1"}}});
  REQUIRE(server.requests().size() == 1);
  CHECK_THAT(server.requests()[0], ContainsSubstring("?a%0D%0A=b%0D%0AX-Evil%3A%201 HTTP/1.1"));
}

TEST_CASE("TLS that is none and a certificate nobody signed are TLS errors") {
  ScriptedServer server({{"this is not TLS\r\n\r\n", Then::close, Read::nothing}});
  ClientOptions options = options_for(server);
  options.base_url = "https://" + server.origin().substr(7);
  CHECK(failure(Client<>(options).try_send(post())).code() == ErrorCode::tls);
}

TEST_CASE("an egress that does not exist and options that libcurl does not know are told apart") {
  ScriptedServer server;
  ClientOptions options = options_for(server, {.egress = {{.id = "way", .source = "no-such-device-0"}}});
  CHECK(failure(Client<>(options).try_send(post())).code() == ErrorCode::network);
  CHECK(server.requests().empty());
}
