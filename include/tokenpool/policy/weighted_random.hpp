#pragma once
// Any token, as likely as its weight says.

#include <cstddef>
#include <functional>

#include "tokenpool/policy/slot_tree.hpp"
#include "tokenpool/pool/candidates.hpp"

namespace tokenpool {

/// Picks each available token with the probability of its weight over the sum of the available weights: a
/// walk down a tree of sums, whose rounding does not grow with the number of changes. O(log n).
class WeightedRandom {
 public:
  /// @{
  /// What a SelectionPolicy offers.
  std::size_t pick(const Candidates& candidates, PickContext& context) const {
    double point = context.random.unit() * weights_.root();
    std::size_t node = 1;
    while (node < weights_.leaves()) {
      node *= 2;
      const double left = weights_.node(node);
      // Rounding may carry the point past the last weight: an empty side is never taken.
      if (point >= left && weights_.node(node + 1) > 0) {
        point -= left;
        ++node;
      }
    }
    return candidates.index_of(static_cast<SlotNumber>(node - weights_.leaves()));
  }

  void reserve(std::size_t slots) { weights_.reserve(slots); }
  void on_available(const Candidate& candidate) noexcept { weights_.set(candidate.slot, candidate.weight); }
  void on_unavailable(SlotNumber slot) noexcept { weights_.erase(slot); }
  /// @}

 private:
  detail::SlotTree<double, std::plus<>> weights_{0};
};

}  // namespace tokenpool
