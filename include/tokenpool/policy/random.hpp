#pragma once
// Any token, each as likely as the other.

#include <cstddef>
#include <cstdint>

#include "tokenpool/pool/candidates.hpp"

namespace tokenpool {

/// Picks uniformly at random among the available tokens. No state; O(1).
class Random {
 public:
  /// What a SelectionPolicy offers.
  std::size_t pick(const Candidates& candidates, PickContext& context) const {
    return context.random.below(static_cast<std::uint32_t>(candidates.size()));
  }
};

}  // namespace tokenpool
