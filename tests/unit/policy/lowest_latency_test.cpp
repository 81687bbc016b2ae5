#include "tokenpool/policy/lowest_latency.hpp"

#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "unit/policy/picks.hpp"

using namespace std::chrono_literals;
using tokenpool::LowestLatency;
using tokenpool::Verdict;

namespace {

/// Tokens that answered once each, with these latencies.
struct Answered : test::Picks<LowestLatency> {
  explicit Answered(const std::vector<tokenpool::Duration>& latencies)
      : test::Picks<LowestLatency>(test::lettered_tokens(latencies.size())) {
    for (const auto latency : latencies) {
      answer(hold(), latency);
    }
  }
};

}  // namespace

TEST_CASE("lowest latency asks each unknown token once before it relies on any") {
  test::Picks<LowestLatency> picks(test::lettered_tokens(3));
  std::vector<tokenpool::Lease> leases;
  std::string served;
  for (int i = 0; i < 6; ++i) {
    leases.push_back(picks.hold());
    served += picks.id(leases.back());
  }
  CHECK(served == "abcabc");
}

TEST_CASE("lowest latency takes the fastest token") {
  Answered picks({300ms, 100ms, 200ms});
  CHECK(picks.id(picks.hold()) == "b");
}

TEST_CASE("lowest latency counts what is under way") {
  Answered picks({300ms, 100ms, 250ms});
  const auto first = picks.hold();
  const auto second = picks.hold();
  const auto third = picks.hold();
  CHECK(picks.id(first) + picks.id(second) + picks.id(third) == "bbc");
}

TEST_CASE("lowest latency jumps up to a slow answer at once") {
  Answered picks({100ms, 150ms});
  picks.answer(picks.hold(), 1s);
  CHECK(picks.id(picks.hold()) == "b");
}

TEST_CASE("lowest latency tries a slow token again when its memory has faded") {
  Answered picks({1s, 100ms});
  std::string served;
  for (int i = 0; i < 30; ++i) {
    picks.clock.advance(1s);
    auto lease = picks.hold();
    served += picks.id(lease);
    picks.answer(std::move(lease), 100ms);
  }
  // From 1 s to 100 ms in ln 10 = 2.303 memories of 10 s.
  CHECK(served.find('a') == 24);
}

TEST_CASE("lowest latency is not drawn to a token that fails fast") {
  Answered picks({100ms, 200ms});
  picks.answer(picks.hold(), 1ms, Verdict::server_error);
  CHECK(picks.id(picks.hold()) == "b");
}

TEST_CASE("lowest latency is not drawn to a new token that fails fast") {
  test::Picks<LowestLatency> picks(test::lettered_tokens(2));
  picks.answer(picks.hold(), 1ms, Verdict::server_error);
  picks.answer(picks.hold(), 900ms);
  CHECK(picks.id(picks.hold()) == "b");
}

TEST_CASE("lowest latency does not forget how slow a token is because it fails") {
  Answered picks({5s, 4s});
  picks.clock.advance(1min);
  picks.answer(picks.hold(), 4s);
  picks.answer(picks.hold(), 1ms, Verdict::server_error);
  CHECK(picks.id(picks.hold()) == "b");
}

TEST_CASE("lowest latency sees a new token in an old place as unknown") {
  Answered picks({100ms, 1s});
  picks.pool.remove("b");
  picks.pool.add({.secret = "secret-of-n", .id = "n"});
  CHECK(picks.id(picks.hold()) == "n");
}
