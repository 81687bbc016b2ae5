#pragma once
// The token that is farthest from its limits: with limits of different size, or other users of the same
// token, even turns would run the smallest dry first.

#include <cstddef>

#include "tokenpool/policy/ranking.hpp"
#include "tokenpool/pool/candidates.hpp"
#include "tokenpool/pool/selection_policy.hpp"

namespace tokenpool {

/// Takes the available token with the largest share of its limits left, as known at its last grant, answer or
/// return; equals in turn. O(log n).
class MostHeadroom {
 public:
  /// @{
  /// What a SelectionPolicy offers.
  std::size_t pick(const Candidates& candidates, PickContext&) {
    return candidates.index_of(ranking_.next());
  }

  void reserve(std::size_t slots) { ranking_.reserve(slots); }

  void on_available(const Candidate& candidate) noexcept {
    ranking_.set(candidate.slot, -candidate.headroom);
  }

  void on_unavailable(SlotNumber slot) noexcept { ranking_.erase(slot); }

  void on_granted(const Candidate& candidate) noexcept {
    ranking_.granted(candidate.slot, -candidate.headroom);
  }

  void on_settled(const Candidate& candidate, const Settled&) noexcept {
    if (ranking_.contains(candidate.slot)) {
      ranking_.set(candidate.slot, -candidate.headroom);
    }
  }
  /// @}

 private:
  detail::Ranking<double> ranking_;
};

}  // namespace tokenpool
