#pragma once
// The order that most policies need: the lowest rank first, equals in turn. Without the turns a program that
// sends one request at a time would wear out its first token and never touch the others.

#include <cstddef>
#include <limits>

#include "tokenpool/policy/slot_tree.hpp"
#include "tokenpool/pool/candidates.hpp"

namespace tokenpool::detail {

/// Available tokens by rank. A rank must be below the largest value of its type. The turn among equals goes
/// by slot number and moves on with each grant alone: a token passed over for one request is where it was for
/// the next. Every operation O(log n); only reserve() may allocate. Not thread-safe.
template <class Rank>
class Ranking {
 public:
  void reserve(std::size_t slots) { ranks_.reserve(slots); }

  [[nodiscard]] bool contains(SlotNumber slot) const noexcept { return ranks_.contains(slot); }

  /// The lowest rank; needs a member.
  [[nodiscard]] Rank lowest() const noexcept { return ranks_.root(); }

  /// The one of lowest rank whose turn it is; needs a member.
  [[nodiscard]] SlotNumber next() const noexcept {
    const std::size_t leaves = ranks_.leaves();
    std::size_t node = leaves + turn_;
    if (!is_lowest(node)) {
      // Up to the first tree on the right that holds a lowest one; round to the beginning if there is none.
      while (node != 1 && (node % 2 != 0 || !is_lowest(node + 1))) {
        node /= 2;
      }
      node += node == 1 ? 0 : 1;
    }
    while (node < leaves) {
      node = 2 * node + (is_lowest(2 * node) ? 0 : 1);
    }
    return static_cast<SlotNumber>(node - leaves);
  }

  /// Puts a token in with `rank`, or gives it that rank.
  void set(SlotNumber slot, Rank rank) noexcept { ranks_.set(slot, rank); }
  void erase(SlotNumber slot) noexcept { ranks_.erase(slot); }

  /// The token had its turn and has `rank` from now on.
  void granted(SlotNumber slot, Rank rank) noexcept {
    ranks_.set(slot, rank);
    turn_ = (slot + 1) % ranks_.leaves();
  }

 private:
  struct Lower {
    Rank operator()(Rank left, Rank right) const noexcept { return right < left ? right : left; }
  };

  [[nodiscard]] bool is_lowest(std::size_t node) const noexcept { return ranks_.node(node) == ranks_.root(); }

  SlotTree<Rank, Lower> ranks_{(std::numeric_limits<Rank>::max)()};
  std::size_t turn_ = 0;
};

}  // namespace tokenpool::detail
