// A server that falls silent in each phase of a call: which limit ends it, what that is called, and that a
// slow server is not taken for a silent one.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "catch_compat.hpp"
#include "support/calls.hpp"
#include "support/full_port.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::each_way;
using test::failure;
using test::How;
using test::options_for;
using test::post;
using test::ScriptedServer;
using test::Turn;
using Then = Turn::Then;
using Read = Turn::Read;

namespace {

/// The error of one call to `server` with one attempt; a call that hangs ends by `total`, with another error.
Error silence(const ScriptedServer& server, const Timeouts& timeouts, How how,
              const Request& request = post()) {
  ClientOptions options = options_for(server, {.retry = {.max_attempts = 1}});
  options.timeouts = timeouts;
  options.timeouts.total = 30s;
  Client<> client(options);
  const Error error = failure(test::begin(client, request, how).get());
  CHECK(error.attempts().size() == 1);
  return error;
}

void check_lost(const Error& error, const std::string& limit) {
  CHECK(error.code() == ErrorCode::network);
  CHECK_THAT(error.what(), ContainsSubstring(limit));
}

}  // namespace

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

TEST_CASE("a connection that does not come about ends by timeouts.connect in each of its phases") {
  const test::FullPort full;
  const Turn mute{"", Then::stall, Read::nothing};
  for (const How how : each_way) {
    ScriptedServer no_handshake({mute});
    ScriptedServer no_tunnel({{"", Then::stall}});
    ScriptedServer no_greeting({mute});
    const std::string by_tls = "https://" + no_handshake.origin().substr(7);
    const std::string by_socks = "socks5://" + no_greeting.origin().substr(7);
    for (const auto& [url, proxy] :
         std::vector<std::pair<std::string, std::string>>{{full.origin(), ""},
                                                          {by_tls, ""},
                                                          {"https://host.invalid", no_tunnel.origin()},
                                                          {"http://127.0.0.1:1", by_socks}}) {
      INFO(url << ' ' << proxy);
      ClientOptions options = options_for(url, {.egress = {{.id = "way", .proxy = proxy}}});
      options.retry.max_attempts = 1;
      options.timeouts = {.connect = 100ms, .total = 30s};
      Client<> client(options);
      const Error error = failure(test::begin(client, post(), how).get());
      check_lost(error, "timeouts.connect");
      CHECK(error.attempts().at(0).verdict == Verdict::network_error);
    }
  }
}

TEST_CASE("a server that falls silent is left in each phase of its answer") {
  for (const How how : each_way) {
    ScriptedServer mute({{"", Then::stall}});
    check_lost(silence(mute, {.first_byte = 50ms}, how), "timeouts.first_byte");
    ScriptedServer interim({{"HTTP/1.1 100 Continue\r\n\r\n", Then::stall}});
    check_lost(silence(interim, {.first_byte = 50ms}, how), "timeouts.first_byte");
    for (const char* begun :
         {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/pl",
          "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n"}) {
      INFO(begun);
      ScriptedServer stalled({{begun, Then::stall}});
      check_lost(silence(stalled, {.idle = 50ms}, how), "timeouts.idle");
    }
  }
}

TEST_CASE("a server that takes no more of the body is left by timeouts.idle") {
  const std::string large(50'000'000, 'x');
  const auto produced = [] {
    return Body::from([](char* buffer, std::size_t capacity) {
      std::fill_n(buffer, capacity, 'x');
      return capacity;
    });
  };
  for (const How how : each_way) {
    for (const Body& body : {Body(large), produced()}) {
      ScriptedServer full({{"", Then::stall, Read::head}});
      check_lost(silence(full, {.idle = 100ms}, how, post(body)), "took nothing of the body");
    }
  }
}

TEST_CASE("a server that is slow but not silent is heard to its end") {
  const std::string answer = test::http(200, "0123456789", "X-Slow: 1\r\n");
  // Twice as long as the silence that would end it.
  const Turn slowly{.more = test::dripping(answer, 4000ms / static_cast<int>(answer.size()))};
  ScriptedServer server({slowly, slowly});
  ClientOptions options = options_for(server);
  options.timeouts.idle = 2000ms;
  Client<> client(options);
  auto blocking = test::begin(client, post(), How::blocking);
  auto asynchronous = test::begin(client, post(), How::asynchronous);
  for (auto* call : {&blocking, &asynchronous}) {
    const Result<Response> heard = call->get();
    REQUIRE(heard);
    CHECK(heard->body == "0123456789");
  }
}

TEST_CASE("a server that thinks for long once it has the whole body is not taken for a silent one") {
  const auto thinking = [](int connection) {
    std::this_thread::sleep_for(2500ms);
    return ScriptedServer::send_all(connection, test::http(200, "thought"));
  };
  ScriptedServer server(std::vector<Turn>(10, Turn{.more = thinking}));
  const auto produced = [](std::optional<std::uint64_t> size) {
    return Body::from(
        [left = std::size_t{1'000'000}](char* buffer, std::size_t capacity) mutable {
          const std::size_t count = (std::min)(capacity, left);
          std::fill_n(buffer, count, 'x');
          left -= count;
          return count;
        },
        size);
  };
  const std::string large(1'000'000, 'x');
  std::vector<std::unique_ptr<Client<>>> clients;
  std::vector<std::future<Result<Response>>> calls;
  const auto call_all = [&](const std::string& url) {
    ClientOptions options = options_for(url);
    options.timeouts.idle = 1000ms;
    if (url.starts_with("https:")) options.tls.ca_file = test::Certificates::instance().pem("ca");
    clients.push_back(std::make_unique<Client<>>(options));
    for (const Body& body : {Body("small"), Body(large), produced(1'000'000), produced({}),
                             Body::multipart({{.name = "large", .content = large}})}) {
      calls.push_back(test::begin(*clients.back(), post(body), How::asynchronous));
    }
  };
  call_all(server.origin());
  std::optional<test::Nginx> by_http2;
  if (test::all_here({"openssl", "setpriv", "nginx"})) {
    by_http2.emplace("client_max_body_size 0; location / { proxy_pass " + server.origin() + "; }");
    call_all(by_http2->origin());
  }
  for (auto& call : calls) CHECK(call.get()->body == "thought");
}

TEST_CASE("a header line that comes byte by byte without end is silence") {
  const std::string line(100'000, 'x');
  for (const How how : each_way) {
    ScriptedServer dripping({{.more = test::dripping("HTTP/1.1 200 OK\r\nX-Long: " + line, 1ms)}});
    check_lost(silence(dripping, {.idle = 200ms}, how), "timeouts.idle");
  }
}

TEST_CASE("the total covers all attempts and waits of a call") {
  const Turn busy{test::http(503)};
  for (const How how : each_way) {
    ScriptedServer server(std::vector<Turn>(50, busy));
    ClientOptions options = options_for(server, {.retry = {.max_attempts = 1000}});
    options.retry.backoff = {.first = 20ms, .max = 20ms};
    options.timeouts.total = 100ms;
    Client<> client(options);
    const Error error = failure(test::begin(client, post(), how).get());
    CHECK((error.code() == ErrorCode::http_status || error.code() == ErrorCode::deadline_exceeded));
    CHECK(error.attempts().size() < 50);
  }
}
