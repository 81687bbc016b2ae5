#include "tokenpool/testing/policy_suite.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/policy/policies.hpp"

using tokenpool::Candidate;
using tokenpool::Candidates;
using tokenpool::PickContext;
using tokenpool::SlotNumber;
using tokenpool::testing::check_policy;
using tokenpool::testing::PolicyPromises;

namespace {

using Violations = std::vector<std::string>;
const Violations none;
constexpr double in_turn = 0;
constexpr double by_chance = 0.15;

/// Whether a violation was found in the scenario `when`.
bool caught(const Violations& violations, const std::string& when) {
  return std::any_of(violations.begin(), violations.end(),
                     [&](const std::string& sentence) { return sentence.find(when + ":") == 0; });
}

struct AlwaysFirst {
  std::size_t pick(const Candidates&, PickContext&) { return 0; }
};

struct OneTooFar {
  std::size_t pick(const Candidates& candidates, PickContext& context) {
    return context.random.below(static_cast<std::uint32_t>(candidates.size()) + 1);
  }
};

/// Hears of tokens that come, and forgets to hear of those that go.
struct Stale {
  std::size_t pick(const Candidates& candidates, PickContext&) { return candidates.index_of(newest); }
  void on_available(const Candidate& candidate) noexcept { newest = candidate.slot; }
  SlotNumber newest = 0;
};

struct OwnDice {
  std::size_t pick(const Candidates& candidates, PickContext&) {
    static tokenpool::SplitMix64 dice(7);
    return dice.below(static_cast<std::uint32_t>(candidates.size()));
  }
};

struct Throws {
  std::size_t pick(const Candidates& candidates, PickContext&) {
    return candidates.size() > 3 ? throw std::runtime_error("too many") : 0;
  }
};

/// The fewest grants ever: a token that was away has to make up for all it missed.
struct Floods {
  std::size_t pick(const Candidates& candidates, PickContext&) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < candidates.size(); ++i) {
      best = candidates[i].granted < candidates[best].granted ? i : best;
    }
    return best;
  }
};

/// In turn, but a token that was away once is not taken again.
struct Unforgiving {
  std::size_t pick(const Candidates& candidates, PickContext& context) {
    for (SlotNumber i = 0; i < 64; ++i) {
      const SlotNumber slot = (next + i) % 64;
      const std::size_t index = candidates.index_of(slot);
      if (index < candidates.size() && !gone[slot]) {
        next = slot + 1;
        return index;
      }
    }
    return context.random.below(static_cast<std::uint32_t>(candidates.size()));
  }
  void on_unavailable(SlotNumber slot) noexcept { gone[slot % 64] = true; }
  SlotNumber next = 0;
  bool gone[64] = {};
};

/// Moves on with every pick, whether the token was fit or not.
struct TurnsAtEachPick {
  std::size_t pick(const Candidates& candidates, PickContext&) { return picks++ % candidates.size(); }
  std::size_t picks = 0;
};

}  // namespace

TEST_CASE("those that draw pass the suite") {
  CHECK(check_policy<tokenpool::Random>({.fairness = by_chance}) == none);
  CHECK(check_policy<tokenpool::WeightedRandom>({.fairness = by_chance, .weights = by_chance}) == none);
  CHECK(check_policy<tokenpool::PowerOfTwoChoices>({.fairness = by_chance}) == none);
}

TEST_CASE("those that take turns pass the suite") {
  CHECK(check_policy<tokenpool::RoundRobin>({.fairness = in_turn}) == none);
  CHECK(check_policy<tokenpool::LeastUsed>({.fairness = in_turn}) == none);
  CHECK(check_policy<tokenpool::LeastInFlight>({.fairness = in_turn}) == none);
  CHECK(check_policy<tokenpool::MostHeadroom>({.fairness = in_turn}) == none);
  CHECK(check_policy<tokenpool::Failover>({.fairness = in_turn}) == none);
  CHECK(check_policy<tokenpool::Sticky>({.fairness = in_turn}) == none);
  CHECK(check_policy<tokenpool::WeightedRoundRobin>({.fairness = in_turn, .weights = in_turn}) == none);
}

TEST_CASE("a policy that promises nothing more passes the suite") {
  CHECK(check_policy<tokenpool::LowestLatency>() == none);
  CHECK(check_policy([] {
          return [](const Candidates& candidates, PickContext&) { return candidates.size() - 1; };
        }) == none);
}

TEST_CASE("every policy passes the suite by its name") {
  for (const std::string_view name : tokenpool::policy_names()) {
    INFO(name);
    const bool shares = name != "lowest-latency";
    PolicyPromises promises;
    promises.fairness = shares ? std::optional<double>(by_chance) : std::nullopt;
    CHECK(check_policy([name] { return tokenpool::AnyPolicy(name); }, promises) == none);
  }
}

TEST_CASE("every policy passes the storm with other seeds") {
  for (const std::string_view name : tokenpool::policy_names()) {
    for (std::uint64_t seed = 2; seed < 6; ++seed) {
      INFO(name << " with seed " << seed);
      CHECK(check_policy([name] { return tokenpool::AnyPolicy(name); }, {.requests = 5000, .seed = seed}) ==
            none);
    }
  }
}

TEST_CASE("the suite catches a policy that promises fairness and takes always the first") {
  CHECK(caught(check_policy<AlwaysFirst>({.fairness = by_chance}), "with equal tokens"));
}

TEST_CASE("the suite catches an index out of range") {
  const auto violations = check_policy<OneTooFar>();
  REQUIRE(caught(violations, "whatever happens to its tokens"));
  CHECK_THAT(violations.front(), test::ContainsSubstring("return an index below candidates.size()"));
}

TEST_CASE("the suite catches an index of a token that has gone") {
  CHECK(caught(check_policy<Stale>(), "whatever happens to its tokens"));
}

TEST_CASE("the suite catches randomness of the policy's own") {
  CHECK(caught(check_policy<OwnDice>(), "with the same seed"));
}

TEST_CASE("the suite catches a policy that throws") {
  CHECK(caught(check_policy<Throws>(), "whatever happens to its tokens"));
}

TEST_CASE("the suite catches weights that are promised and not kept") {
  const auto violations = check_policy<tokenpool::RoundRobin>({.weights = by_chance});
  CHECK(caught(violations, "with weights"));
  CHECK(caught(violations, "after many changes of weight"));
}

TEST_CASE("the suite catches a policy that floods tokens with what they missed") {
  const auto violations = check_policy<Floods>({.fairness = in_turn, .requests = 2000});
  CHECK(caught(violations, "after a rest"));
  CHECK(caught(violations, "after a token was added"));
}

TEST_CASE("the suite catches a policy that never forgives") {
  CHECK(caught(check_policy<Unforgiving>({.fairness = by_chance}), "after a rest"));
}

TEST_CASE("the suite catches a turn that moves on when nobody was served") {
  CHECK(caught(check_policy<TurnsAtEachPick>({.fairness = by_chance}),
               "between requests that nobody may serve"));
}
