#pragma once
// Each token in turn.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenpool/pool/candidates.hpp"

namespace tokenpool {

/// Takes the available tokens in turn: between two turns of one token every other that stays available has
/// exactly one. A token that comes back from a rest goes to the end of the round. A ring by slot number;
/// every operation O(1).
class RoundRobin {
 public:
  std::size_t pick(const Candidates& candidates, PickContext&) { return candidates.index_of(next_); }

  void reserve(std::size_t slots) { ring_.resize(slots); }

  void on_available(const Candidate& candidate) noexcept {
    const SlotNumber slot = candidate.slot;
    if (next_ == nobody) {
      ring_[slot] = {slot, slot};
      next_ = slot;
      return;
    }
    const SlotNumber last = ring_[next_].before;
    ring_[slot] = {last, next_};
    ring_[last].after = slot;
    ring_[next_].before = slot;
  }

  void on_unavailable(SlotNumber slot) noexcept {
    const Link link = ring_[slot];
    ring_[link.before].after = link.after;
    ring_[link.after].before = link.before;
    if (next_ == slot) {
      next_ = link.after == slot ? nobody : link.after;
    }
  }

  void on_granted(const Candidate& candidate) noexcept { next_ = ring_[candidate.slot].after; }

 private:
  struct Link {
    SlotNumber before = 0;
    SlotNumber after = 0;
  };

  static constexpr SlotNumber nobody = 0xffffffffU;

  std::vector<Link> ring_;
  SlotNumber next_ = nobody;  ///< whose turn it is
};

}  // namespace tokenpool
