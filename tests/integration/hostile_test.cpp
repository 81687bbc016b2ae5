// Servers that send what no server should: too much, too little, without end, not HTTP, or a second answer
// that nobody asked for. Each call ends in the right error and none hangs.

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch_compat.hpp"
#include "support/calls.hpp"
#include "support/gzip.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::each_way;
using test::failure;
using test::gzipped;
using test::How;
using test::http;
using test::options_for;
using test::post;
using test::ScriptedServer;
using test::Turn;
using Then = Turn::Then;
using Read = Turn::Read;

namespace {

std::string as_gzip(const std::string& packed) { return http(200, packed, "Content-Encoding: gzip\r\n"); }

/// The error of a call with one attempt, and silence and sizes kept small.
Error end_of(const Turn& turn, How how, HttpOptions http = {}) {
  ScriptedServer server({turn});
  ClientOptions options = options_for(server, {.retry = {.max_attempts = 1}, .http = std::move(http)});
  options.timeouts = {.idle = 300ms, .total = 60s};
  Client<> client(options);
  const Error error = failure(test::begin(client, post(), how).get());
  CHECK(client.send(post()).ok());
  return error;
}

}  // namespace

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

TEST_CASE("an answer that is cut anywhere is never taken for a whole one") {
  const std::string whole = http(200, "hello", "X-One: 1\r\n");
  for (const How how : each_way) {
    for (std::size_t kept = 0; kept < whole.size(); ++kept) {
      INFO("kept: " << whole.substr(0, kept));
      ScriptedServer server({{whole.substr(0, kept), Then::close}});
      Client<> client(options_for(server));
      CHECK(failure(test::begin(client, post(), how).get()).code() == ErrorCode::network);
      CHECK(server.requests().size() == 1);
    }
  }
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

TEST_CASE("what is sent without end is cut at its maximum") {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  for (const How how : each_way) {
    for (const auto& [begun, more] : std::vector<std::pair<std::string, std::string>>{
             {head + "\r\n", std::string(16'384, 'x')},
             {chunked, "1000\r\n" + std::string(4096, 'x') + "\r\n"},
             {head, "X-More: 1\r\n"},
             {head + "X-Long: ", std::string(1000, 'x')},
             {"HTTP/1.1 103 Early Hints\r\n", "Link: </x>\r\n"},
             {"", "HTTP/1.1 100 Continue\r\n\r\n"},
             {chunked + "0\r\n", "X-Trailer: 1\r\n"}}) {
      INFO(begun << " ... " << more.substr(0, 30));
      const Error error = end_of({.bytes = begun, .more = test::endless(more)}, how,
                                 {.max_response_bytes = 1'000'000, .max_header_bytes = 50'000});
      CHECK(error.code() == ErrorCode::response_too_large);
      // By our maximum, or by libcurl's for a single line.
      CHECK_THAT(error.what(), ContainsSubstring("max"));
    }
  }
}

TEST_CASE("an extension of a chunk without end is silence") {
  for (const How how : each_way) {
    const Error error = end_of({.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;",
                                .more = test::endless(std::string(1000, 'x'))},
                               how);
    CHECK(error.code() == ErrorCode::network);
    CHECK_THAT(error.what(), ContainsSubstring("timeouts.idle"));
  }
}

TEST_CASE("a header block above libcurl's own maximum is too large whatever ours is") {
  std::string block = "HTTP/1.1 200 OK\r\n";
  for (int line = 0; line < 100; ++line)
    block += "X-" + std::to_string(line) + ": " + std::string(10'000, 'x') + "\r\n";
  for (const std::string& large : {block, "HTTP/1.1 200 OK\r\nX: " + std::string(1'000'000, 'x') + "\r\n"}) {
    const Error error = end_of({large + "Content-Length: 0\r\n\r\n", Then::close}, How::blocking,
                               {.max_header_bytes = 10'000'000});
    CHECK(error.code() == ErrorCode::response_too_large);
  }
}

TEST_CASE("a header of 1 MB ends the call by default") {
  const Error error = end_of(
      {"HTTP/1.1 200 OK\r\nX: " + std::string(1'000'000, 'x') + "\r\nContent-Length: 0\r\n\r\n", Then::close},
      How::asynchronous);
  CHECK(error.code() == ErrorCode::response_too_large);
}

TEST_CASE("HTTP 0.9 and other answers without a status line are protocol errors") {
  for (const char* garbage :
       {"<html>hello</html>", "\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 twohundred OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        "HTTP/1.1 200 OK\r\n no field\r\n\r\n"}) {
    INFO(garbage);
    for (const How how : each_way) CHECK(end_of({garbage, Then::close}, how).code() == ErrorCode::protocol);
  }
}

TEST_CASE("an answer that is shorter than it says is lost") {
  for (const char* cut : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
                          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\n12345",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123"}) {
    for (const Then then : {Then::close, Then::reset}) {
      for (const How how : each_way) {
        const Error error = end_of({cut, then}, how);
        CHECK(error.code() == ErrorCode::network);
        CHECK_FALSE(error.response());
      }
    }
  }
}

TEST_CASE("a second answer that nobody asked for is not taken for that of the next call") {
  const std::string evil = http(200, "evil", "X-Evil: 1\r\n");
  for (const How how : each_way) {
    ScriptedServer server({{http(200, "good") + evil}, {http(200, "good")}, {http(204, "") + evil}});
    Client<> client(options_for(server));
    CHECK(test::begin(client, post(), how).get()->body == "good");
    for (int call = 0; call < 4; ++call) {
      const auto next = test::begin(client, post(), how).get();
      REQUIRE(next);
      CHECK_THAT(next->body, !ContainsSubstring("evil"));
      CHECK_FALSE(next->headers.get("X-Evil"));
    }
  }
}

TEST_CASE("a connection that died while idle is replaced in each way") {
  for (const How how : each_way) {
    for (const Then then : {Then::close, Then::reset}) {
      ScriptedServer server({{http(200, "first"), then}});
      Client<> client(options_for(server));
      CHECK(test::begin(client, post(), how).get()->body == "first");
      CHECK(test::begin(client, post(), how).get()->ok());
      CHECK(server.accepted() == 2);
    }
  }
}

TEST_CASE("a packed answer comes unpacked and its size is that of what is in it") {
  const std::string packed = gzipped("printf 'hello hello hello hello'");
  ScriptedServer server({{as_gzip(packed)}, {as_gzip(packed)}, {as_gzip(packed)}});
  Client<> client(options_for(server));
  Request request = post();
  request.max_response_bytes = 23;
  const Response response = client.send(request);
  CHECK(response.body == "hello hello hello hello");
  CHECK(response.headers.get("Content-Encoding") == "gzip");
  CHECK_THAT(server.requests().at(0),
             ContainsSubstring("\r\nAccept-Encoding: ") && ContainsSubstring("gzip"));
  request.max_response_bytes = 22;
  CHECK(failure(client.try_send(request)).code() == ErrorCode::response_too_large);
  // Whoever wants nothing packed says so.
  request.max_response_bytes.reset();
  request.headers.add("Accept-Encoding", "identity");
  client.send(request);
  CHECK_THAT(server.requests().at(2),
             ContainsSubstring("\r\nAccept-Encoding: identity\r\n") && !ContainsSubstring("gzip"));
}

TEST_CASE("a gzip bomb ends at the maximum of the unpacked body") {
  const std::string bomb = gzipped("head -c 80000000 /dev/zero");
  const std::string nested = gzipped("head -c 80000000 /dev/zero | gzip -c");
  CHECK(bomb.size() < 1'000'000);
  for (const How how : each_way) {
    CHECK(end_of({as_gzip(bomb)}, how).code() == ErrorCode::response_too_large);
    CHECK(end_of({http(200, nested, "Content-Encoding: gzip, gzip\r\n")}, how).code() ==
          ErrorCode::response_too_large);
  }
}

TEST_CASE("what is said to be packed and is not is a protocol error") {
  for (const How how : each_way) {
    CHECK(end_of({as_gzip("this is no gzip at all")}, how).code() == ErrorCode::protocol);
    std::string broken = gzipped("seq 1 1000");
    broken[broken.size() / 2] = static_cast<char>(~broken[broken.size() / 2]);
    CHECK(end_of({as_gzip(broken)}, how).code() == ErrorCode::protocol);
  }
}

TEST_CASE("a URL of another origin is refused and that of the token's own is taken") {
  ScriptedServer server;
  ScriptedServer other;
  Client<> client(options_for(server));
  CHECK(client.get(server.origin() + "/v1/x").ok());
  for (const std::string& url : {other.origin() + "/x", "HTTP://127.0.0.1:" + std::to_string(other.port()),
                                 "https" + server.origin().substr(4),
                                 server.origin() + "@127.0.0.1:" + std::to_string(other.port()) + "/",
                                 std::string("file:///etc/passwd"), std::string("gopher://127.0.0.1/")}) {
    INFO(url);
    CHECK(failure(client.try_send({.path = url})).code() == ErrorCode::invalid_request);
  }
  // What looks like another host to a browser is a path here.
  CHECK(client.get("//127.0.0.1:" + std::to_string(other.port()) + "/x").ok());
  CHECK(other.accepted() == 0);
}
