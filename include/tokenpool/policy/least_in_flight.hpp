#pragma once
// The token with the fewest requests under way: a slow one gets fewer by itself.

#include <cstddef>
#include <cstdint>

#include "tokenpool/policy/ranking.hpp"
#include "tokenpool/pool/candidates.hpp"
#include "tokenpool/pool/selection_policy.hpp"

namespace tokenpool {

/// Takes the available token with the fewest leases in flight, equals in turn ("least connections" of nginx
/// and HAProxy, the heap balancer of Finagle). O(log n).
class LeastInFlight {
 public:
  /// @{
  /// What a SelectionPolicy offers.
  std::size_t pick(const Candidates& candidates, PickContext&) {
    return candidates.index_of(ranking_.next());
  }

  void reserve(std::size_t slots) { ranking_.reserve(slots); }

  void on_available(const Candidate& candidate) noexcept {
    ranking_.set(candidate.slot, candidate.in_flight);
  }

  void on_unavailable(SlotNumber slot) noexcept { ranking_.erase(slot); }

  void on_granted(const Candidate& candidate) noexcept {
    ranking_.granted(candidate.slot, candidate.in_flight);
  }

  void on_settled(const Candidate& candidate, const Settled&) noexcept {
    if (ranking_.contains(candidate.slot)) {
      ranking_.set(candidate.slot, candidate.in_flight);
    }
  }
  /// @}

 private:
  detail::Ranking<std::uint32_t> ranking_;
};

}  // namespace tokenpool
