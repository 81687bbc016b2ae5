#pragma once
// The token that has served least. Evens out what rests and failures made uneven.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenpool/policy/ranking.hpp"
#include "tokenpool/pool/candidates.hpp"

namespace tokenpool {

/// Takes the available token with the fewest requests granted, equals in turn. A token that comes new or back
/// begins no lower than the lowest of those available, so that it serves its share and is not flooded with
/// what it missed (the virtual time of start-time fair queueing, Goyal et al. 1996,
/// doi:10.1145/248156.248171). O(log n).
class LeastUsed {
 public:
  /// @{
  /// What a SelectionPolicy offers.
  std::size_t pick(const Candidates& candidates, PickContext&) {
    return candidates.index_of(ranking_.next());
  }

  void reserve(std::size_t slots) {
    ranking_.reserve(slots);
    used_.resize(slots);
  }

  void on_available(const Candidate& candidate) noexcept {
    std::uint64_t& used = used_[candidate.slot];
    const bool is_new = candidate.granted == 0;
    used = is_new ? lowest_ : (std::max)(used, lowest_);
    ranking_.set(candidate.slot, used);
  }

  void on_unavailable(SlotNumber slot) noexcept { ranking_.erase(slot); }

  void on_granted(const Candidate& candidate) noexcept {
    ranking_.granted(candidate.slot, ++used_[candidate.slot]);
    lowest_ = ranking_.lowest();
  }
  /// @}

 private:
  detail::Ranking<std::uint64_t> ranking_;
  std::vector<std::uint64_t> used_;
  std::uint64_t lowest_ = 0;  ///< among those available at the last grant; nobody available is below it
};

}  // namespace tokenpool
