#pragma once
// Each token in turn, as often as its weight says, and spread over the round: with weights 5, 1, 1 the turns
// are a a c a a b a, and not five of the first in a row.

#include <cmath>
#include <cstddef>
#include <vector>

#include "tokenpool/policy/ranking.hpp"
#include "tokenpool/pool/candidates.hpp"

namespace tokenpool {

/// Smooth weighted round robin. nginx (ngx_http_upstream_round_robin.c) adds to every token's counter at each
/// pick; here a token of weight w is due at the times (k + phase) / w and the earliest due is picked (stride
/// scheduling, Waldspurger 1995), which is O(log n). Both keep this: with whole-numbered weights and the
/// same tokens available, in any run of as many picks as the sum of the weights each token is picked exactly
/// its weight times. Phases by the golden ratio spread tokens of equal weight evenly over the round. A token
/// that comes back begins at the present time: it does not catch up.
class WeightedRoundRobin {
 public:
  /// @{
  /// What a SelectionPolicy offers.
  std::size_t pick(const Candidates& candidates, PickContext&) {
    return candidates.index_of(ranking_.next());
  }

  void reserve(std::size_t slots) {
    ranking_.reserve(slots);
    turns_.resize(slots);
  }

  void on_available(const Candidate& candidate) noexcept {
    Turn& turn = turns_[candidate.slot];
    if (turn.weight != candidate.weight || due(candidate.slot) < time_) {
      turn.weight = candidate.weight;
      turn.number = std::ceil(time_ * turn.weight - phase(candidate.slot));
    }
    ranking_.set(candidate.slot, due(candidate.slot));
  }

  void on_unavailable(SlotNumber slot) noexcept { ranking_.erase(slot); }

  void on_granted(const Candidate& candidate) noexcept {
    ++turns_[candidate.slot].number;
    ranking_.granted(candidate.slot, due(candidate.slot));
    time_ = ranking_.lowest();
  }
  /// @}

 private:
  struct Turn {
    double weight = 0;
    double number =
        0;  ///< a whole number: each due time is computed anew, so that rounding adds up to nothing
  };

  [[nodiscard]] static double phase(SlotNumber slot) noexcept {
    constexpr double golden_ratio = 0.6180339887498949;
    const double turns = slot * golden_ratio;
    return turns - std::floor(turns);
  }

  [[nodiscard]] double due(SlotNumber slot) const noexcept {
    const Turn& turn = turns_[slot];
    return (turn.number + phase(slot)) / turn.weight;
  }

  detail::Ranking<double> ranking_;
  std::vector<Turn> turns_;
  double time_ = 0;  ///< the earliest due after the last grant; nobody available is due before it
};

}  // namespace tokenpool
