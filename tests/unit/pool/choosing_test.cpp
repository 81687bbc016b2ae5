#include "tokenpool/pool/choosing.hpp"

#include <array>
#include <map>

#include "rig.hpp"

using namespace test;

namespace {
std::vector<Egress> egresses(std::size_t count) {
  std::vector<Egress> made(count);
  for (std::size_t i = 0; i < count; ++i) {
    made[i].id = "e" + std::to_string(i);
  }
  return made;
}

/// Always picks the lowest slot; says how often it was asked.
struct Lowest {
  int* asked = nullptr;
  std::size_t pick(const Candidates& candidates, PickContext&) const {
    if (asked != nullptr) {
      ++*asked;
    }
    std::size_t lowest = 0;
    for (std::size_t i = 1; i < candidates.size(); ++i) {
      lowest = candidates[i].slot < candidates[lowest].slot ? i : lowest;
    }
    return lowest;
  }
};
}  // namespace

TEST_CASE("equal egresses take turns") {
  Rig rig({.tokens = tokens(1), .egress = egresses(3)});
  std::map<std::uint32_t, int> used;
  for (int i = 0; i < 30; ++i) {
    Lease lease = rig.lease();
    ++used[lease.egress()];
    rig.answer(lease);
  }
  CHECK(used == std::map<std::uint32_t, int>{{0, 10}, {1, 10}, {2, 10}});
}

TEST_CASE("the egress with the most headroom goes first") {
  std::vector<Egress> list = egresses(2);
  list[0].limits = {Limit::per_egress(2, 60s)};
  list[1].limits = {Limit::per_egress(10, 60s)};
  Rig rig({.tokens = tokens(4), .egress = list});
  std::map<std::uint32_t, int> used;
  for (int i = 0; i < 12; ++i) {
    Lease lease = rig.lease();
    ++used[lease.egress()];
    rig.answer(lease);
    if (i == 5) {
      CHECK(used == std::map<std::uint32_t, int>{{0, 1}, {1, 5}});
    }
  }
  CHECK(used == std::map<std::uint32_t, int>{{0, 2}, {1, 10}});
  CHECK(rig.wait() == 60s);
}

TEST_CASE("token and egress are chosen so that both have room") {
  Rig rig({.tokens = tokens(2),
           .limits = {Limit::per_token(3, 60s), Limit::per(Scope::token | Scope::egress, 2, 60s)},
           .egress = egresses(2)});
  std::map<std::pair<SlotNumber, std::uint32_t>, int> used;
  for (int i = 0; i < 6; ++i) {
    Lease lease = rig.lease();
    ++used[{lease.slot(), lease.egress()}];
    rig.answer(lease);
  }
  for (const auto& [pair, count] : used) {
    CHECK(count <= 2);
  }
  CHECK(rig.wait() == 60s);
}

TEST_CASE("a resting egress leaves its requests to the other") {
  Rig rig({.tokens = tokens(4), .egress = egresses(2)});
  Lease first = rig.lease();
  const std::uint32_t resting = first.egress();
  rig.answer(first, limited(60s, LimitScope::egress));
  for (int i = 0; i < 5; ++i) {
    Lease lease = rig.lease();
    CHECK(lease.egress() != resting);
    rig.answer(lease);
  }
}

TEST_CASE("a token that was asked is not asked again by the same call") {
  Rig rig({.tokens = tokens(3)});
  const std::array<SlotNumber, 2> asked = {0, 1};
  for (int i = 0; i < 4; ++i) {
    CHECK(rig.once(success(), {.asked = asked}) == "t2");
  }
}

TEST_CASE("a call that has asked every token is told so") {
  Rig rig({.tokens = tokens(2)});
  const std::array<SlotNumber, 2> asked = {0, 1};
  CHECK(rig.never({.asked = asked}).reason == Never::Reason::all_asked);
}

TEST_CASE("a call that has asked every token is told so although some of them have no room left") {
  Rig rig({.tokens = tokens(2), .limits = {Limit::per_token(1, 1min)}});
  rig.once();
  const std::array<SlotNumber, 2> asked = {0, 1};
  CHECK(rig.never({.asked = asked}).reason == Never::Reason::all_asked);
}

TEST_CASE("a token whose limit can never hold the cost is not waited for when all others were asked") {
  std::vector<Token> two = tokens(2);
  two[0].limits = {{.amount = 10, .window = 1min, .unit = Unit::cost}};
  Rig rig({.tokens = two});
  const std::array<SlotNumber, 1> asked = {1};
  CHECK(rig.never({.cost = 11, .asked = asked}).reason == Never::Reason::all_asked);
  CHECK(rig.has_room({.cost = 10, .asked = asked}));
}

TEST_CASE("a call waits for the token that it has not asked") {
  Rig rig({.tokens = tokens(2)});
  rig.once(limited(10s, LimitScope::token));
  const std::array<SlotNumber, 1> asked = {1};
  CHECK(rig.wait({.asked = asked}) == 10s);
}

TEST_CASE("no token at all is not waited for") {
  Rig rig({.tokens = tokens(1)});
  rig.pool().disable("t0");
  CHECK(rig.never().reason == Never::Reason::no_tokens);
  rig.pool().remove("t0");
  CHECK(rig.never().reason == Never::Reason::no_tokens);
}

TEST_CASE("unfit picks are hidden and after eight the pool hands over the exact list") {
  int asked = 0;
  Rig<Lowest> rig({.tokens = tokens(30), .limits = {Limit::per(Scope::token | Scope::bucket, 1, 60s)}},
                  Lowest{&asked});
  for (int i = 0; i < 20; ++i) {
    rig.once(success(), {.bucket = "b"});
  }
  asked = 0;
  CHECK(rig.once(success(), {.bucket = "b"}) == "t20");
  CHECK(asked == 9);
  CHECK(rig.once(success(), {.bucket = "other"}) == "t0");
}

TEST_CASE("a refusal names the later of a closed egress and resting tokens") {
  Rig rig({.tokens = tokens(1), .limits = {Limit::per_egress(1, 10s)}});
  rig.once(limited(1h, LimitScope::token));
  CHECK(rig.wait() == 1h);
  CHECK(rig.refused().why.scope == LimitScope::token);
}

TEST_CASE("of an egress and a token that open at the same instant the egress is named") {
  Rig rig({.tokens = tokens(1), .limits = {Limit::per_egress(1, 60s)}});
  rig.once(limited(60s, LimitScope::token));
  CHECK(rig.wait() == 60s);
  CHECK(rig.refused().why.scope == LimitScope::egress);
}

TEST_CASE("from the instant on at which its rest ends a token waits for its limit") {
  Rig rig({.tokens = tokens(1), .limits = {Limit::per_token(1, 60s)}});
  rig.once(limited(10s, LimitScope::token));
  rig.pass(10s - Duration(1));
  CHECK_FALSE(rig.refused().why.by_limit);
  rig.pass(Duration(1));
  CHECK(rig.refused().why.by_limit);
  CHECK(rig.wait() == 50s);
}

TEST_CASE("a policy that throws ends the call and leaves the pool as it was") {
  bool broken = false;
  const auto policy = [&broken](const Candidates&, PickContext&) -> std::size_t {
    if (broken) {
      throw std::runtime_error("no idea");
    }
    return 0;
  };
  Rig<decltype(policy)> rig({.tokens = tokens(2), .limits = {Limit::per_token(1, 60s)}}, policy);
  broken = true;
  CHECK_THROWS_WITH(rig.acquire(), "no idea");
  broken = false;
  CHECK(rig.snapshot().tokens[0].in_flight == 0);
  rig.times(2);
}

TEST_CASE("a policy that returns a bad index ends the call and leaves the pool as it was") {
  bool broken = true;
  int picks = 0;
  const auto policy = [&](const Candidates& candidates, PickContext&) -> std::size_t {
    // Bad at the second look, when an unfit token has already been hidden.
    return broken && ++picks == 2 ? candidates.size() : 0;
  };
  Rig<decltype(policy)> rig({.tokens = tokens(3)}, policy);
  const std::array<SlotNumber, 1> asked = {0};
  CHECK_THROWS_WITH(
      rig.acquire({.asked = asked}),
      "the selection policy returned index 2 of 2 candidates: return an index below candidates.size()");
  broken = false;
  CHECK(rig.snapshot().pool.available == 3);
  CHECK(rig.once() == "t0");
}

TEST_CASE("a policy is told what the request is and when it comes") {
  int asked = 0;
  SteadyTime expected{};
  const auto policy = [&](const Candidates& candidates, PickContext& context) -> std::size_t {
    ++asked;
    CHECK(candidates.size() == 2);
    CHECK(context.affinity == "a conversation");
    CHECK(context.bucket == "large");
    CHECK(context.cost == 7);
    CHECK(context.now == expected);
    return 1;
  };
  Rig<decltype(policy)> rig({.tokens = tokens(2)}, policy);
  rig.pass(3s);
  expected = rig.now().steady;
  CHECK(rig.once(success(), {.bucket = "large", .cost = 7, .affinity = "a conversation"}) == "t1");
  CHECK(asked == 1);
}

TEST_CASE("a policy hears who comes and goes and how each lease ends") {
  using Lines = std::vector<std::string>;
  struct Listener {
    Lines* heard;
    std::size_t pick(const Candidates&, PickContext&) { return 0; }
    void on_available(const Candidate& who) noexcept { heard->push_back("in " + std::string(who.id)); }
    void on_unavailable(SlotNumber slot) noexcept { heard->push_back("out t" + std::to_string(slot)); }
    void on_granted(const Candidate& who) noexcept {
      heard->push_back("granted " + std::to_string(who.granted) + ", " + std::to_string(who.in_flight) +
                       " in flight");
    }
    void on_settled(const Candidate& who, const Settled& how) noexcept {
      heard->push_back(std::string(how.success    ? "served"
                                   : how.answered ? "refused"
                                                  : "lost") +
                       " after " + std::to_string(how.latency / 1ms) + " ms at " +
                       std::to_string(how.now.time_since_epoch() / 1s) + " s, " +
                       std::to_string(who.in_flight) + " in flight");
    }
  };
  Lines heard;
  Rig<Listener> rig({.tokens = tokens(1)}, Listener{&heard});
  const auto told = [&] { return std::exchange(heard, {}); };
  CHECK(told() == Lines{"in t0"});
  Lease first = rig.lease();
  Lease second = rig.lease();
  CHECK(told() == Lines{"granted 1, 1 in flight", "granted 2, 2 in flight"});
  first.settle({.answered = true, .latency = 8ms}, rig.now());
  CHECK(told() == Lines{"served after 8 ms at 1000 s, 1 in flight"});
  second.settle({.meaning = meaning(Verdict::ambiguous)}, rig.now());
  CHECK(told() == Lines{"lost after 0 ms at 1000 s, 0 in flight"});
  { const Lease dropped = rig.lease(); }
  CHECK(told() == Lines{"granted 3, 1 in flight", "lost after 0 ms at 1000 s, 0 in flight"});
  rig.once(limited(5s));
  CHECK(told() == Lines{"granted 4, 1 in flight", "refused after 0 ms at 1000 s, 0 in flight", "out t0"});
  rig.pass(5s);
  rig.snapshot();
  CHECK(told() == Lines{"in t0"});
  Lease test = rig.lease();
  CHECK(told() == Lines{"granted 5, 1 in flight", "out t0"});
  rig.answer(test);
  CHECK(told() == Lines{"served after 0 ms at 1005 s, 0 in flight", "in t0"});
  rig.pool().remove("t0");
  CHECK(told() == Lines{"out t0"});
}
