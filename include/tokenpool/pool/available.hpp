#pragma once
// The tokens that may be used right now, in a dense array: a pick at random or in turn costs the same for
// four tokens and for a million, however many of them rest.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "tokenpool/pool/candidates.hpp"
#include "tokenpool/pool/selection_policy.hpp"

namespace tokenpool::detail {

/// What the pool tells its policy. One virtual call each keeps everything but the pick itself out of
/// templates.
class PolicyPort {
 public:
  virtual ~PolicyPort() = default;
  virtual std::size_t pick(const Candidates& candidates, PickContext& context) = 0;
  virtual void reserve(std::size_t slots) = 0;
  virtual void on_available(const Candidate& candidate) noexcept = 0;
  virtual void on_unavailable(SlotNumber slot) noexcept = 0;
  virtual void on_granted(const Candidate& candidate) noexcept = 0;
  virtual void on_settled(const Candidate& candidate, const Settled& settled) noexcept = 0;
};

/// The dense array, with the policy kept informed. Not thread-safe.
class AvailableSet {
 public:
  explicit AvailableSet(PolicyPort& policy) : policy_(policy) {}

  /// Makes space for the slots below `slots`. Throws what the policy's reserve throws, or std::bad_alloc.
  void reserve(std::size_t slots) {
    if (slots <= positions_.size()) {
      return;
    }
    const std::size_t space = (std::max)(slots, positions_.size() * 2);
    policy_.reserve(space);
    members_.reserve(space);
    positions_.resize(space, absent);
  }

  [[nodiscard]] bool contains(SlotNumber slot) const noexcept { return positions_[slot] != absent; }
  [[nodiscard]] std::size_t size() const noexcept { return members_.size() - hidden_.size(); }
  [[nodiscard]] Candidates candidates() const noexcept { return {members_, positions_, size()}; }
  [[nodiscard]] const Candidate& operator[](std::size_t index) const noexcept { return *members_[index]; }

  void insert(const Candidate& candidate) noexcept {
    if (contains(candidate.slot)) {
      return;
    }
    positions_[candidate.slot] = static_cast<std::uint32_t>(members_.size());
    members_.push_back(&candidate);
    policy_.on_available(candidate);
  }

  void erase(SlotNumber slot) noexcept {
    if (!contains(slot)) {
      return;
    }
    swap_places(positions_[slot], members_.size() - 1);
    members_.pop_back();
    positions_[slot] = absent;
    policy_.on_unavailable(slot);
  }

  /// Takes the candidate at `index` out of sight until unhide(): it is available, but not for the request at
  /// hand. Throws std::bad_alloc, nothing changed.
  void hide(std::size_t index) {
    hidden_.push_back(static_cast<std::uint32_t>(index));
    policy_.on_unavailable(members_[index]->slot);
    swap_places(index, size());
  }

  /// Brings all hidden ones back to where they were.
  void unhide() noexcept {
    while (!hidden_.empty()) {
      const std::size_t last = size();
      swap_places(hidden_.back(), last);
      policy_.on_available(*members_[hidden_.back()]);
      hidden_.pop_back();
    }
  }

 private:
  static constexpr std::uint32_t absent = 0xffffffffU;

  void swap_places(std::size_t left, std::size_t right) noexcept {
    std::swap(members_[left], members_[right]);
    positions_[members_[left]->slot] = static_cast<std::uint32_t>(left);
    positions_[members_[right]->slot] = static_cast<std::uint32_t>(right);
  }

  PolicyPort& policy_;
  std::vector<const Candidate*> members_;
  std::vector<std::uint32_t> positions_;
  std::vector<std::uint32_t> hidden_;  ///< where each hidden one was, the last one hidden at the end
};

}  // namespace tokenpool::detail
