// One conversation is scripted once: a 429, a server error, the answer. It is then replayed with every kind
// of failure injected at every step. Whatever happens, the call ends once, in an answer or an Error that
// names its attempts, and leaves no lease behind.

#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "scripted_client.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ScriptedClient;
using testing::Reply;

namespace {

std::vector<Reply> conversation() {
  return {{.answer = {429, {{"Retry-After", "1"}}, "{}"}, .takes = 10ms},
          {.answer = {503, {}, "{}"}, .takes = 10ms},
          {.answer = {200, {}, "done"}, .takes = 10ms}};
}

struct Injection {
  FailureKind kind;
  bool sent;
};

/// Every kind of failure in every phase in which it can come.
const std::vector<Injection> injections{
    {FailureKind::connect, false},  {FailureKind::proxy, false},    {FailureKind::tls, false},
    {FailureKind::lost, false},     {FailureKind::lost, true},      {FailureKind::protocol, true},
    {FailureKind::too_large, true}, {FailureKind::body, false},     {FailureKind::body, true},
    {FailureKind::unfit, false},    {FailureKind::cancelled, true}, {FailureKind::deadline, true}};

/// Whether the table lets a request go on after this failure.
bool goes_on(const Injection& injection, bool safe) {
  switch (injection.kind) {
    case FailureKind::connect:
    case FailureKind::proxy: return true;
    case FailureKind::lost: return safe || !injection.sent;
    default: return false;
  }
}

void replay_with(const Injection& injection, std::size_t step, bool safe) {
  ScriptedClient t(2, {.retry = {.max_attempts = 3}});
  std::vector<Reply> script = conversation();
  script.insert(script.begin() + static_cast<std::ptrdiff_t>(step),
                Reply{.failure = TransportFailure{injection.kind, injection.sent, "injected"}, .takes = 5ms});
  for (const Reply& reply : script) t.transport->reply(reply);

  const auto result = safe ? t.get() : t.post();
  CHECK(result.has_value() == goes_on(injection, safe));
  const auto& trail = result ? result->attempts : result.error().attempts();
  CHECK(trail.size() == (result ? 4 : step + 1));
  CHECK(t.transport->sent().size() == trail.size());
  CHECK(trail[step].status == 0);
  if (result) CHECK(result->body == "done");

  const PoolSnapshot after = t.client->stats();
  CHECK(after.tokens[0].in_flight + after.tokens[1].in_flight == 0);
  CHECK(after.pool.waiting == 0);
}

}  // namespace

TEST_CASE("a call ends once whatever fails at whichever step") {
  for (const bool safe : {true, false}) {
    for (const Injection& injection : injections) {
      for (std::size_t step = 0; step < 3; ++step) {
        INFO((safe ? "GET" : "POST") << " step " << step << " kind " << static_cast<int>(injection.kind)
                                     << (injection.sent ? " sent" : " not sent"));
        replay_with(injection, step, safe);
      }
    }
  }
}

TEST_CASE("an idempotency key lets a POST be repeated and stays the same") {
  ScriptedClient t(2);
  t.transport->fail(FailureKind::lost, true).answer(503).answer(200);
  REQUIRE(t.post({.idempotency_key = "k1"}));
  for (const auto& sent : t.transport->sent()) CHECK(sent.headers.get("Idempotency-Key") == "k1");
  CHECK(t.transport->sent().size() == 3);
}

TEST_CASE("a client that makes idempotency keys gives each call one for all its attempts") {
  ScriptedClient t(2, {.retry = {.make_idempotency_keys = true}});
  t.transport->fail(FailureKind::lost, true).answer(200).answer(200).answer(200);
  REQUIRE(t.post());
  REQUIRE(t.post());
  REQUIRE(t.get());
  const auto sent = t.transport->sent();
  REQUIRE(sent.size() == 4);
  const auto key = [&](std::size_t i) { return sent[i].headers.get("Idempotency-Key"); };
  REQUIRE(key(0));
  CHECK(key(0)->size() == 32);
  CHECK(key(1) == key(0));
  CHECK(key(2) != key(0));
  CHECK_FALSE(key(3));
}

TEST_CASE("Replay always repeats a POST that was lost on the way") {
  ScriptedClient t(2, {.retry = {.replay = Replay::always}});
  t.transport->fail(FailureKind::lost, true).answer(200);
  CHECK(t.post());
}

TEST_CASE("in an outage of everything a thousand calls cost little more than a thousand requests") {
  ScriptedClient t(5);
  t.transport->otherwise([](const testing::SentRequest&) { return Reply{.answer = {503, {}, "{}"}}; });
  for (int call = 0; call < 1000; ++call) CHECK_FALSE(t.post());
  CHECK(t.transport->sent().size() <= 1210);
  CHECK(t.transport->sent().size() > 1150);

  t.transport->otherwise([](const testing::SentRequest&) { return Reply{.answer = {200, {}, "{}"}}; });
  CHECK(t.post()->attempts.size() == 1);
}
