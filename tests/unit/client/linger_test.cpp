#include "tokenpool/client/linger.hpp"

#include "catch_compat.hpp"
#include "scripted_client.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using detail::Linger;
using test::ScriptedClient;
using testing::Reply;

namespace {

/// When the one token of a client with room for one request a minute has room again.
std::chrono::milliseconds room_in(ScriptedClient<>& t) {
  const LimitUse used = t.client->stats().tokens.at(0).limits.at(0);
  REQUIRE(used.used == 1);
  return used.resets_in.value();
}

ClientOptions one_a_minute() { return {.limits = {Limit::per_token(1, 60s)}, .timeouts = {.total = 20s}}; }

}  // namespace

TEST_CASE("until an answer has come a lost request may be counted as long as the longest call takes") {
  CHECK(Linger(20s).length() == 20s);
  CHECK(Linger(0ms).length() == 10min);
}

TEST_CASE("a lost request may be counted for twice as long as the slowest answer took") {
  Linger linger(20s);
  linger.answered(3s);
  linger.answered(2s);
  CHECK(linger.length() == 6s);
  linger.answered(15s);
  CHECK(linger.length() == 20s);
}

TEST_CASE("a lost request may be counted for a second at least") {
  Linger linger(20s);
  linger.answered(3ms);
  CHECK(linger.length() == 1s);
}

TEST_CASE("a call that is cancelled under way counts until the server can no longer get to it") {
  ScriptedClient t(1, one_a_minute());
  CancelSource source;
  t.transport->reply({.takes = 3s, .meanwhile = [&] { source.cancel(); }});
  CHECK(t.get({.cancel = source.token()}).error().code() == ErrorCode::cancelled);
  CHECK(room_in(t) == 20s + 60s);
}

TEST_CASE("a call that ran into its deadline counts until the server can no longer get to it") {
  ScriptedClient t(1, one_a_minute());
  t.transport->reply({.takes = 30s});
  CHECK(t.get({.deadline = 5s}).error().code() == ErrorCode::deadline_exceeded);
  CHECK(room_in(t) == 20s + 60s);
}

TEST_CASE("an interim answer does not end the time in which a lost request may be counted") {
  ScriptedClient t(1, one_a_minute());
  t.transport->reply({.answer = {100, {}, ""},
                      .failure = TransportFailure{FailureKind::lost, true, "connection reset"},
                      .takes = 3s});
  CHECK(t.post().error().code() == ErrorCode::network);
  CHECK(room_in(t) == 20s + 60s);
}

TEST_CASE("an answer counts from its coming on") {
  ScriptedClient t(1, one_a_minute());
  t.transport->reply({.answer = {200, {}, "{}"}, .takes = 2s});
  REQUIRE(t.get());
  CHECK(room_in(t) == 60s);
}
