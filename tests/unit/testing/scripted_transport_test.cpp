#include "tokenpool/testing/scripted_transport.hpp"

#include <chrono>
#include <optional>
#include <stdexcept>

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using tokenpool::testing::ManualClock;
using tokenpool::testing::ScriptedTransport;

namespace {

/// A request with all that it refers to.
struct Sender {
  Exchange send(ScriptedTransport& transport) {
    HeaderViews headers;
    headers.add("Authorization", "Bearer sk-one");
    return transport.perform(
        {method, url, headers, body, source, proxy, timeouts, tls, http, deadline, 0, 0, false}, interrupt);
  }

  std::string method{"POST"};
  std::string url{"https://host/x"};
  Body body{"text"};
  std::string source{};
  std::optional<std::string> proxy{};
  Timeouts timeouts{};
  TlsOptions tls{};
  HttpOptions http{};
  SteadyTime deadline = end_of_time;
  Interrupt interrupt{};
};

}  // namespace

TEST_CASE("a script is played in order and what was sent is kept") {
  ScriptedTransport transport;
  transport.answer(429).fail(FailureKind::lost, true).otherwise([](const testing::SentRequest& sent) {
    return testing::Reply{.answer = {200, {}, "for " + sent.token()}};
  });
  Sender sender;
  CHECK(sender.send(transport).answer.status == 429);
  CHECK(sender.send(transport).failure->kind == FailureKind::lost);
  CHECK(sender.send(transport).answer.body == "for sk-one");
  REQUIRE(transport.sent().size() == 3);
  CHECK(transport.sent()[2].body == "text");
}

TEST_CASE("a request beyond the script is a mistake of the test") {
  ScriptedTransport transport;
  Sender sender;
  CHECK_THROWS_WITH(sender.send(transport), "the script is over, and here comes POST https://host/x");
}

TEST_CASE("an answer takes its time on the clock but not beyond the deadline") {
  ManualClock clock;
  ScriptedTransport transport(clock);
  transport.answer(200, "", {}, 3s).answer(200, "", {}, 3s);
  Sender sender;
  const SteadyTime began = clock.now().steady;
  sender.deadline = began + 5s;
  CHECK(sender.send(transport).answered_at == began + 3s);
  CHECK(sender.send(transport).failure->kind == FailureKind::deadline);
  CHECK(clock.now().steady == began + 5s);
}

TEST_CASE("a cancelled request is not answered") {
  ScriptedTransport transport;
  Sender sender;
  transport.reply({.answer = {200, {}, {}}, .meanwhile = [&] { sender.interrupt.cancel(); }});
  CHECK(sender.send(transport).failure->kind == FailureKind::cancelled);
}
