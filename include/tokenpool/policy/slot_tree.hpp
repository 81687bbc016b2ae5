#pragma once
// What several policies keep: a value for each available token, and above them, pair by pair, what follows
// from the values. Every inner node is made anew from its two children, so that sums do not drift however
// often tokens come and go.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

#include "tokenpool/pool/candidates.hpp"

namespace tokenpool::detail {

/// A complete binary tree over slot numbers: node 1 is the root, the children of `n` are `2n` and `2n + 1`,
/// the leaf of a slot is `leaves() + slot`. `Combine` makes a parent of two children; a slot without a value
/// has `absent`, which must leave the other child as it is. Changes are O(log n). Not thread-safe.
template <class Value, class Combine>
class SlotTree {
 public:
  explicit SlotTree(Value absent) : absent_(absent) {}

  /// Makes space for the slots below `slots`. Throws std::bad_alloc, nothing changed.
  void reserve(std::size_t slots) {
    const std::size_t leaves = std::bit_ceil(slots);
    if (leaves <= leaves_) {
      return;
    }
    std::vector<Value> larger(2 * leaves, absent_);
    std::copy(nodes_.begin() + static_cast<std::ptrdiff_t>(leaves_), nodes_.end(),
              larger.begin() + static_cast<std::ptrdiff_t>(leaves));
    nodes_.swap(larger);
    leaves_ = leaves;
    for (std::size_t node = leaves; --node != 0;) {
      nodes_[node] = combined(node);
    }
  }

  [[nodiscard]] std::size_t leaves() const noexcept { return leaves_; }
  [[nodiscard]] const Value& node(std::size_t number) const noexcept { return nodes_[number]; }
  [[nodiscard]] const Value& root() const noexcept { return nodes_[1]; }
  [[nodiscard]] bool contains(SlotNumber slot) const noexcept {
    return slot < leaves_ && nodes_[leaves_ + slot] != absent_;
  }

  void set(SlotNumber slot, Value value) noexcept {
    std::size_t node = leaves_ + slot;
    nodes_[node] = value;
    while ((node /= 2) != 0) {
      const Value above = combined(node);
      if (nodes_[node] == above) {
        return;
      }
      nodes_[node] = above;
    }
  }

  void erase(SlotNumber slot) noexcept { set(slot, absent_); }

 private:
  [[nodiscard]] Value combined(std::size_t node) const noexcept {
    return Combine{}(nodes_[2 * node], nodes_[2 * node + 1]);
  }

  Value absent_;
  std::vector<Value> nodes_;
  std::size_t leaves_ = 0;
};

}  // namespace tokenpool::detail
