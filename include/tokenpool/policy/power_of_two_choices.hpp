#pragma once
// Two at random, the less busy one of them: nearly as even as a look at all, without an index.

#include <cstddef>
#include <cstdint>

#include "tokenpool/pool/candidates.hpp"

namespace tokenpool {

/// Draws two different available tokens and takes the one with fewer leases in flight, of equals the first
/// drawn. The fullest of n then holds about log log n more than the average instead of log n / log log n
/// (Mitzenmacher 2001, doi:10.1109/71.963420). No state; O(1).
class PowerOfTwoChoices {
 public:
  /// What a SelectionPolicy offers.
  std::size_t pick(const Candidates& candidates, PickContext& context) const {
    const auto size = static_cast<std::uint32_t>(candidates.size());
    const std::uint32_t first = context.random.below(size);
    if (size == 1) {
      return first;
    }
    std::uint32_t second = context.random.below(size - 1);
    second += second >= first ? 1 : 0;
    return candidates[second].in_flight < candidates[first].in_flight ? second : first;
  }
};

}  // namespace tokenpool
