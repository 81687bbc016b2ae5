#include "tokenpool/pool/explanation.hpp"

#include <string>
#include <vector>

#include "rig.hpp"

using namespace test;

namespace {

/// Grants a lease, which is given back; returns "id reason" of each token that was passed over.
template <class R>
std::vector<std::string> passed_over(R& rig, LeaseRequest request = {}) {
  std::vector<Skipped> skipped;
  request.skipped = &skipped;
  rig.lease(request);
  std::vector<std::string> told;
  for (const Skipped& one : skipped) told.push_back(one.token_id + " " + one.reason);
  return told;
}

}  // namespace

TEST_CASE("a token that is out is passed over for the reason that was noted") {
  Rig rig({.tokens = tokens(5)});
  CHECK(rig.once(invalid()) == "t0");
  rig.pool().disable("t1", "by hand");
  rig.pool().disable("t2", "");
  CHECK(rig.once(limited(1min)) == "t3");
  CHECK(passed_over(rig) ==
        std::vector<std::string>{"t0 ejected: revoked", "t1 disabled: by hand", "t2 disabled", "t3 rests"});
}

TEST_CASE("a token of which the server says that nothing is left is passed over for that") {
  Rig rig({.tokens = tokens(2)});
  Lease lease = rig.lease();
  lease.settle({.answered = true,
                .answered_at = rig.now().steady,
                .facts = {{.name = "requests", .limit = 5, .remaining = 0, .reset_in = 1min}}},
               rig.now());
  CHECK(passed_over(rig) == std::vector<std::string>{"t0 the server says that nothing is left"});
}

TEST_CASE("what others have used up is told apart from what rests with others") {
  std::vector<Token> list = tokens(5);
  list[0].account = list[1].account = "shared";
  list[2].account = list[3].account = "small";
  Rig rig({.tokens = list, .limits = {Limit::per_account(1, 1min)}});
  CHECK(rig.once(limited(1min, LimitScope::account)) == "t0");
  CHECK(rig.once() == "t2");
  CHECK(passed_over(rig) == std::vector<std::string>{"t0 rests with others of its account or bucket",
                                                     "t1 rests with others of its account or bucket",
                                                     "t2 limit reached", "t3 limit reached"});
}

TEST_CASE("a token that was asked is passed over by a test of whose limit it was") {
  Rig rig({.tokens = tokens(5)});
  rig.times(1);
  for (int i = 0; i < 3; ++i) rig.once(limited(1s));
  rig.pass(1s);
  CHECK(passed_over(rig).back() == "t4 another tests whether the limit was its own");
}

TEST_CASE("a token that was refused with others is passed over for as long as it would rest") {
  Rig rig({.tokens = tokens(5)});
  rig.times(1);
  for (int i = 0; i < 3; ++i) rig.once(limited(10s));
  rig.pass(1s);
  const std::string refused = " refused here, by a limit that may be shared";
  CHECK(passed_over(rig) == std::vector<std::string>{"t1" + refused, "t2" + refused, "t3" + refused,
                                                     "t4 another tests whether the limit was its own"});
}

TEST_CASE("at the instant at which its rest ends a token is a choice like any other") {
  Rig rig({.tokens = tokens(2), .limits = {Limit::per_token(5, 1min)}});
  CHECK(rig.once(limited(10s)) == "t0");
  rig.pass(10s - Duration(1));
  CHECK(passed_over(rig) == std::vector<std::string>{"t0 rests"});
  rig.pass(Duration(1));
  const std::vector<std::string> told = passed_over(rig);
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0], test::EndsWith(" the policy chose another"));
}

TEST_CASE("a token without room for its cost or its bucket has reached a limit") {
  std::vector<Token> list = tokens(3);
  list[0].limits = {{.amount = 10, .window = 1min, .unit = Unit::cost}};
  list[1].limits = {Limit::per(Scope::bucket, 1, 1min)};
  Rig rig({.tokens = list});
  CHECK(rig.once(success(), {.bucket = "large", .cost = 5}) == "t0");
  CHECK(rig.once(success(), {.bucket = "large", .cost = 5}) == "t1");
  CHECK(passed_over(rig, {.bucket = "large", .cost = 6}) ==
        std::vector<std::string>{"t0 limit reached", "t1 limit reached"});
}

TEST_CASE("what a call waits for has a name") {
  const auto waits_for = [](LimitScope scope, std::size_t count = 1) {
    std::vector<Token> list = tokens(count);
    if (scope == LimitScope::account) list[0].account = "acme";
    Rig rig({.tokens = list, .egress = {{.id = "wire"}}});
    for (std::size_t i = 0; i < count; ++i) rig.once(limited(5s, scope), {.bucket = "large"});
    return rig.pool().describe(rig.refused({.bucket = "large"}));
  };
  CHECK(waits_for(LimitScope::token) == "token t0");
  CHECK(waits_for(LimitScope::token, 2) == "every one of 2 tokens");
  CHECK(waits_for(LimitScope::account) == "account acme");
  CHECK(waits_for(LimitScope::egress) == "egress wire");
  CHECK(waits_for(LimitScope::bucket) == "bucket large");
  CHECK(waits_for(LimitScope::service) == "the service");
}
