// What pools that share a ledger tell each other, without a ledger: news is carried by hand.

#include "tokenpool/pool/gossip.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catch_compat.hpp"
#include "rig.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::Rig;

namespace {

using Kind = LedgerNews::Kind;

PoolOptions asking(std::vector<Token> tokens) {
  PoolOptions options;
  options.tokens = std::move(tokens);
  options.egress = {{.id = "wire"}, {.id = "radio"}};
  options.ask_ledger = true;
  return options;
}

std::vector<Token> two_tokens() {
  return {{.secret = "sk-canary-a", .id = "a", .account = "acme"}, {.secret = "sk-canary-b", .id = "b"}};
}

Lease lease_of(Rig<>& rig, const LeaseRequest& request = {}) {
  Acquired acquired = rig.acquire(request);
  return std::move(std::get<Ask>(acquired).lease);
}

Outcome refused(Rig<>& rig, LimitScope scope, std::chrono::milliseconds rest) {
  Outcome outcome;
  outcome.answered = true;
  outcome.answered_at = rig.now().steady;
  outcome.meaning.verdict = Verdict::rate_limited;
  outcome.meaning.scope = scope;
  outcome.meaning.rest = rest;
  return outcome;
}

/// The news of a pool as "kind subject left-in-seconds", in order.
std::vector<std::string> told(Rig<>& rig) {
  std::vector<std::string> lines;
  for (const LedgerNews& news : rig.pool().take_news(rig.now())) {
    const char* const kinds[] = {"rest", "ejected", "ended", "enabled"};
    lines.push_back(std::string(kinds[static_cast<int>(news.kind)]) + ' ' + news.subject + ' ' +
                    std::to_string(news.left.count() / 1000));
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("each rest is told of by the name of what rests") {
  Rig rig(asking({{.secret = "sk-canary-b", .id = "b"}}));
  const auto rest = [&](LimitScope scope, const LeaseRequest& request = {}) {
    Lease lease = lease_of(rig, request);
    lease.settle(refused(rig, scope, 30s), rig.now());
    const Lines lines = told(rig);
    rig.pool().enable("b");
    rig.pass(1h);
    Lease success = lease_of(rig, request);
    rig.answer(success);
    told(rig);
    return lines;
  };
  CHECK(rest(LimitScope::token) == Lines{"rest token=b 30"});
  CHECK(rest(LimitScope::token, {.bucket = "gpt"}) == Lines{"rest token=b bucket=gpt 30"});
  CHECK(rest(LimitScope::egress).at(0).find("rest egress=") == 0);
  CHECK(rest(LimitScope::bucket, {.bucket = "gpt"}) == Lines{"rest bucket=gpt 30"});
  CHECK(rest(LimitScope::service) == Lines{"rest pool 30"});
}

TEST_CASE("a success tells that the rests which it ended are over") {
  const auto ends = [](LimitScope scope, const LeaseRequest& request) {
    Rig rig(asking({{.secret = "sk-canary-a", .id = "a", .account = "acme"}}));
    Lease lease = lease_of(rig, request);
    lease.settle(refused(rig, scope, 30s), rig.now());
    told(rig);
    rig.pass(31s);
    Lease success = lease_of(rig, request);
    rig.answer(success);
    const Lines lines = told(rig);
    Lease next = lease_of(rig, request);
    rig.answer(next);
    CHECK(told(rig).empty());
    return lines;
  };
  CHECK(ends(LimitScope::token, {}) == Lines{"ended token=a 0"});
  CHECK(ends(LimitScope::account, {}) == Lines{"ended account=acme 0"});
  CHECK(ends(LimitScope::bucket, {.bucket = "gpt"}) == Lines{"ended bucket=gpt 0"});
  CHECK(ends(LimitScope::service, {}) == Lines{"ended pool 0"});
  CHECK(ends(LimitScope::token, {.bucket = "gpt"}) == Lines{"ended token=a bucket=gpt 0", "ended token=a 0"});
}

TEST_CASE("the end of each rest is a question to the ledger which one process may put to the test") {
  const auto asked = [](LimitScope scope, const LeaseRequest& request) {
    PoolOptions options = asking({{.secret = "sk-canary-a", .id = "a", .account = "acme"}});
    options.egress = {{.id = "wire"}};
    Rig rig(options);
    Lease lease = lease_of(rig, request);
    lease.settle(refused(rig, scope, 30s), rig.now());
    rig.pass(30s);
    Acquired acquired = rig.acquire(request);
    Ask ask = std::get<Ask>(std::move(acquired));
    Lines places;
    for (const Claim& claim : ask.claims) {
      CHECK(claim.limit.unit == Unit::in_flight);
      CHECK(claim.limit.amount == 1);
      places.push_back(claim.place);
    }
    rig.pool().refuse(std::move(ask), {.granted = false, .refused_claim = 0, .retry_in = 5s}, rig.now());
    CHECK(rig.wait(request) == 5s);
    return places;
  };
  CHECK(asked(LimitScope::token, {}) == Lines{"test of token=a"});
  CHECK(asked(LimitScope::token, {.bucket = "gpt"}) == Lines{"test of token=a bucket=gpt"});
  CHECK(asked(LimitScope::account, {}) == Lines{"test of account=acme"});
  CHECK(asked(LimitScope::account, {.bucket = "gpt"}) == Lines{"test of account=acme bucket=gpt"});
  CHECK(asked(LimitScope::egress, {}) == Lines{"test of egress=wire"});
  CHECK(asked(LimitScope::bucket, {.bucket = "gpt"}) == Lines{"test of bucket=gpt"});
  CHECK(asked(LimitScope::service, {}) == Lines{"test of pool"});
}

TEST_CASE("what the ledger has no room for is the limit that it refused and no other") {
  for (const std::size_t number : {0U, 1U}) {
    PoolOptions options = asking({{.secret = "sk-canary-b", .id = "b"}});
    options.limits = {Limit::per_token(5, 10s), Limit::per_pool(7, 60s)};
    Rig rig(options);
    Acquired acquired = rig.acquire();
    rig.pool().refuse(std::get<Ask>(std::move(acquired)),
                      {.granted = false, .refused_claim = number, .retry_in = 3s}, rig.now());
    CHECK(rig.wait() == 3s);
    CHECK(rig.refused().why.scope == (number == 0 ? LimitScope::token : LimitScope::unknown));
  }
}

TEST_CASE("what a person enables is told for token and account") {
  Rig rig(asking(two_tokens()));
  rig.pool().enable("a");
  CHECK(told(rig) == Lines{"enabled token=a 0", "enabled account=acme 0"});
  rig.pool().enable("b");
  CHECK(told(rig) == Lines{"enabled token=b 0"});
  rig.pool().enable("nobody");
  CHECK(told(rig).empty());
}

TEST_CASE("of one subject the last word on its rest is told") {
  Rig rig(asking({{.secret = "sk-canary-b", .id = "b"}}));
  Lease first = lease_of(rig);
  Lease second = lease_of(rig);
  first.settle(refused(rig, LimitScope::token, 10s), rig.now());
  second.settle(refused(rig, LimitScope::token, 40s), rig.now());
  rig.pass(5s);
  CHECK(told(rig) == Lines{"rest token=b 35"});
  CHECK_FALSE(rig.pool().has_news());
}

TEST_CASE("news that could not be told is told later with what is left of it") {
  Rig rig(asking({{.secret = "sk-canary-b", .id = "b"}}));
  Lease lease = lease_of(rig);
  lease.settle(refused(rig, LimitScope::token, 60s), rig.now());
  rig.pool().put_back_news(rig.pool().take_news(rig.now()), rig.now());
  rig.pass(20s);
  CHECK(told(rig) == Lines{"rest token=b 40"});
}

TEST_CASE("a pool that shares nothing keeps no news") {
  PoolOptions options = asking(two_tokens());
  options.ask_ledger = false;
  Rig rig(options);
  rig.pool().enable("a");
  CHECK_FALSE(rig.pool().has_news());
}

TEST_CASE("what others heard rests here as well") {
  Rig rig(asking(two_tokens()));
  const auto hear = [&](LedgerNews news) { rig.pool().hear({std::move(news)}, rig.now()); };
  hear({Kind::rest, "token=b", 10s, Verdict::rate_limited, ""});
  CHECK(rig.token("b").state == TokenState::resting);
  CHECK(rig.token("b").rest == 10s);
  hear({Kind::rest, "account=acme", 20s, Verdict::rate_limited, ""});
  CHECK(rig.token("a").state == TokenState::resting);
  CHECK(rig.wait() == 10s);
  hear({Kind::ended, "token=b", {}, Verdict::success, ""});
  CHECK(rig.token("b").state == TokenState::available);
  hear({Kind::rest, "pool", 5s, Verdict::rate_limited, ""});
  CHECK(rig.wait() == 5s);
  hear({Kind::ended, "pool", {}, Verdict::success, ""});
  hear({Kind::ejected, "token=b", {}, Verdict::token_invalid, "revoked"});
  CHECK(rig.token("b").state == TokenState::ejected);
  CHECK(rig.token("b").cause == "revoked");
  hear({Kind::enabled, "token=b", {}, Verdict::success, ""});
  hear({Kind::enabled, "account=acme", {}, Verdict::success, ""});
  CHECK(rig.token("b").state == TokenState::available);
  CHECK(rig.token("a").state == TokenState::available);
  CHECK_FALSE(rig.pool().has_news());
}

TEST_CASE("what the news of others changes here is told once with all that is known of it") {
  Rig rig(asking(two_tokens()));
  const auto hear = [&](Kind kind, const char* subject, std::chrono::milliseconds left = 10s) {
    return rig.pool().hear({{kind, subject, left, Verdict::quota_exhausted, "why"}}, rig.now());
  };
  const auto one = [&](Kind kind, const char* subject) {
    const std::vector<PoolEvent> events = hear(kind, subject);
    INFO(subject);
    REQUIRE(events.size() == 1);
    CHECK(events[0].cause == Verdict::quota_exhausted);
    CHECK(events[0].reason == "why");
    return events[0];
  };
  struct Row {
    const char* subject;
    LimitScope scope;
    const char* scope_id;
    const char* token_id;
    const char* bucket;
  };
  for (const Row& row :
       {Row{"token=b", LimitScope::token, "", "b", ""},
        Row{"token=b bucket=gpt", LimitScope::token, "", "b", "gpt"},
        Row{"account=acme", LimitScope::account, "acme", "", ""},
        Row{"account=acme bucket=gpt", LimitScope::account, "acme", "", "gpt"},
        Row{"egress=radio", LimitScope::egress, "radio", "", ""},
        Row{"bucket=gpt", LimitScope::bucket, "gpt", "", ""}, Row{"pool", LimitScope::service, "", "", ""}}) {
    const auto fits = [&row](const PoolEvent& event) {
      return event.scope == row.scope && event.scope_id == row.scope_id && event.token_id == row.token_id &&
             event.bucket == row.bucket;
    };
    const PoolEvent rests = one(Kind::rest, row.subject);
    CHECK((rests.kind == PoolEvent::Kind::rest && fits(rests)));
    CHECK(rests.until == rig.now().steady + 10s);
    CHECK(hear(Kind::rest, row.subject).empty());
    const PoolEvent ended = one(Kind::ended, row.subject);
    CHECK((ended.kind == PoolEvent::Kind::recovered && fits(ended)));
    CHECK(hear(Kind::ended, row.subject).empty());
  }
  CHECK(one(Kind::ejected, "token=b").kind == PoolEvent::Kind::ejected);
  CHECK(hear(Kind::ejected, "token=b").empty());
  CHECK(one(Kind::enabled, "token=b").change == TokenChange::enabled);
  CHECK(hear(Kind::enabled, "token=b").empty());
  CHECK(one(Kind::rest, "token=b").kind == PoolEvent::Kind::rest);
  CHECK(one(Kind::enabled, "token=b").kind == PoolEvent::Kind::changed);
}

TEST_CASE("a rest that is told longer by two milliseconds is the same rest") {
  Rig rig(asking(two_tokens()));
  const auto lengthens = [&](std::chrono::milliseconds left) {
    return !rig.pool().hear({{Kind::rest, "token=b", left, Verdict::rate_limited, ""}}, rig.now()).empty();
  };
  CHECK(lengthens(10'000ms));
  CHECK_FALSE(lengthens(10'002ms));
  CHECK(rig.token("b").rest == 10s);
  CHECK(lengthens(10'003ms));
  CHECK(rig.token("b").rest == 10'003ms);
}

TEST_CASE("a bucket and an egress of which others heard are closed") {
  Rig rig(asking(two_tokens()));
  rig.pool().hear({{Kind::rest, "token=b bucket=gpt", 50s, Verdict::rate_limited, ""},
                   {Kind::rest, "token=a bucket=gpt", 40s, Verdict::rate_limited, ""},
                   {Kind::rest, "egress=wire", 1h, Verdict::rate_limited, ""}},
                  rig.now());
  CHECK(rig.wait({.bucket = "gpt"}) == 40s);
  const Lease lease = lease_of(rig);
  CHECK(rig.pool().egress(lease.egress()).id == "radio");
  rig.pool().hear({{Kind::rest, "bucket=mini", 7s, Verdict::rate_limited, ""}}, rig.now());
  CHECK(rig.wait({.bucket = "mini"}) == 7s);
}

TEST_CASE("a name that looks like a token and a bucket is a name first") {
  Rig rig(asking({{.secret = "sk-canary-c", .id = "c bucket=gpt"}, {.secret = "sk-canary-d", .id = "d"}}));
  rig.pool().hear({{Kind::rest, "token=c bucket=gpt", 9s, Verdict::rate_limited, ""}}, rig.now());
  CHECK(rig.token("c bucket=gpt").state == TokenState::resting);
  CHECK(rig.token("d").state == TokenState::available);
}

TEST_CASE("news of what this pool does not have is none of its business") {
  Rig rig(asking(two_tokens()));
  for (const char* subject : {"token=z", "account=z", "egress=z", "planet=z", "", "token", "token=", "="}) {
    rig.pool().hear({{Kind::rest, subject, 9s, Verdict::rate_limited, ""}}, rig.now());
  }
  CHECK(rig.token("a").state == TokenState::available);
  CHECK(rig.token("b").state == TokenState::available);
}

TEST_CASE("a lease that was granted before the news is not admitted after it") {
  PoolOptions options = asking({{.secret = "sk-canary-b", .id = "b", .account = "acme"}});
  options.egress = {{.id = "wire"}};
  Rig rig(options);
  const Lease lease = lease_of(rig, {.bucket = "gpt"});
  CHECK(rig.pool().admits(lease));
  for (const char* subject : {"token=b", "token=b bucket=gpt", "account=acme", "account=acme bucket=gpt",
                              "egress=wire", "bucket=gpt", "pool"}) {
    INFO(subject);
    rig.pool().hear({{Kind::rest, subject, 9s, Verdict::rate_limited, ""}}, rig.now());
    CHECK_FALSE(rig.pool().admits(lease));
    rig.pool().hear({{Kind::ended, subject, {}, Verdict::success, ""}}, rig.now());
    CHECK(rig.pool().admits(lease));
    rig.pool().hear({{Kind::rest, subject, 9s, Verdict::rate_limited, ""}}, rig.now());
    rig.pass(9s - Duration(1));
    rig.pool().tick(rig.now());
    CHECK_FALSE(rig.pool().admits(lease));
    rig.pass(Duration(1));
    rig.pool().tick(rig.now());
    CHECK(rig.pool().admits(lease));
  }
  rig.pool().hear({{Kind::ejected, "token=b", {}, Verdict::token_invalid, ""}}, rig.now());
  CHECK_FALSE(rig.pool().admits(lease));
}
