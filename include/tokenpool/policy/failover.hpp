#pragma once
// The first group as long as it can serve, then the next: paid tokens behind free ones, a second provider
// behind the first.

#include <cstddef>
#include <cstdint>

#include "tokenpool/policy/ranking.hpp"
#include "tokenpool/pool/candidates.hpp"

namespace tokenpool {

/// Takes, of the available tokens with the lowest `priority`, each in turn (the priorities of HAProxy's
/// backup servers and of Envoy's locality groups). O(log n).
class Failover {
 public:
  /// @{
  /// What a SelectionPolicy offers.
  std::size_t pick(const Candidates& candidates, PickContext&) {
    return candidates.index_of(ranking_.next());
  }

  void reserve(std::size_t slots) { ranking_.reserve(slots); }

  void on_available(const Candidate& candidate) noexcept { ranking_.set(candidate.slot, candidate.priority); }

  void on_unavailable(SlotNumber slot) noexcept { ranking_.erase(slot); }

  void on_granted(const Candidate& candidate) noexcept {
    ranking_.granted(candidate.slot, candidate.priority);
  }
  /// @}

 private:
  detail::Ranking<std::int64_t> ranking_;
};

}  // namespace tokenpool
