#include "tokenpool/client/client.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "catch_compat.hpp"
#include "scripted_client.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::ScriptedClient;
using testing::Reply;
using testing::SentRequest;

namespace {

const std::string invalid_key = R"({"error": {"code": "invalid_api_key", "message": "no"}})";

Reply answer(int status, std::string body = "{}", Headers headers = {}) {
  return {.answer = {status, std::move(headers), std::move(body)}};
}

/// The statuses of a trail, such as "429 200".
std::string statuses(const std::vector<Attempt>& attempts) {
  std::string text;
  for (const Attempt& attempt : attempts) text += (text.empty() ? "" : " ") + std::to_string(attempt.status);
  return text;
}

template <class Client, class Body>
concept CanPost = requires(Client& client, Body body) {
  client.post("/x", body);
};

}  // namespace

TEST_CASE("an answer comes back with all that the server sent and who asked") {
  ScriptedClient t(1);
  t.transport->answer(201, "hello", {{"X-Tag", "a"}}, 20ms);
  const Response response = t.client->get("/things");
  CHECK(response.status == 201);
  CHECK(response.body == "hello");
  CHECK(response.headers == Headers{{"X-Tag", "a"}});
  CHECK(response.token_id == "t0");
  CHECK(response.egress_id == "default");
  CHECK(response.timing.total == 20ms);
  REQUIRE(response.attempts.size() == 1);
  CHECK(response.attempts[0].status == 201);
  CHECK(response.attempts[0].verdict == Verdict::success);
  CHECK(response.attempts[0].duration == 20ms);
  CHECK(response.attempts[0].waited == 0ms);
  CHECK(t.transport->sent()[0].url == "https://host/v1/things");
}

TEST_CASE("a refused token is replaced by another one at once") {
  ScriptedClient t(3);
  const WallTime began = t.clock.now().wall;
  t.transport->answer(429, "{}", {{"Retry-After", "30"}}).answer(200, "yes");
  const auto result = t.post();
  REQUIRE(result);
  CHECK(result->body == "yes");
  CHECK(statuses(result->attempts) == "429 200");
  CHECK(t.sent() == "0 1");
  CHECK(t.clock.now().wall == began);
  CHECK(t.client->stats().tokens[0].state == TokenState::resting);
}

TEST_CASE("a token that rests is not asked before its time") {
  ScriptedClient t(2);
  t.transport->answer(429, "{}", {{"Retry-After", "30"}}).otherwise([](const SentRequest&) {
    return answer(200);
  });
  for (int call = 0; call < 5; ++call) CHECK(t.get());
  CHECK(t.sent() == "0 1 1 1 1 1");
  t.clock.advance(30s);
  for (int call = 0; call < 2; ++call) CHECK(t.get());
  CHECK_THAT(t.sent().substr(12), ContainsSubstring("0"));
}

TEST_CASE("a call waits until the only token has rested") {
  ScriptedClient t(1);
  const SteadyTime began = t.clock.now().steady;
  t.transport->answer(429, "{}", {{"Retry-After", "7"}}).answer(200);
  const auto result = t.get();
  REQUIRE(result);
  CHECK(t.clock.now().steady - began == 7s);
  CHECK(result->attempts[1].waited == 7s);
  CHECK(t.sent() == "0 0");
}

TEST_CASE("a call that would wait too long ends at once and says when to come back") {
  ScriptedClient t(2);
  t.transport->otherwise([](const SentRequest&) { return answer(429, "{}", {{"Retry-After", "3600"}}); });
  const Now began = t.clock.now();
  const auto result = t.get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::exhausted);
  CHECK(result.error().retry_at() == began.wall + 3600s);
  CHECK_THAT(result.error().what(), ContainsSubstring("exhausted until 2024-01-01T01:00:00Z"));
  CHECK(t.clock.now().steady == began.steady);
  CHECK(t.sent() == "0 1");

  CHECK(t.get().error().code() == ErrorCode::exhausted);
  CHECK(t.sent() == "0 1");
}

TEST_CASE("max_wait bounds all the waits of a call together") {
  ScriptedClient t(1, {.retry = {.max_wait = 10s}});
  t.transport->otherwise([](const SentRequest&) { return answer(429, "{}", {{"Retry-After", "6"}}); });
  const SteadyTime began = t.clock.now().steady;
  CHECK(t.get().error().code() == ErrorCode::exhausted);
  CHECK(t.clock.now().steady - began == 6s);
  CHECK(t.sent() == "0 0");
}

TEST_CASE("known limits are kept without asking the server") {
  ScriptedClient t(2, {.limits = {Limit::per_token(2, 1h)}});
  t.transport->otherwise([](const SentRequest&) { return answer(200); });
  for (int call = 0; call < 4; ++call) CHECK(t.get());
  const auto fifth = t.get();
  REQUIRE_FALSE(fifth);
  CHECK(fifth.error().code() == ErrorCode::exhausted);
  CHECK_THAT(fifth.error().what(), ContainsSubstring("every one of 2 tokens exhausted until"));
  CHECK(fifth.error().attempts().empty());
  CHECK(t.transport->sent().size() == 4);
}

TEST_CASE("a dead token is ejected and its call answered by another one") {
  ScriptedClient t(3);
  t.transport->otherwise([](const SentRequest& request) {
    return request.token() == "sk-canary-1" ? answer(401, invalid_key) : answer(200);
  });
  for (int call = 0; call < 9; ++call) CHECK(t.get());
  CHECK(t.client->stats().tokens[1].state == TokenState::ejected);
  CHECK(t.client->stats().tokens[1].failures == 1);
  CHECK(t.transport->sent().size() == 10);
}

TEST_CASE("nothing is sent and nothing counted when no time is left") {
  ScriptedClient t(1, {.limits = {Limit::per_token(1, 24h)}});
  CHECK(t.get({.deadline = 0ms}).error().code() == ErrorCode::deadline_exceeded);
  CHECK(t.transport->sent().empty());
  t.transport->answer(200);
  CHECK(t.get());
}

TEST_CASE("a client whose tokens are all gone says so") {
  ScriptedClient t(2);
  t.client->pool().disable("t1");
  t.transport->answer(401, invalid_key);
  const auto result = t.get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::no_tokens);
  CHECK_THAT(result.error().what(), ContainsSubstring("no token is left") &&
                                        ContainsSubstring("t0 is ejected: ") &&
                                        ContainsSubstring("HTTP 401, invalid_api_key"));
  REQUIRE(result.error().response());
  CHECK(result.error().response()->status == 401);
}

TEST_CASE("an endpoint that refuses every token costs three requests and no token") {
  ScriptedClient t(5);
  t.transport->otherwise([](const SentRequest&) { return answer(401, invalid_key); });
  const auto result = t.get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::http_status);
  CHECK_THAT(result.error().what(),
             ContainsSubstring("the server answered 401") && ContainsSubstring("the endpoint is the cause"));
  CHECK(result.error().response()->body == invalid_key);
  CHECK(t.transport->sent().size() == 3);
  CHECK(t.client->stats().pool.ejected == 0);
}

TEST_CASE("a 403 is delivered whoever asks") {
  ScriptedClient t(2);
  t.transport->otherwise([](const SentRequest&) { return answer(403); });
  for (int call = 0; call < 2; ++call) {
    const auto result = t.get();
    REQUIRE(result);
    CHECK(result->status == 403);
    CHECK(result->attempts.size() == 1);
  }
}

TEST_CASE("a 403 about the key is delivered when every token met it") {
  const Classification other_token{.verdict = Verdict::forbidden, .try_another_token = true};
  ScriptedClient t(2, {.classify = {[&](const Answer&, WallTime) { return other_token; }}});
  t.transport->answer(403, "first").answer(403, "second");
  const auto result = t.get();
  REQUIRE(result);
  CHECK(result->status == 403);
  CHECK(result->body == "second");
  CHECK(t.sent() == "0 1");
}

TEST_CASE("an answer that no other token would change is delivered") {
  for (const int status : {204, 301, 400, 404, 409, 422}) {
    INFO(status);
    ScriptedClient t(2);
    t.transport->answer(status);
    const auto result = t.get();
    REQUIRE(result);
    CHECK(result->status == status);
    CHECK(t.transport->sent().size() == 1);
  }
}

TEST_CASE("a server error is repeated after a wait and the trail tells of it") {
  ScriptedClient t(1);
  const SteadyTime began = t.clock.now().steady;
  t.transport->answer(503, "{}", {{"Retry-After", "2"}}).answer(200);
  const auto result = t.post();
  REQUIRE(result);
  CHECK(statuses(result->attempts) == "503 200");
  CHECK(result->attempts[0].verdict == Verdict::server_error);
  CHECK(result->attempts[1].waited == 2s);
  CHECK(t.clock.now().steady - began == 2s);
}

TEST_CASE("a server error that stays is an Error with the last answer as it was") {
  ScriptedClient t(2);
  t.transport->answer(500, "one").answer(502, "two").answer(500, "three");
  const auto result = t.get();
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::http_status);
  CHECK(statuses(result.error().attempts()) == "500 502 500");
  REQUIRE(result.error().response());
  CHECK(result.error().response()->body == "three");
  CHECK_THAT(result.error().what(), test::StartsWith("the server answered 500"));
}

TEST_CASE("the deadline of a call includes its waits") {
  ScriptedClient t(1);
  t.transport->answer(429, "{}", {{"Retry-After", "5"}});
  const SteadyTime began = t.clock.now().steady;
  const auto result = t.get({.deadline = 4s});
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::exhausted);
  CHECK(result.error().retry_at().has_value());
  CHECK(t.clock.now().steady == began);
}

TEST_CASE("the deadline reaches into the attempt") {
  ScriptedClient t(1);
  t.transport->reply({.takes = 10s});
  const SteadyTime began = t.clock.now().steady;
  const auto result = t.get({.deadline = 4s});
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::deadline_exceeded);
  CHECK(t.clock.now().steady - began == 4s);
  CHECK(t.transport->sent()[0].deadline == began + 4s);
}

TEST_CASE("timeouts total is the deadline of a call that has none") {
  ScriptedClient t(1, {.timeouts = {.total = 30s}});
  t.transport->reply({.takes = 31s});
  CHECK(t.get().error().code() == ErrorCode::deadline_exceeded);

  ScriptedClient endless(1, {.timeouts = {.total = 0s}});
  endless.transport->reply({.answer = {200, {}, {}}, .takes = 24h});
  CHECK(endless.get());
}

TEST_CASE("a call that was cancelled before it began sends nothing") {
  ScriptedClient t(1);
  const CancelSource source;
  source.cancel();
  CHECK(t.get({.cancel = source.token()}).error().code() == ErrorCode::cancelled);
  CHECK(t.transport->sent().empty());
}

TEST_CASE("a call can be cancelled while its request is under way") {
  ScriptedClient t(1);
  const CancelSource source;
  t.transport->reply({.answer = {200, {}, {}}, .meanwhile = [&] { source.cancel(); }});
  const auto result = t.get({.cancel = source.token()});
  CHECK(result.error().code() == ErrorCode::cancelled);
  CHECK(result.error().attempts().size() == 1);
  CHECK(t.client->stats().tokens[0].in_flight == 0);
}

TEST_CASE("a call can be cancelled before it backs off") {
  const CancelSource source;
  ScriptedClient t(1, {.observer = {.on_retry = [&](const RetryEvent&) { source.cancel(); }}});
  t.transport->answer(503);
  const SteadyTime began = t.clock.now().steady;
  CHECK(t.get({.cancel = source.token()}).error().code() == ErrorCode::cancelled);
  CHECK(t.clock.now().steady == began);
}

TEST_CASE("a call can be cancelled before it waits for a token") {
  const CancelSource source;
  ScriptedClient t(1, {.observer = {.on_attempt = [&](const AttemptEvent&) { source.cancel(); }}});
  t.transport->answer(429);
  CHECK(t.get({.cancel = source.token()}).error().code() == ErrorCode::cancelled);
  CHECK(t.client->stats().pool.waiting == 0);
}

TEST_CASE("the user's classifiers are asked in order before the built-in one") {
  std::string asked;
  const auto no_opinion = [&](const Answer&, WallTime) -> std::optional<Classification> {
    asked += "a";
    return std::nullopt;
  };
  const auto slow_down = [&](const Answer& seen, WallTime) -> std::optional<Classification> {
    asked += "b";
    return seen.body == "slow" ? std::optional(Classification{.verdict = Verdict::rate_limited, .rest = 9s})
                               : std::nullopt;
  };
  ScriptedClient t(2, {.classify = {no_opinion, slow_down}});
  t.transport->answer(200, "slow").answer(200, "done");
  const auto result = t.get();
  REQUIRE(result);
  CHECK(result->body == "done");
  CHECK(asked == "abab");
  CHECK(t.client->stats().tokens[0].rest == 9s);
}

TEST_CASE("a classifier that throws reaches the caller and its request counts") {
  ScriptedClient t(1, {.limits = {Limit::per_token(1, 1h)},
                       .classify = {[](const Answer&, WallTime) -> std::optional<Classification> {
                         throw std::domain_error("mine");
                       }}});
  t.transport->answer(200);
  CHECK_THROWS_AS(t.get(), std::domain_error);
  CHECK(t.client->stats().tokens[0].in_flight == 0);
  CHECK(t.get().error().code() == ErrorCode::exhausted);
}

TEST_CASE("a body that throws reaches the caller and its request counts") {
  ScriptedClient t(1, {.limits = {Limit::per_token(1, 1h)}});
  t.transport->answer(200);
  Request request{.method = "POST", .path = "/x"};
  request.body = Body::from([](char*, std::size_t) -> std::size_t { throw std::domain_error("mine"); });
  CHECK_THROWS_AS(t.client->try_send(request), std::domain_error);
  CHECK(t.client->stats().tokens[0].in_flight == 0);
  CHECK(t.get().error().code() == ErrorCode::exhausted);
}

TEST_CASE("a body without rewind is sent once and its call ends when it had to be sent again") {
  ScriptedClient t(2);
  t.transport->answer(429);
  Request request{.method = "POST", .path = "/x"};
  bool done = false;
  request.body = Body::from([&](char* buffer, std::size_t) -> std::size_t {
    *buffer = 'x';
    return std::exchange(done, true) ? 0U : 1U;
  });
  const auto result = t.client->try_send(request);
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::http_status);
  CHECK_THAT(result.error().what(), ContainsSubstring("the body cannot be sent again"));
  CHECK(t.transport->sent()[0].body == "x");
}

TEST_CASE("the true cost of an answer settles what its estimate took") {
  const Limit tokens_per_hour{.amount = 100, .window = 1h, .scope = Scope::token, .unit = Unit::cost};
  ScriptedClient t(1, {.limits = {tokens_per_hour},
                       .cost_of = [](const Response& response) { return std::stoll(response.body); }});
  t.transport->answer(200, "5").answer(200, "90");
  CHECK(t.get({.cost = 100}));
  CHECK(t.client->stats().tokens[0].limits[0].used == 5);
  CHECK(t.get({.cost = 95}));
  CHECK(t.client->stats().tokens[0].limits[0].used == 95);
}

TEST_CASE("a cost that no limit ever holds is refused with the limit") {
  ScriptedClient t(1, {.limits = {{.amount = 10, .window = 1h, .scope = Scope::token, .unit = Unit::cost}}});
  const auto result = t.get({.cost = 11});
  CHECK(result.error().code() == ErrorCode::invalid_request);
  CHECK_THAT(result.error().what(), ContainsSubstring("cost is 11, but a limit holds at most 10"));
}

TEST_CASE("a credential in the query goes over the wire and into nothing else") {
  ScriptedClient t(1, {.auth = Auth::query("key")});
  t.transport->answer(200);
  REQUIRE(t.get());
  CHECK(t.transport->sent()[0].url == "https://host/v1/x?key=sk-canary-0");
  CHECK_FALSE(t.transport->sent()[0].headers.get("Authorization"));
}

TEST_CASE("an absolute URL of another origin is refused before anything is sent") {
  ScriptedClient t(1);
  const auto result = t.client->try_send({.path = "https://other/x"});
  CHECK(result.error().code() == ErrorCode::invalid_request);
  CHECK(t.transport->sent().empty());
  CHECK(t.client->stats().tokens[0].in_flight == 0);
}

TEST_CASE("a request that is refused takes nothing from the limits") {
  ScriptedClient t(1, {.limits = {Limit::per_token(1, 1h)}});
  t.transport->answer(200);
  CHECK_FALSE(t.client->try_send({.path = "https://other/x"}));
  CHECK(t.get());
}

TEST_CASE("a request that never went out takes nothing from the limits") {
  ScriptedClient t(1, {.limits = {Limit::per_token(1, 1h)}});
  t.transport->fail(FailureKind::connect).answer(200);
  CHECK(t.post());
}

TEST_CASE("a policy that throws or points at nobody ends its call alone") {
  int picks = 0;
  const auto policy = [&picks](const Candidates& candidates, PickContext&) -> std::size_t {
    switch (++picks) {
      case 1: throw std::runtime_error("dice lost");
      case 2: throw 42;
      case 3: return candidates.size();
      default: return 0;
    }
  };
  ScriptedClient<std::remove_const_t<decltype(policy)>> t(1, {}, policy);
  t.transport->answer(200);
  CHECK_THAT(t.get().error().what(), ContainsSubstring("the selection policy threw: dice lost"));
  CHECK(t.get().error().code() == ErrorCode::invalid_request);
  CHECK_THAT(t.get().error().what(), ContainsSubstring("returned index 1 of 1"));
  CHECK(t.get());
}

TEST_CASE("a lambda is a policy") {
  const auto last = [](const Candidates& candidates, PickContext&) { return candidates.size() - 1; };
  using Last = std::remove_const_t<decltype(last)>;
  const Client<Last> client({.base_url = "https://host", .tokens = test::canary_tokens(3)});
  CHECK(client.stats().tokens.size() == 3);
}

TEST_CASE("every listed egress is used and named in the trail") {
  ScriptedClient t(
      1, {.egress = {{.id = "a", .source = "10.0.0.1"}, {.id = "b", .proxy = "http://proxy:3128"}}});
  t.transport->answer(200).answer(200);
  const std::string ids = t.get()->egress_id + t.get()->egress_id;
  CHECK((ids == "ab" || ids == "ba"));
  for (const SentRequest& request : t.transport->sent()) {
    CHECK(request.source == (request.proxy->empty() ? "10.0.0.1" : ""));
  }
}

TEST_CASE("without a listed egress the system chooses the way") {
  ScriptedClient t(1);
  t.transport->answer(200);
  CHECK(t.get());
  CHECK(t.transport->sent()[0].proxy == std::nullopt);
  CHECK(t.transport->sent()[0].source.empty());
}

TEST_CASE("Replay never asks for a connection that cannot be stale") {
  ScriptedClient t(1, {.retry = {.replay = Replay::never}});
  t.transport->answer(200);
  CHECK(t.get());
  CHECK(t.transport->sent()[0].fresh_connection);
}

TEST_CASE("send throws what try_send returns") {
  ScriptedClient t(1);
  t.transport->answer(404).fail(FailureKind::protocol, true);
  CHECK(t.client->send({.path = "/x"}).status == 404);
  CHECK_THROWS_AS(t.client->send({.path = "/x"}), Error);
}

TEST_CASE("the verbs send their methods") {
  ScriptedClient t(1);
  t.transport->answer(200).answer(200);
  t.client->get("/x");
  t.client->del("/x");
  CHECK(t.transport->sent()[0].method == "GET");
  CHECK(t.transport->sent()[1].method == "DELETE");
}

TEST_CASE("a text is no JSON body and does not compile as one") {
  using OurClient = ScriptedClient<>::Client;
  STATIC_REQUIRE(CanPost<OurClient, const nlohmann::json&>);
  STATIC_REQUIRE_FALSE(CanPost<OurClient, const char*>);
  STATIC_REQUIRE_FALSE(CanPost<OurClient, std::string>);
  STATIC_REQUIRE_FALSE(CanPost<OurClient, std::string_view>);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<OurClient>);
  STATIC_REQUIRE_FALSE(std::is_move_constructible_v<OurClient>);
  SUCCEED();
}

TEST_CASE("what a call waited is told once") {
  ScriptedClient t(1);
  t.transport->answer(503, "{}", {{"Retry-After", "1"}})
      .answer(429, "{}", {{"Retry-After", "2"}})
      .answer(200);
  const auto result = t.get();
  REQUIRE(result);
  REQUIRE(result->attempts.size() == 3);
  CHECK(result->attempts[0].waited == 0s);
  CHECK(result->attempts[1].waited == 1s);
  CHECK(result->attempts[2].waited == 2s);
}
