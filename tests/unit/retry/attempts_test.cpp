#include "tokenpool/retry/attempts.hpp"

#include <chrono>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/testing/scripted_random.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;

namespace {

const SteadyTime start{1000s};

/// An attempt machine with its surroundings; the dice always show 0.5.
struct Machine {
  explicit Machine(RetryOptions retry = {}, CallFacts facts = {.safe_to_repeat = true})
      : options(retry), budget(options.budget), attempts(options, budget, random, facts) {}

  NextAction answered(Classification meaning, SlotNumber slot = 0, bool endpoint_at_fault = false,
                      SteadyTime now = start) {
    return attempts.answered(meaning, slot, endpoint_at_fault, now);
  }
  NextAction failed(FailureKind kind, bool sent = false, SteadyTime now = start) {
    return attempts.failed({kind, sent, "the cause"}, now);
  }

  RetryOptions options;
  RetryBudget budget;
  testing::ScriptedRandom random = testing::ScriptedRandom::of_units({0.5});
  Attempts attempts;
};

Classification meaning(Verdict verdict) { return {.verdict = verdict, .reason = "the reason"}; }

Classification server_error(std::optional<std::chrono::milliseconds> rest = {}) {
  return {.verdict = Verdict::server_error, .rest = rest, .retryable = true, .reason = "the reason"};
}

bool sends_next(const NextAction& action) { return std::holds_alternative<SendNext>(action); }
bool delivers(const NextAction& action) { return std::holds_alternative<Deliver>(action); }

/// How long until the next attempt; fails the test when there is none.
Duration wait_of(const NextAction& action, SteadyTime now = start) {
  REQUIRE(std::holds_alternative<SendAt>(action));
  return std::get<SendAt>(action).when - now;
}

Fail failure(const NextAction& action) {
  REQUIRE(std::holds_alternative<Fail>(action));
  return std::get<Fail>(action);
}

}  // namespace

TEST_CASE("a success and a caller's error are delivered") {
  CHECK(delivers(Machine().answered(meaning(Verdict::success))));
  CHECK(delivers(Machine().answered(meaning(Verdict::caller_error))));
}

TEST_CASE("nothing is made safe to repeat unless the caller says that the server honours it") {
  CHECK_FALSE(RetryOptions{}.make_idempotency_keys);
  CHECK(RetryOptions{}.replay == Replay::safe);
}

TEST_CASE("a call that says nothing of it tries three times within a minute of waiting") {
  const RetryOptions options;
  CHECK(options.max_attempts == 3);
  CHECK(options.max_wait == 60s);
  CHECK(options.max_rest == 24h);
  CHECK(options.backoff.first == 500ms);
  CHECK(options.backoff.max == 8s);
  CHECK(options.budget.ratio == 0.2);
  CHECK(options.budget.reserve == 10);
}

TEST_CASE("a refused token is followed by another one at once") {
  for (const Verdict verdict : {Verdict::rate_limited, Verdict::quota_exhausted, Verdict::token_invalid}) {
    INFO(to_string(verdict));
    Machine machine;
    CHECK(sends_next(machine.answered(meaning(verdict))));
    CHECK(machine.attempts.asked().empty());
  }
}

TEST_CASE("walking over tokens is not counted as attempts") {
  Machine machine({.max_attempts = 1});
  for (SlotNumber slot = 0; slot < 50; ++slot) {
    CHECK(sends_next(machine.answered(meaning(Verdict::rate_limited), slot)));
  }
}

TEST_CASE("a bare 403 is delivered") {
  CHECK(delivers(Machine().answered(meaning(Verdict::forbidden))));
  CHECK(delivers(Machine().answered(meaning(Verdict::forbidden), 0, true)));
}

TEST_CASE("a 403 about the key asks every other token and none of them twice") {
  Machine machine;
  Classification key{.verdict = Verdict::forbidden, .try_another_token = true};
  CHECK(sends_next(machine.answered(key, 4)));
  CHECK(sends_next(machine.answered(key, 2)));
  CHECK(std::vector<SlotNumber>(machine.attempts.asked().begin(), machine.attempts.asked().end()) ==
        std::vector<SlotNumber>{4, 2});
}

TEST_CASE("an endpoint that refuses every token ends the call with its answer") {
  for (const Verdict verdict : {Verdict::token_invalid, Verdict::forbidden}) {
    const Fail end = failure(
        Machine().answered({.verdict = verdict, .try_another_token = true, .reason = "why"}, 0, true));
    CHECK(end.code == ErrorCode::http_status);
    CHECK_THAT(end.reason, ContainsSubstring("(why): the endpoint is the cause"));
  }
}

TEST_CASE("a refused token with a body that is gone ends the call") {
  Machine machine;
  machine.attempts.set_repeatable_body(false);
  const Fail end = failure(machine.answered(meaning(Verdict::rate_limited)));
  CHECK(end.code == ErrorCode::http_status);
  CHECK_THAT(end.reason, ContainsSubstring("give Body::from a rewind"));
}

TEST_CASE("a server error is repeated after the back-off") {
  Machine machine({.max_attempts = 7});
  std::vector<Duration> waits;
  for (int attempt = 0; attempt < 6; ++attempt) waits.push_back(wait_of(machine.answered(server_error())));
  CHECK(waits == std::vector<Duration>{250ms, 500ms, 1s, 2s, 4s, 4s});
}

TEST_CASE("a server error that says when is repeated then") {
  Machine machine({.max_attempts = 9});
  CHECK(wait_of(machine.answered(server_error(3s))) == 3s);
  CHECK(wait_of(machine.answered(server_error(0s))) == 0s);
  CHECK(wait_of(machine.answered(server_error(-5s))) == 0s);
}

TEST_CASE("an overloaded server and a failing proxy are repeated like a server error") {
  for (const Verdict verdict : {Verdict::overloaded, Verdict::network_error, Verdict::ambiguous}) {
    INFO(to_string(verdict));
    CHECK(wait_of(Machine().answered({.verdict = verdict, .retryable = true})) == 250ms);
  }
}

TEST_CASE("a server error that must not be repeated ends the call") {
  const Fail end = failure(Machine().answered(meaning(Verdict::server_error)));
  CHECK(end.code == ErrorCode::http_status);
  CHECK(end.reason == "the reason");
  CHECK(failure(Machine().answered({.verdict = Verdict::overloaded})).reason == "overloaded");
}

TEST_CASE("a server error is repeated for a request that is not safe too") {
  CHECK(wait_of(Machine({}, {.safe_to_repeat = false}).answered(server_error())) == 250ms);
}

TEST_CASE("a server error that stays ends the call after max_attempts") {
  Machine machine;
  wait_of(machine.answered(server_error()));
  wait_of(machine.answered(server_error()));
  const Fail end = failure(machine.answered(server_error()));
  CHECK(end.code == ErrorCode::http_status);
  CHECK(end.reason == "the reason (3 attempts)");
}

TEST_CASE("a connection that does not come about is tried again") {
  for (const FailureKind kind : {FailureKind::connect, FailureKind::proxy}) {
    CHECK(wait_of(Machine({}, {.safe_to_repeat = false}).failed(kind)) == 250ms);
  }
}

TEST_CASE("a connection that never comes about ends in a network error") {
  Machine machine({.max_attempts = 1});
  const Fail end = failure(machine.failed(FailureKind::connect));
  CHECK(end.code == ErrorCode::network);
  CHECK(end.reason == "the cause (1 attempts)");
}

TEST_CASE("a request lost before it went out is sent again whatever it is") {
  CHECK(wait_of(Machine({}, {.safe_to_repeat = false}).failed(FailureKind::lost, false)) == 250ms);
  CHECK(wait_of(Machine({.replay = Replay::never}).failed(FailureKind::lost, false)) == 250ms);
}

TEST_CASE("a safe request lost on the way is sent again") {
  CHECK(wait_of(Machine().failed(FailureKind::lost, true)) == 250ms);
}

TEST_CASE("a billed request lost on the way is not sent again") {
  const Fail end = failure(Machine({}, {.safe_to_repeat = false}).failed(FailureKind::lost, true));
  CHECK(end.code == ErrorCode::network);
  CHECK_THAT(end.reason, ContainsSubstring("it was not repeated"));
}

TEST_CASE("Replay never keeps a safe request that was lost on the way") {
  CHECK(failure(Machine({.replay = Replay::never}).failed(FailureKind::lost, true)).code ==
        ErrorCode::network);
}

TEST_CASE("what no repetition would change ends the call with its own code") {
  const std::vector<std::pair<FailureKind, ErrorCode>> ends{
      {FailureKind::tls, ErrorCode::tls},
      {FailureKind::protocol, ErrorCode::protocol},
      {FailureKind::too_large, ErrorCode::response_too_large},
      {FailureKind::body, ErrorCode::invalid_request},
      {FailureKind::unfit, ErrorCode::invalid_request},
      {FailureKind::cancelled, ErrorCode::cancelled},
      {FailureKind::deadline, ErrorCode::deadline_exceeded}};
  for (const auto& [kind, code] : ends) {
    INFO(to_string(code));
    const Fail end = failure(Machine().failed(kind, true));
    CHECK(end.code == code);
    CHECK_FALSE(end.reason.empty());
  }
}

TEST_CASE("a lost body that cannot be sent again ends the call") {
  Machine machine;
  machine.attempts.set_repeatable_body(false);
  const Fail end = failure(machine.failed(FailureKind::lost, true));
  CHECK(end.code == ErrorCode::network);
  CHECK_THAT(end.reason, ContainsSubstring("the body cannot be sent again"));
}

TEST_CASE("a repetition after the deadline is not waited for") {
  Machine machine({}, {.safe_to_repeat = true, .deadline = start + 250ms});
  const Fail end = failure(machine.answered(server_error()));
  CHECK(end.code == ErrorCode::http_status);
  CHECK_THAT(end.reason, ContainsSubstring("too late"));
  CHECK(end.retry_at == start + 250ms);
}

TEST_CASE("a server that wants a longer wait than max_wait is not waited for") {
  Machine machine({.max_wait = 10s});
  const Fail end = failure(machine.answered(server_error(11s)));
  CHECK_THAT(end.reason, ContainsSubstring("too late"));
  CHECK(end.retry_at == start + 11s);
}

TEST_CASE("a wait of max_wait to the instant is waited for") {
  CHECK(wait_of(Machine({.max_wait = 10s}).answered(server_error(10s))) == 10s);
  CHECK_THAT(failure(Machine({.max_wait = 10s}).answered(server_error(10'001ms))).reason,
             ContainsSubstring("too late"));
}

TEST_CASE("the longest wait that a server can name does not overflow") {
  Machine machine({.max_wait = (std::chrono::milliseconds::max)()});
  const Fail end = failure(machine.answered(server_error((std::chrono::milliseconds::max)())));
  CHECK_THAT(end.reason, ContainsSubstring("too late"));
}

TEST_CASE("a client whose retry budget is spent repeats nothing") {
  Machine machine({.budget = {.ratio = 0, .reserve = 1}});
  wait_of(machine.answered(server_error()));
  const Fail end = failure(machine.answered(server_error()));
  CHECK(end.code == ErrorCode::http_status);
  CHECK_THAT(end.reason, ContainsSubstring("the retry budget of the client is spent"));
}

TEST_CASE("a call waits for tokens until its deadline or max_wait") {
  Machine until_deadline({.max_wait = 60s}, {.deadline = start + 10s});
  CHECK(until_deadline.attempts.patience(start) == start + 10s);
  CHECK(until_deadline.attempts.deadline() == start + 10s);

  Machine until_max_wait({.max_wait = 60s});
  CHECK(until_max_wait.attempts.patience(start) == start + 60s);
  until_max_wait.attempts.waited(45s);
  CHECK(until_max_wait.attempts.patience(start + 50s) == start + 65s);
  until_max_wait.attempts.waited(45s);
  CHECK(until_max_wait.attempts.patience(start + 95s) == start + 95s);
}

TEST_CASE("the methods that may be repeated are those of RFC 9110") {
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})
    CHECK(is_idempotent(method));
  for (const char* method : {"POST", "PATCH", "CONNECT", "get", ""}) CHECK_FALSE(is_idempotent(method));
}

TEST_CASE("nothing is repeated once the caller has seen a part of the answer") {
  const auto end_of = [](auto&& happens) {
    Machine machine;
    machine.attempts.set_handed_over(true);
    return failure(happens(machine));
  };
  CHECK(end_of([](Machine& m) { return m.failed(FailureKind::lost, true); }).code == ErrorCode::network);
  CHECK(end_of([](Machine& m) { return m.answered(server_error()); }).code == ErrorCode::http_status);
  const Fail refused = end_of([](Machine& m) { return m.answered(meaning(Verdict::rate_limited)); });
  CHECK(refused.code == ErrorCode::http_status);
  CHECK_THAT(refused.reason, ContainsSubstring("the reason") && ContainsSubstring("not repeated"));
}
