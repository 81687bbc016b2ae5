#pragma once
// What every policy must keep, checked in a real pool: run it on a policy of your own before you trust it
// with your tokens. It needs no test framework.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tokenpool/base/random.hpp"
#include "tokenpool/pool/selection_policy.hpp"
#include "tokenpool/testing/policy_trial.hpp"

namespace tokenpool::testing {

/// What a policy promises beyond the duties of all policies.
struct PolicyPromises {
  /// Of tokens of equal weight and priority, each that stays available gets its equal share of the requests,
  /// within this fraction of the share or within one request: 0 for those that take turns, 0.15 for those
  /// that draw. Empty: no promise.
  std::optional<double> fairness{};

  /// As `fairness`, but a share is by weight.
  std::optional<double> weights{};

  std::size_t requests = 20'000;  ///< of which a share is taken; at least 1000
  std::uint64_t seed = 1;         ///< of all that is drawn
};

namespace detail {

/// The scenarios. `Make` makes a fresh policy.
template <class Make>
class PolicySuite {
 public:
  PolicySuite(Make& make, const PolicyPromises& promises) : make_(make), promises_(promises) {}

  std::vector<std::string> run() {
    check("whatever happens to its tokens", &PolicySuite::survives_everything);
    check("with the same seed", &PolicySuite::repeats_itself);
    if (promises_.fairness) {
      check("with equal tokens", &PolicySuite::shares_evenly);
      check("while some tokens rest", &PolicySuite::shares_among_those_that_stay);
      check("after a rest", &PolicySuite::takes_back_those_that_rested);
      check("after a token was added", &PolicySuite::takes_in_a_new_one);
      check("after a token was removed and another came", &PolicySuite::forgets_those_that_left);
      check("after nobody was left", &PolicySuite::begins_again);
      check("between requests that nobody may serve", &PolicySuite::keeps_the_turn_when_nobody_fits);
    }
    if (promises_.weights) {
      check("with weights", &PolicySuite::shares_by_weight);
      check("after many changes of weight", &PolicySuite::shares_by_changed_weights);
    }
    return std::move(violations_);
  }

 private:
  using Policy = std::decay_t<std::invoke_result_t<Make&>>;
  using Trial = PolicyTrial<Policy>;
  using Weights = std::vector<double>;
  using Trace = std::vector<std::string>;

  void check(const char* when, void (PolicySuite::*scenario)()) {
    when_ = when;
    try {
      (this->*scenario)();
    } catch (const std::exception& error) {
      violate(error.what());
    }
  }

  void violate(const std::string& what) { violations_.push_back(std::string(when_) + ": " + what); }

  Trial trial(const Weights& weights) { return Trial(make_(), weights, promises_.seed); }

  /// Holds the next requests against the shares that `weights` give to the tokens t0, t1...; 0: it must get
  /// none.
  void expect_shares(Trial& pool, const Weights& weights, double fraction) {
    const auto counts = pool.serve(promises_.requests);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const std::string id = "t" + std::to_string(i);
      const auto found = counts.find(id);
      const double served = found == counts.end() ? 0 : found->second;
      const double share = static_cast<double>(promises_.requests) * weights[i] / sum;
      const double allowed = weights[i] == 0 ? 0 : (std::max)(1.0, fraction * share);
      if (std::abs(served - share) > allowed + 1e-6) {
        violate("token " + id + " served " + std::to_string(std::llround(served)) + " of " +
                std::to_string(promises_.requests) + " requests; its share is " + std::to_string(share) +
                ", give or take " + std::to_string(allowed));
      }
    }
  }

  void shares_evenly() {
    Trial pool = trial(Weights(7, 1));
    expect_shares(pool, Weights(7, 1), *promises_.fairness);
  }

  void shares_among_those_that_stay() {
    Trial pool = trial(Weights(6, 1));
    if (!pool.let_rest({"t0", "t3"}, std::chrono::hours(10))) {
      return violate("t0 or t3 is never picked");
    }
    expect_shares(pool, {0, 1, 1, 0, 1, 1}, *promises_.fairness);
  }

  void takes_back_those_that_rested() {
    Trial pool = trial(Weights(6, 1));
    if (!pool.let_rest({"t1", "t2"}, std::chrono::hours(1))) {
      return violate("t1 or t2 is never picked");
    }
    pool.serve(1000);
    pool.pass(std::chrono::hours(1));
    expect_shares(pool, Weights(6, 1), *promises_.fairness);
  }

  void takes_in_a_new_one() {
    Trial pool = trial(Weights(4, 1));
    pool.serve(1000);
    pool.pool().add(Trial::token(4));
    expect_shares(pool, Weights(5, 1), *promises_.fairness);
  }

  void forgets_those_that_left() {
    Trial pool = trial(Weights(5, 1));
    pool.serve(1001);
    pool.pool().remove("t2");
    pool.pool().disable("t3");
    pool.serve(1001);
    pool.pool().add(Trial::token(5));
    expect_shares(pool, {1, 1, 0, 0, 1, 1}, *promises_.fairness);
  }

  /// All go, and come back in another order than the reverse of that in which they went.
  void begins_again() {
    Trial pool = trial(Weights(3, 1));
    const std::vector<std::string> ids = {"t0", "t1", "t2"};
    std::vector<std::string> back = ids;
    do {
      std::for_each(ids.begin(), ids.end(), [&](const std::string& id) { pool.pool().disable(id); });
      std::for_each(back.begin(), back.end(), [&](const std::string& id) { pool.pool().enable(id); });
      expect_shares(pool, Weights(3, 1), *promises_.fairness);
    } while (std::next_permutation(back.begin(), back.end()));
  }

  /// Every token is passed over for every second request, and is where it was for the next.
  void keeps_the_turn_when_nobody_fits() {
    for (const std::size_t size : {4U, 9U, 18U}) {
      Trial pool = trial(Weights(size, 1));
      const std::size_t rounds = promises_.requests / 100;
      std::vector<SlotNumber> all(size);
      std::iota(all.begin(), all.end(), SlotNumber{0});
      std::set<std::string> served;
      for (std::size_t i = 0; i < rounds; ++i) {
        if (pool.acquire({.asked = all})) {
          return violate("a token was asked twice");
        }
        if (std::optional<Lease> lease = pool.acquire()) {
          served.insert(lease->credential().token_id);
          pool.answer(*lease);
        }
      }
      if (served.size() != size) {
        violate("only " + std::to_string(served.size()) + " of " + std::to_string(size) +
                " tokens served any of " + std::to_string(rounds) + " requests");
      }
    }
  }

  void shares_by_weight() {
    const Weights weights = {5, 1, 1, 3, 2, 4, 1};
    Trial pool = trial(weights);
    expect_shares(pool, weights, *promises_.weights);
  }

  void shares_by_changed_weights() {
    Trial pool = trial(Weights(4, 1));
    SplitMix64 dice(promises_.seed);
    for (int i = 0; i < 1000; ++i) {
      pool.pool().set_weight("t" + std::to_string(dice.below(4)), 0.1 + 1e6 * dice.unit());
      pool.serve(1);
    }
    const Weights weights = {3, 1, 2, 4};
    for (std::size_t i = 0; i < weights.size(); ++i) {
      pool.pool().set_weight("t" + std::to_string(i), weights[i]);
    }
    expect_shares(pool, weights, *promises_.weights);
  }

  void survives_everything() { storm(); }

  void repeats_itself() {
    if (storm() != storm()) {
      violate("two runs picked different tokens: draw from context.random alone, keep no global state");
    }
  }

  /// Tokens come, rest, change and go at random while requests of all kinds are under way; who served, in
  /// order.
  Trace storm() {
    Trial pool = trial(Weights(5, 1));
    Storm weather{pool, SplitMix64(promises_.seed), {}, {}, {}, 5};
    for (std::size_t i = 0; i < promises_.requests; ++i) {
      weather.step([this](const std::string& what) { violate(what); });
    }
    return std::move(weather.trace);
  }

  struct Storm {
    Trial& pool;
    SplitMix64 dice;
    Trace trace;
    std::vector<Lease> under_way;
    std::set<std::string> disabled;
    std::size_t tokens_made;

    template <class Violate>
    void step(Violate&& violate) {
      switch (dice.below(16)) {
        case 0: pool.pool().add(Trial::token(tokens_made++, 0.5 + 9 * dice.unit())); break;
        case 1: pool.pool().remove(some_id()); break;
        case 2: toggle(some_id()); break;
        case 3: pool.pool().set_weight(some_id(), 0.5 + 9 * dice.unit()); break;
        case 4: pool.pass(std::chrono::milliseconds(dice.below(3000))); break;
        case 5:
        case 6:
        case 7: settle_one(Verdict::success); break;
        case 8: settle_one(Verdict::rate_limited); break;
        case 9: settle_one(Verdict::server_error); break;
        case 10: under_way.clear(); break;
        default: request_one(violate); break;
      }
    }

    std::string some_id() {
      return "t" + std::to_string(dice.below(static_cast<std::uint32_t>(tokens_made)));
    }

    void toggle(const std::string& id) {
      if (disabled.erase(id) != 0) {
        pool.pool().enable(id);
      } else if (pool.pool().disable(id)) {
        disabled.insert(id);
      }
    }

    void settle_one(Verdict verdict) {
      if (!under_way.empty()) {
        std::swap(under_way[dice.below(static_cast<std::uint32_t>(under_way.size()))], under_way.back());
        pool.answer(under_way.back(), verdict, std::chrono::milliseconds(1 + dice.below(2000)));
        under_way.pop_back();
      }
    }

    template <class Violate>
    void request_one(Violate&& violate) {
      const std::string affinity = dice.below(2) == 0 ? "" : "talk-" + std::to_string(dice.below(20));
      std::vector<SlotNumber> asked;
      for (std::uint32_t i = dice.below(4) == 0 ? dice.below(20) : 0; i != 0; --i) {
        asked.push_back(dice.below(static_cast<std::uint32_t>(tokens_made)));
      }
      std::optional<Lease> lease =
          pool.acquire({.bucket = dice.below(3) == 0 ? "large" : "", .affinity = affinity, .asked = asked});
      if (!lease) {
        return;
      }
      trace.push_back(lease->credential().token_id);
      if (disabled.count(trace.back()) != 0) {
        violate("token " + trace.back() + " served although it is disabled");
      }
      under_way.push_back(std::move(*lease));
    }
  };

  Make& make_;
  const PolicyPromises& promises_;
  const char* when_ = "";
  std::vector<std::string> violations_;
};

}  // namespace detail

/// Runs the policies that `make` returns (a fresh one each time) through every scenario and returns what they
/// violate, a sentence each; empty when they pass. The duties of all: an index in range whatever happens to
/// the tokens, no exception, nothing but the pool's randomness; and what `promises` names.
/// @code
/// const auto violations = tokenpool::testing::check_policy([] { return MyPolicy{}; }, {.fairness = 0});
/// @endcode
template <class Make>
  requires(SelectionPolicy<std::decay_t<std::invoke_result_t<Make&>>>)
std::vector<std::string> check_policy(Make make, const PolicyPromises& promises = {}) {
  return detail::PolicySuite<Make>(make, promises).run();
}

/// The same for a default-constructible policy.
template <SelectionPolicy Policy>
std::vector<std::string> check_policy(const PolicyPromises& promises = {}) {
  return check_policy([] { return Policy{}; }, promises);
}

}  // namespace tokenpool::testing
