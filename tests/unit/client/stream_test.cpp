// What a stream of events comes to: what is an end, what is an error, and when a request is sent again.

#include "tokenpool/client/stream.hpp"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "scripted_client.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::ScriptedClient;
using testing::Reply;

namespace {

const Headers event_stream{{"Content-Type", "text/event-stream; charset=utf-8"}};

std::string data(const std::string& text) { return "data: " + text + "\n\n"; }
std::string named(const std::string& name, const std::string& text) {
  return "event: " + name + "\n" + data(text);
}
std::string chunk(const std::string& text) { return data(R"({"choices":[{"delta":")" + text + R"("}]})"); }

const std::string done = data("[DONE]");
const std::string too_fast = R"({"error":{"message":"slow down","code":"rate_limit_exceeded"}})";

Reply streamed(std::string body, std::optional<TransportFailure> failure = {}) {
  return {.answer = {200, event_stream, std::move(body)}, .failure = std::move(failure)};
}
const TransportFailure lost{FailureKind::lost, true, "connection reset"};

/// A client on paper whose streams are listened to.
struct StreamClient : ScriptedClient<> {
  using ScriptedClient<>::ScriptedClient;

  Result<Response> listen(Request request = {.method = "POST", .path = "/chat", .body = "{}"}) {
    try {
      return client->stream(std::move(request), [this](const ServerSentEvent& event) {
        events.push_back(event.data);
        return !until || event.data != *until;
      });
    } catch (const Error& error) {
      return Unexpected(error);
    }
  }

  std::optional<std::string> until;  ///< the data of the event that is enough
  std::vector<std::string> events;
};

}  // namespace

TEST_CASE("a stream hands over its events and ends with DONE") {
  StreamClient t(1);
  t.transport->reply(streamed(data("a") + ": ping\n\n" + data("b") + done + data("c")));
  const auto result = t.listen();
  REQUIRE(result);
  CHECK(result->status == 200);
  CHECK(t.events == std::vector<std::string>{"a", "b"});
  CHECK_THAT(result->body, ContainsSubstring("data: a\n\n"));
  CHECK(t.transport->sent()[0].headers.get("Accept") == "text/event-stream");
}

TEST_CASE("an Accept of the request's own stays") {
  StreamClient t(1);
  t.transport->reply(streamed(done));
  REQUIRE(t.listen({.path = "/x", .headers = {{"Accept", "text/x"}}}));
  CHECK(t.transport->sent()[0].headers.get("Accept") == "text/x");
}

TEST_CASE("events arrive whole however the bytes are cut") {
  for (std::size_t piece = 1; piece < 40; ++piece) {
    StreamClient t(1);
    Reply reply = streamed("\xEF\xBB\xBF" + data("a") + "event: x\r\ndata: b\r\ndata: c\r\n\r\n" + done);
    reply.piece = piece;
    t.transport->reply(reply);
    REQUIRE(t.listen());
    CHECK(t.events == std::vector<std::string>{"a", "b\nc"});
  }
}

TEST_CASE("a consumer that has enough ends the call in success whatever would follow") {
  StreamClient t(1);
  t.until = "b";
  t.transport->reply(streamed(data("a") + data("b") + data("c"), lost));
  REQUIRE(t.listen());
  CHECK(t.events == std::vector<std::string>{"a", "b"});
  CHECK(t.transport->sent().size() == 1);
}

TEST_CASE("a stream that promised an end and has none was cut") {
  for (const std::string& begin : {chunk("hel") + chunk("lo"), named("message_start", "{}") + data("x"),
                                   named("response.created", "{}") + data("x")}) {
    StreamClient t(2);
    t.transport->reply(streamed(begin));
    const auto result = t.listen();
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == ErrorCode::network);
    CHECK_THAT(result.error().what(), ContainsSubstring("cut"));
    CHECK(t.events.size() == 2);
    REQUIRE(result.error().response());
    CHECK(result.error().response()->status == 200);
    CHECK(result.error().response()->body == begin);
    REQUIRE(result.error().attempts().size() == 1);
    CHECK(result.error().attempts()[0].status == 200);
    CHECK(result.error().attempts()[0].verdict == Verdict::ambiguous);
    CHECK(t.client->stats().tokens[0].in_flight == 0);
  }
}

TEST_CASE("the last event of a stream ends it though the connection breaks behind it") {
  for (const std::string& whole :
       {chunk("a") + done, named("message_start", "{}") + named("message_stop", "{}"),
        named("response.created", "{}") + named("response.completed", "{}")}) {
    StreamClient t(1);
    t.transport->reply(streamed(whole, lost));
    CHECK(t.listen());
  }
}

TEST_CASE("a stream without promises is whole when its body is") {
  StreamClient t(1);
  t.transport->reply(streamed(data("1") + data("2"))).reply(streamed(data("1"), lost));
  CHECK(t.listen());
  const auto broken = t.listen({.path = "/x"});
  REQUIRE_FALSE(broken);
  CHECK(broken.error().code() == ErrorCode::network);
  CHECK_THAT(broken.error().what(), ContainsSubstring("not repeated"));
}

TEST_CASE("a stream without any event is cut and repeated only if that is safe") {
  for (const char* empty : {"", ": ping\n\n", "data: unfinished"}) {
    StreamClient t(1);
    t.transport->reply(streamed(empty)).reply(streamed(data("a") + done));
    CHECK(t.listen({.path = "/x"}));
    t.transport->reply(streamed(empty));
    const auto post = t.listen();
    REQUIRE_FALSE(post);
    CHECK(post.error().code() == ErrorCode::network);
  }
}

TEST_CASE("a lost stream is repeated before its first event and never after it") {
  StreamClient t(1);
  t.transport->reply(streamed(": ping\n\n", lost)).reply(streamed(data("a"), lost));
  const auto result = t.listen({.path = "/x"});
  REQUIRE_FALSE(result);
  CHECK(result.error().attempts().size() == 2);
  CHECK(t.events == std::vector<std::string>{"a"});
}

TEST_CASE("an error before the first event is judged like the status it stands for") {
  for (const std::string& error : {data(too_fast), named("error", too_fast), too_fast}) {
    StreamClient t(2);
    t.transport->reply(streamed(error)).reply(streamed(data("a") + done));
    const auto result = t.listen();
    REQUIRE(result);
    CHECK(t.events == std::vector<std::string>{"a"});
    REQUIRE(result->attempts.size() == 2);
    CHECK(result->attempts[0].verdict == Verdict::rate_limited);
    CHECK(result->attempts[0].token_id != result->attempts[1].token_id);
  }
}

TEST_CASE("an error of the request before the first event ends the call in an Error") {
  StreamClient t(2);
  t.transport->reply(streamed(data(R"({"error":{"message":"no","code":"context_length_exceeded"}})")));
  const auto result = t.listen();
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::http_status);
  CHECK_THAT(result.error().response()->body, ContainsSubstring("context_length_exceeded"));
  CHECK(t.transport->sent().size() == 1);
}

TEST_CASE("an error in the middle ends the call and rests the token but repeats nothing") {
  StreamClient t(2);
  t.transport->reply(streamed(chunk("a") + data(too_fast) + chunk("b") + done));
  const auto result = t.listen({.path = "/x"});
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::http_status);
  CHECK_THAT(result.error().what(), ContainsSubstring("not repeated"));
  CHECK(t.events.size() == 1);
  CHECK(result.error().response()->body == too_fast);
  CHECK(t.client->stats().tokens[0].state == TokenState::resting);
}

TEST_CASE("an error that nobody knows is the server's failure and not repeated") {
  for (const std::string& error : {named("error", "out of order"), data(R"({"error":"out of order"})")}) {
    StreamClient t(1);
    t.transport->reply(streamed(error));
    const auto result = t.listen({.path = "/x"});
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == ErrorCode::http_status);
    CHECK(result.error().attempts().at(0).verdict == Verdict::server_error);
    CHECK(t.events.empty());
  }
}

TEST_CASE("an event that only begins like an error is an event") {
  StreamClient t(1);
  t.transport->reply(streamed(data(R"({"message":"hello"})") + data(R"({"error":null,"text":"x"})")));
  REQUIRE(t.listen());
  CHECK(t.events.size() == 2);
}

TEST_CASE("the user's classifier judges errors inside of a stream too") {
  StreamClient t(2, {.classify = {[](const Answer& answer, auto) -> std::optional<Classification> {
                       if (answer.body.find("nap") == std::string::npos) return std::nullopt;
                       return Classification{
                           .verdict = Verdict::rate_limited, .rest = 5s, .try_another_token = true};
                     }}});
  t.transport->reply(streamed(data(R"({"error":"nap"})"))).reply(streamed(done));
  CHECK(t.listen()->attempts[0].verdict == Verdict::rate_limited);
}

TEST_CASE("a JSON answer is looked at before a stream is opened") {
  const Headers json{{"Content-Type", "application/json"}};
  StreamClient t(2);
  t.transport->answer(200, too_fast, json).reply(streamed(data("a") + done));
  REQUIRE(t.listen());
  CHECK(t.events == std::vector<std::string>{"a"});

  StreamClient u(1);
  u.transport->answer(200, R"({"choices":[]})", json);
  const auto result = u.listen();
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::protocol);
  CHECK(result.error().response()->body == R"({"choices":[]})");
  CHECK(u.events.empty());
}

TEST_CASE("error statuses of a stream call are collected and judged as ever") {
  StreamClient t(2);
  t.transport->answer(429, data("no"), event_stream).answer(404, data("what"), event_stream);
  const auto result = t.listen();
  REQUIRE(result);
  CHECK(result->status == 404);
  CHECK(result->body == data("what"));
  CHECK(result->attempts.size() == 2);
  CHECK(t.events.empty());
}

TEST_CASE("a success without content is a stream without events") {
  StreamClient t(1);
  t.transport->answer(204, "");
  CHECK(t.listen()->status == 204);
}

TEST_CASE("an event above the maximum ends the call") {
  StreamClient t(1);
  t.transport->reply(streamed(data("small") + data(std::string(200, 'x')) + done));
  const auto result = t.listen({.path = "/x", .max_response_bytes = 100});
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::response_too_large);
  CHECK(t.events == std::vector<std::string>{"small"});
}

TEST_CASE("the end of a long stream is kept and cost_of reads it") {
  std::string seen;
  StreamClient t(1, {.cost_of = [&seen](const Response& response) {
                   seen = response.body;
                   return std::optional<std::int64_t>(7);
                 }});
  Reply reply = streamed("");
  for (int i = 0; i < 1000; ++i) reply.answer.body += data(std::string(1000, 'x'));
  reply.answer.body += data("usage") + done;
  reply.piece = 16'000;
  t.transport->reply(reply);
  CHECK(t.listen()->body == seen);
  CHECK(seen.size() == std::size_t{64} << 10U);
  CHECK_THAT(seen, test::EndsWith(data("usage") + done));
}

TEST_CASE("what a consumer throws reaches the caller once the lease is settled") {
  StreamClient t(1);
  t.transport->reply(streamed(data("a"))).reply(streamed(data("b")));
  const auto fail = [](const ServerSentEvent&) -> bool { throw std::runtime_error("full"); };
  CHECK_THROWS_WITH(t.client->stream({.path = "/x"}, fail), "full");
  const PoolSnapshot after = t.client->stats();
  CHECK(after.tokens[0].in_flight == 0);
  CHECK(after.tokens[0].successes == 1);
  CHECK(t.listen());
}

TEST_CASE("a consumer that pauses is offered the same event again") {
  for (const bool with_gate : {true, false}) {
    ScriptedClient<> t(1);
    t.transport->reply(streamed(data("a") + data("b") + data("c") + done));
    Request request{.path = "/x"};
    if (with_gate) request.gate = std::make_shared<BodyGate>();
    std::vector<std::string> offered;
    const auto consumer = [&](const ServerSentEvent& event) {
      offered.push_back(event.data);
      if (offered.size() != 2 && offered.size() != 3) return BodyAction::take;
      if (with_gate) request.gate->resume();
      return BodyAction::pause;
    };
    const auto began = t.clock.now().steady;
    CHECK(t.client->stream(request, consumer).body == data("a") + data("b") + data("c") + done);
    CHECK(offered == std::vector<std::string>{"a", "b", "b", "b", "c"});
    CHECK(t.clock.now().steady - began == (with_gate ? 0ms : 20ms));
  }
}

TEST_CASE("a stream counts from when its header block came however long it lasts") {
  ScriptedClient<> t(1, {.limits = {Limit::per_token(1, 50ms)}});
  t.transport->reply(streamed(data("a") + done)).answer(200);
  int pauses = 0;
  const auto slow = [&](const ServerSentEvent&) {
    return ++pauses < 10 ? BodyAction::pause : BodyAction::take;
  };
  CHECK(t.client->stream({.path = "/x"}, slow).ok());
  const auto next = t.get();
  REQUIRE(next);
  CHECK(next->attempts[0].waited == 0us);
}

TEST_CASE("a stream that goes on holds up nobody who waits for its token to be well") {
  StreamClient t(1);
  t.transport->answer(429, "{}", {{"Retry-After", "1"}}).reply(streamed(data("a") + done)).answer(200);
  std::vector<Verdict> meanwhile;
  const Response whole = t.client->stream({.path = "/chat"}, [&](const ServerSentEvent&) {
    const SteadyTime began = t.clock.now().steady;
    meanwhile.push_back(t.get().value().attempts.at(0).verdict);
    CHECK(t.clock.now().steady == began);
  });
  CHECK(whole.attempts.size() == 2);
  CHECK(meanwhile == std::vector{Verdict::success});
  CHECK(t.client->stats().tokens.at(0).successes == 2);
}

TEST_CASE("a consumer may return nothing") {
  ScriptedClient<> t(1);
  t.transport->reply(streamed(data("a") + done));
  int events = 0;
  t.client->stream({.path = "/x"}, [&](const ServerSentEvent&) { ++events; });
  CHECK(events == 1);
}

TEST_CASE("a cancelled stream hands over nothing more and keeps what came") {
  StreamClient t(1);
  CancelSource source;
  t.transport->reply(streamed(data("a") + data("b") + data("c") + done));
  int events = 0;
  try {
    t.client->stream({.path = "/x", .cancel = source.token()}, [&](const ServerSentEvent&) {
      if (++events == 2) source.cancel();
    });
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::cancelled);
    CHECK(error.response()->status == 200);
  }
  CHECK(events == 2);
}

TEST_CASE("raw bytes go to on_body and are not collected") {
  ScriptedClient<> t(1);
  Reply reply{.answer = {200, {}, "abcdefgh"}, .piece = 3};
  t.transport->reply(reply).answer(404, "no such");
  std::string bytes;
  const OnBody keep = [&](std::string_view piece) {
    bytes += piece;
    return BodyAction::take;
  };
  const auto whole = t.get({.max_response_bytes = 1, .on_body = keep});
  REQUIRE(whole);
  CHECK(whole->body.empty());
  CHECK(bytes == "abcdefgh");
  CHECK(t.get({.on_body = keep})->body == "no such");
  CHECK(bytes == "abcdefgh");
}

TEST_CASE("a lost body is repeated unless on_body has seen some of it") {
  ScriptedClient<> t(1);
  int calls = 0;
  const OnBody count = [&](std::string_view) {
    ++calls;
    return BodyAction::take;
  };
  t.transport->reply({.answer = {200, {}, ""}, .failure = lost});
  t.transport->reply({.answer = {200, {}, "half"}, .failure = lost});
  const auto result = t.get({.on_body = count});
  REQUIRE_FALSE(result);
  CHECK(calls == 1);
  CHECK(t.transport->sent().size() == 2);
}

TEST_CASE("on_body stops a call in success and what it throws reaches the caller") {
  ScriptedClient<> t(1);
  t.transport->answer(200, "x").answer(200, "y");
  CHECK(t.get({.on_body = [](std::string_view) { return BodyAction::stop; }}));
  const OnBody fail = [](std::string_view) -> BodyAction { throw std::runtime_error("full"); };
  CHECK_THROWS_WITH(t.get({.on_body = fail}), "full");
}

TEST_CASE("on_head is shown the head of the answer that is delivered before its first byte") {
  ScriptedClient<> t(2);
  t.transport->answer(429, "slow down", {{"Retry-After", "60"}});
  t.transport->answer(200, "bytes", {{"X-Kind", "b"}}).answer(204, "");
  std::string order;
  const auto call = [&] {
    return t.get({.on_body = [&](std::string_view bytes) { return order += bytes, BodyAction::take; },
                  .on_head =
                      [&](const AnswerHead& head) {
                        order += std::to_string(head.status) +
                                 std::string(head.headers.get("X-Kind").value_or("")) + " by " +
                                 std::string(head.token_id) + " in " + std::to_string(head.attempts) + ": ";
                      }});
  };
  const auto answer = call();
  REQUIRE(answer);
  CHECK(order == "200b by " + answer->token_id + " in 2: bytes");
  order.clear();
  const auto bare = call();
  REQUIRE(bare);
  CHECK(order == "204 by " + bare->token_id + " in 1: ");
}

TEST_CASE("an answer that is collected shows on_head nothing") {
  ScriptedClient<> t(1);
  t.transport->answer(404, "no such").answer(200, "x");
  const OnHead fail = [](const AnswerHead&) { throw std::logic_error("shown"); };
  const auto ignore = [](std::string_view) { return BodyAction::take; };
  CHECK(t.get({.on_body = ignore, .on_head = fail})->body == "no such");
  CHECK(t.get({.on_head = fail})->body == "x");
}

TEST_CASE("a call whose head was shown is not repeated") {
  ScriptedClient<> t(1);
  t.transport->reply({.answer = {200, {}, ""}, .failure = lost});
  const auto result = t.get(
      {.on_body = [](std::string_view) { return BodyAction::take; }, .on_head = [](const AnswerHead&) {}});
  REQUIRE_FALSE(result);
  CHECK(result.error().response()->status == 200);
  CHECK(t.transport->sent().size() == 1);
}

TEST_CASE("what on_head throws reaches the caller and no byte follows") {
  ScriptedClient<> t(1);
  t.transport->answer(200, "x").answer(200, "");
  int bytes = 0;
  for (int i = 0; i < 2; ++i) {
    CHECK_THROWS_WITH(t.get({.on_body = [&](std::string_view) { return ++bytes, BodyAction::take; },
                             .on_head = [](const AnswerHead&) { throw std::runtime_error("full"); }}),
                      "full");
  }
  CHECK(bytes == 0);
  CHECK(t.client->stats().tokens[0].in_flight == 0);
}
