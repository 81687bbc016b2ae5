#pragma once
// Each token in turn.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenpool/pool/candidates.hpp"

namespace tokenpool {

/// Takes the available tokens in turn: between two turns of one token every other that stays available has
/// exactly one. A token that comes back takes its old place if its neighbours are still the same, else the
/// end of the round. A ring by slot number; every operation O(1).
class RoundRobin {
 public:
  /// @{
  /// What a SelectionPolicy offers.
  std::size_t pick(const Candidates& candidates, PickContext&) { return candidates.index_of(next_); }

  void reserve(std::size_t slots) { ring_.resize(slots); }

  void on_available(const Candidate& candidate) noexcept {
    const SlotNumber slot = candidate.slot;
    Link& link = ring_[slot];
    // Asked before the link counts again: one that left as the last of all points at itself.
    const bool keeps_place = has_place(link);
    link.linked = true;
    if (next_ == nobody) {
      link.before = link.after = next_ = slot;
      return;
    }
    if (!keeps_place) {
      link = {ring_[next_].before, next_, true, false};
    }
    ring_[link.before].after = slot;
    ring_[link.after].before = slot;
    if (link.had_turn && next_ == link.after) {
      next_ = slot;
    }
  }

  void on_unavailable(SlotNumber slot) noexcept {
    Link& link = ring_[slot];
    link.linked = false;
    link.had_turn = next_ == slot;
    ring_[link.before].after = link.after;
    ring_[link.after].before = link.before;
    if (link.had_turn) {
      next_ = link.after == slot ? nobody : link.after;
    }
  }

  void on_granted(const Candidate& candidate) noexcept { next_ = ring_[candidate.slot].after; }
  /// @}

 private:
  /// A token out of the ring keeps its link, so that those passed over for one request come back to where
  /// they were, in the reverse of the order in which they left (Knuth's dancing links, arXiv:cs/0011047).
  struct Link {
    SlotNumber before = 0;
    SlotNumber after = 0;
    bool linked = false;
    bool had_turn = false;  ///< it was next when it left
  };

  static constexpr SlotNumber nobody = 0xffffffffU;

  [[nodiscard]] bool has_place(const Link& link) const noexcept {
    const Link& before = ring_[link.before];
    const Link& after = ring_[link.after];
    return before.linked && after.linked && before.after == link.after && after.before == link.before;
  }

  std::vector<Link> ring_;
  SlotNumber next_ = nobody;  ///< whose turn it is
};

}  // namespace tokenpool
