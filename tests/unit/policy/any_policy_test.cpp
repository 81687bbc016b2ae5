#include "tokenpool/policy/any_policy.hpp"

#include <stdexcept>

#include "catch_compat.hpp"
#include "tokenpool/policy/policies.hpp"
#include "unit/policy/picks.hpp"

using tokenpool::AnyPolicy;

TEST_CASE("any policy is round robin until told otherwise") {
  test::Picks<AnyPolicy> picks(test::lettered_tokens(3));
  CHECK(picks.serve(4) == "abca");
}

TEST_CASE("any policy knows every policy by name") {
  CHECK(tokenpool::policy_names() ==
        std::vector<std::string_view>{"random", "round-robin", "least-used", "weighted-random",
                                      "weighted-round-robin", "least-in-flight", "power-of-two-choices",
                                      "lowest-latency", "most-headroom", "failover", "sticky"});
  for (const std::string_view name : tokenpool::policy_names()) {
    INFO(name);
    test::Picks<AnyPolicy> picks(test::lettered_tokens(3), AnyPolicy(name));
    CHECK(picks.serve(20).size() == 20);
  }
}

TEST_CASE("any policy passes every hook on") {
  test::Picks<AnyPolicy> used(test::lettered_tokens(3), AnyPolicy("least-used"));
  used.pool.disable("b");
  used.serve(100);
  used.pool.enable("b");
  CHECK(used.serve(6) == "abcabc");

  test::Picks<AnyPolicy> busy(test::lettered_tokens(2), AnyPolicy("least-in-flight"));
  auto a = busy.hold();
  CHECK(busy.serve(2) == "bb");
  busy.answer(std::move(a));
  auto held = busy.hold();
  CHECK(busy.id(held) == "a");
}

TEST_CASE("any policy refuses a name that it does not know and lists those that it does") {
  REQUIRE_THROWS_WITH(AnyPolicy("fastest"),
                      "there is no policy named \"fastest\": give one of random, round-robin, least-used, "
                      "weighted-random, weighted-round-robin, least-in-flight, power-of-two-choices, "
                      "lowest-latency, most-headroom, failover, sticky");
  try {
    AnyPolicy("");
    FAIL("an empty name was taken");
  } catch (const tokenpool::Error& error) {
    CHECK(error.code() == tokenpool::ErrorCode::invalid_request);
  }
}

TEST_CASE("any policy holds a lambda") {
  const auto last = [](const tokenpool::Candidates& candidates, tokenpool::PickContext&) {
    return candidates.size() - 1;
  };
  test::Picks<AnyPolicy> picks(test::lettered_tokens(3), AnyPolicy(last));
  CHECK(picks.serve(2) == "cc");
}

TEST_CASE("a copy of any policy goes its own way") {
  AnyPolicy one(tokenpool::Failover{});
  AnyPolicy other;
  other = one;
  test::Picks<AnyPolicy> picks(test::with_priorities({1, 0}), one);
  test::Picks<AnyPolicy> others(test::with_priorities({0, 1}), other);
  CHECK(picks.serve(2) == "bb");
  CHECK(others.serve(2) == "aa");
}
