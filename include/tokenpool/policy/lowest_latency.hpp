#pragma once
// The token that answers fastest now. Worth it where tokens reach different deployments; a token that was
// slow is tried again as its bad memory fades.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/policy/ranking.hpp"
#include "tokenpool/pool/candidates.hpp"
#include "tokenpool/pool/selection_policy.hpp"

namespace tokenpool {

/// Takes the available token with the lowest cost: a peak-sensitive moving average of its answer times, times
/// its leases in flight plus one (Finagle's PeakEwma). The average jumps up at once to a slow answer and
/// sinks with time; a failure counts as a second at least and never lowers it, so that a token that fails
/// fast does not look fast. Tokens without an answer come first, one request each until they have one. All
/// averages sink at the same rate, so their order only changes by grants and answers and a tree of logarithms
/// keeps it: O(log n), and the lowest of all instead of the lower of two.
class LowestLatency {
 public:
  LowestLatency() = default;

  /// `memory`: in this time the average sinks to 1/e; above 0, default 10 s (as in Finagle).
  explicit LowestLatency(Duration memory) : memory_((std::max)(memory, Duration{1})) {}

  /// @{
  /// What a SelectionPolicy offers.
  std::size_t pick(const Candidates& candidates, PickContext&) {
    return candidates.index_of(ranking_.next());
  }

  void reserve(std::size_t slots) {
    ranking_.reserve(slots);
    averages_.resize(slots);
  }

  void on_available(const Candidate& candidate) noexcept {
    const bool is_new = candidate.granted == 0;
    if (is_new) {
      averages_[candidate.slot] = {};
    }
    ranking_.set(candidate.slot, rank(candidate));
  }

  void on_unavailable(SlotNumber slot) noexcept { ranking_.erase(slot); }

  void on_granted(const Candidate& candidate) noexcept { ranking_.granted(candidate.slot, rank(candidate)); }

  void on_settled(const Candidate& candidate, const Settled& settled) noexcept {
    if (settled.answered || settled.latency > Duration::zero()) {
      observe(averages_[candidate.slot], settled);
    }
    if (ranking_.contains(candidate.slot)) {
      ranking_.set(candidate.slot, rank(candidate));
    }
  }
  /// @}

 private:
  struct Average {
    double latency = 0;  ///< in ticks of Duration; 0: not known
    SteadyTime at{};
  };

  void observe(Average& average, const Settled& settled) const noexcept {
    constexpr Duration least_of_a_failure = std::chrono::seconds(1);
    const Duration least = settled.success ? Duration{1} : least_of_a_failure;
    const auto latency = static_cast<double>((std::max)(settled.latency, least).count());
    if (latency < average.latency) {
      const double kept = settled.success ? std::exp(-in_memories(settled.now - average.at)) : 1;
      average.latency = average.latency * kept + latency * (1 - kept);
    } else {
      average.latency = latency;
    }
    average.at = settled.now;
  }

  /// The logarithm of the cost, seen from the same instant for all.
  [[nodiscard]] double rank(const Candidate& candidate) const noexcept {
    constexpr double beyond_all = 1e15;
    const Average& average = averages_[candidate.slot];
    if (average.latency == 0) {
      return candidate.in_flight == 0 ? -beyond_all : beyond_all + candidate.in_flight;
    }
    return std::log(average.latency * (candidate.in_flight + 1.0)) +
           in_memories(average.at.time_since_epoch());
  }

  [[nodiscard]] double in_memories(Duration length) const noexcept {
    return static_cast<double>(length.count()) / static_cast<double>(memory_.count());
  }

  detail::Ranking<double> ranking_;
  std::vector<Average> averages_;
  Duration memory_{std::chrono::seconds(10)};
};

}  // namespace tokenpool
