#pragma once
// One policy in a real pool under a manual clock, with the words that the policy suite is written in.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tokenpool/base/random.hpp"
#include "tokenpool/pool/pool.hpp"
#include "tokenpool/testing/manual_clock.hpp"

namespace tokenpool::testing {

/// A pool of tokens "t0", "t1"... whose server answers every request in a millisecond. Not thread-safe.
template <SelectionPolicy Policy>
class PolicyTrial {
 public:
  /// How many requests each token served.
  using Counts = std::map<std::string, double>;

  /// A pool of the tokens t0, t1... with these weights.
  PolicyTrial(Policy policy, const std::vector<double>& weights, std::uint64_t seed)
      : pool_(options(weights, seed), std::move(policy)) {}

  /// The pool, to add, remove and disable.
  [[nodiscard]] TokenPool<Policy>& pool() noexcept { return pool_; }

  /// The token t`number`.
  [[nodiscard]] static Token token(std::size_t number, double weight = 1) {
    const std::string id = "t" + std::to_string(number);
    return {.secret = std::string_view("secret-of-" + id), .id = id, .weight = weight};
  }

  /// A lease, if there is one to be had.
  std::optional<Lease> acquire(const LeaseRequest& request = {}) {
    Acquired acquired = pool_.acquire(request, clock_.now());
    Lease* lease = std::get_if<Lease>(&acquired);
    return lease != nullptr ? std::optional<Lease>(std::move(*lease)) : std::nullopt;
  }

  /// The answer comes: `verdict`, and for a refusal how long the token rests.
  void answer(Lease& lease, Verdict verdict = Verdict::success, std::chrono::milliseconds rest = {}) {
    clock_.advance(latency);
    Outcome outcome;
    outcome.meaning.verdict = verdict;
    outcome.meaning.scope = LimitScope::token;
    if (rest != std::chrono::milliseconds::zero()) {
      outcome.meaning.rest = rest;
    }
    outcome.answered = true;
    outcome.answered_at = clock_.now().steady;
    outcome.latency = latency;
    lease.settle(outcome, clock_.now());
  }

  /// One request after the other.
  Counts serve(std::size_t requests) {
    Counts counts;
    for (std::size_t i = 0; i < requests; ++i) {
      if (std::optional<Lease> lease = acquire()) {
        ++counts[lease->credential().token_id];
        answer(*lease);
      }
    }
    return counts;
  }

  /// Requests until the server has refused each of `ids` once, each then rests for `rest`; false if one of
  /// them is not picked in a thousand times the pool's size.
  bool let_rest(std::vector<std::string> ids, std::chrono::milliseconds rest) {
    for (std::size_t i = 0; i < tokens_ * 1000 && !ids.empty(); ++i) {
      std::optional<Lease> lease = acquire();
      if (!lease) {
        return false;
      }
      const auto found = std::find(ids.begin(), ids.end(), lease->credential().token_id);
      const bool refuse = found != ids.end();
      answer(*lease, refuse ? Verdict::rate_limited : Verdict::success,
             refuse ? rest : std::chrono::milliseconds{});
      if (refuse) {
        ids.erase(found);
      }
    }
    return ids.empty();
  }

  /// Lets time pass.
  void pass(Duration length) { clock_.advance(length); }

 private:
  static constexpr std::chrono::milliseconds latency{1};

  static PoolOptions options(const std::vector<double>& weights, std::uint64_t seed) {
    PoolOptions made;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      made.tokens.push_back(token(i, weights[i]));
    }
    made.random = std::make_shared<SplitMix64>(seed);
    return made;
  }

  ManualClock clock_;
  TokenPool<Policy> pool_;
  std::size_t tokens_ = pool_.snapshot(clock_.now()).tokens.size();
};

}  // namespace tokenpool::testing
