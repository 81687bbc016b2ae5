#include "tokenpool/alerts/facts.hpp"

#include <optional>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/alerts.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;

namespace {

/// Facts of a pool with a floor of 2, on a clock that is moved by hand.
struct Watch {
  detail::AlertFacts facts{2, 5s, 60s};
  Now now{SteadyTime(1h), WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1))};

  void pass(Duration time) {
    now.steady += time;
    now.wall += std::chrono::duration_cast<WallTime::duration>(time);
  }

  /// The kind of what is told; empty when nothing is.
  template <class Event>
  std::string kind_of(const Event& event) {
    const std::optional<nlohmann::json> alert = facts.hear(event, now);
    return alert ? alert->at("kind").get<std::string>() : "";
  }

  std::string see(std::size_t available, std::vector<TokenSnapshot> tokens = {}) {
    PoolSnapshot snapshot{.tokens = std::move(tokens)};
    snapshot.pool.available = available;
    const auto alert = facts.see(snapshot, now);
    return alert ? alert->at("kind").get<std::string>() : "";
  }
};

const EjectedEvent ejected{.token_id = "t0", .cause = Verdict::token_invalid, .reason = "key revoked"};

TokenSnapshot token(const std::string& id, TokenState state) { return {{.id = id, .state = state}}; }

}  // namespace

TEST_CASE("an ejected token is told once for as long as it is out") {
  Watch t;
  CHECK(t.kind_of(ejected) == "token_ejected");
  CHECK(t.kind_of(ejected).empty());
  for (int minute = 0; minute < 10; ++minute) {
    t.pass(60s);
    CHECK(t.see(5, {token("t0", TokenState::ejected)}).empty());
    CHECK(t.kind_of(ejected).empty());
  }
  CHECK(t.kind_of(EjectedEvent{.token_id = "t1"}) == "token_ejected");
}

TEST_CASE("a token that was back for a while is told of again when it is ejected again") {
  Watch t;
  CHECK(t.kind_of(ejected) == "token_ejected");
  t.pass(59s);
  t.see(5, {token("t0", TokenState::available)});
  CHECK(t.kind_of(ejected).empty());
  t.pass(60s);
  t.see(5, {token("t0", TokenState::available)});
  CHECK(t.kind_of(ejected) == "token_ejected");
}

TEST_CASE("exhaustion is told once until its time is over and nothing was heard of it for a while") {
  Watch t;
  const ExhaustedEvent exhausted{.reason = "limit reached", .retry_at = t.now.wall + 1h};
  CHECK(t.kind_of(exhausted) == "exhausted");
  for (int call = 0; call < 100; ++call) CHECK(t.kind_of(exhausted).empty());
  t.pass(59min);
  CHECK(t.kind_of(exhausted).empty());
  t.pass(70s);  // its time is over, and calls still find nothing
  CHECK(t.kind_of(ExhaustedEvent{.retry_at = t.now.wall + 1s}) == "exhausted");
  t.pass(30s);
  CHECK(t.kind_of(ExhaustedEvent{.retry_at = t.now.wall + 1s}).empty());
  t.pass(59s);
  CHECK(t.kind_of(ExhaustedEvent{}).empty());
  t.pass(60s);
  CHECK(t.kind_of(ExhaustedEvent{}) == "exhausted");
}

TEST_CASE("each shared limit is a fact of its own") {
  Watch t;
  CHECK(t.kind_of(SharedLimitEvent{.scope_id = "here"}) == "shared_limit");
  CHECK(t.kind_of(SharedLimitEvent{.scope_id = "there"}) == "shared_limit");
  CHECK(t.kind_of(SharedLimitEvent{.scope = LimitScope::bucket, .scope_id = "here"}) == "shared_limit");
  CHECK(t.kind_of(SharedLimitEvent{.scope_id = "here"}).empty());
}

TEST_CASE("a pool below its floor is told when it stays there and so is its recovery") {
  Watch t;
  CHECK(t.see(2).empty());
  CHECK(t.see(1).empty());
  t.pass(4s);
  CHECK(t.see(1).empty());
  t.pass(1s);
  CHECK(t.see(1) == "below_floor");
  t.pass(1h);
  CHECK(t.see(0).empty());
  CHECK(t.see(2).empty());
  t.pass(59s);
  CHECK(t.see(2).empty());
  t.pass(1s);
  CHECK(t.see(2) == "above_floor");
  t.pass(1h);
  CHECK(t.see(3).empty());
}

TEST_CASE("a pool that goes up and down at its floor is told of once") {
  Watch t;
  t.see(1);
  t.pass(5s);
  CHECK(t.see(1) == "below_floor");
  for (int turn = 0; turn < 100; ++turn) {
    t.pass(59s);
    CHECK(t.see(2).empty());
    t.pass(4s);
    CHECK(t.see(1).empty());
  }
}

TEST_CASE("an alert has a sentence for people and members for programs") {
  Watch t;
  CHECK(*t.facts.hear(ejected, t.now) ==
        nlohmann::json{{"kind", "token_ejected"},
                       {"text", "token t0 is out until somebody acts: key revoked"},
                       {"token", "t0"},
                       {"cause", "token_invalid"},
                       {"reason", "key revoked"}});
  CHECK(
      *t.facts.hear(ExhaustedEvent{.reason = "all rest", .retry_at = t.now.wall + 90s}, t.now) ==
      nlohmann::json{{"kind", "exhausted"},
                     {"text", "calls end because no token is available until 2026-01-01T00:01:30Z: all rest"},
                     {"reason", "all rest"},
                     {"until", "2026-01-01T00:01:30Z"}});
  CHECK(*t.facts.hear(SharedLimitEvent{.scope_id = "here", .reason = "refused"}, t.now) ==
        nlohmann::json{{"kind", "shared_limit"},
                       {"text", "several tokens were refused in a row for what they share: egress here"},
                       {"scope", "egress"},
                       {"scope_id", "here"},
                       {"reason", "refused"}});
  t.see(1);
  t.pass(5s);
  PoolSnapshot low;
  low.pool.available = 1;
  CHECK(*t.facts.see(low, t.now) == nlohmann::json{{"kind", "below_floor"},
                                                   {"text", "1 token is available, fewer than 2"},
                                                   {"available", 1},
                                                   {"floor", 2}});
}

TEST_CASE("unfit options of alerts are refused by name and without the url") {
  const auto refusal = [](AlertOptions options) -> std::string {
    try {
      const Alerts alerts(std::move(options));
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::invalid_request);
      CHECK_THAT(error.what(), !ContainsSubstring("canary"));
      return error.what();
    }
    return "";
  };
  for (const char* url :
       {"", "hooks.example/canary", "ftp://hooks.example/canary", "http://u:canary@hooks.example",
        "https://hooks.example/canary#x", "https://hooks.example/can ary?canary=\n"}) {
    CHECK_THAT(refusal({.url = url}), ContainsSubstring("alerts: url"));
  }
  const Secret url = "https://127.0.0.1:1/services/canary?key=canary";
  CHECK_THAT(refusal({.url = url, .headers = {{"Bad Name", "canary"}}}),
             ContainsSubstring("alerts: headers"));
  CHECK_THAT(refusal({.url = url, .calm = -1ms}), ContainsSubstring("alerts: calm"));
  CHECK_THAT(refusal({.url = url, .look_every = 0ms}), ContainsSubstring("alerts: look_every"));
  CHECK_THAT(refusal({.url = url, .backoff = {.first = 2s, .max = 1s}}),
             ContainsSubstring("alerts: backoff"));
  CHECK(refusal({.url = url}).empty());
}
