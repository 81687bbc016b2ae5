#pragma once
// What a selection policy sees: the tokens that may be used right now, and the circumstances of this one
// choice.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenpool/base/random.hpp"
#include "tokenpool/base/time.hpp"

namespace tokenpool {

/// The number of a token's place in the pool; it stays the same while the token is in the pool, and is below
/// the number of tokens that the pool ever held at once. Policies keep their own state by it.
using SlotNumber = std::uint32_t;

/// One available token.
struct Candidate {
  SlotNumber slot = 0;          ///< its place in the pool
  std::string_view id{};        ///< valid during the call
  double weight = 1;            ///< `Token::weight`
  int priority = 0;             ///< `Token::priority`; lower serves first
  std::uint32_t in_flight = 0;  ///< leases not yet settled
  std::uint64_t granted = 0;    ///< leases ever granted
  Duration latency{};           ///< moving average of the times to accepting answers; 0 before the first
  double headroom = 1;  ///< share of its own limits left when it was last granted, answered or back; 1
                        ///< without limits
};

/// The circumstances of one choice.
struct PickContext {
  RandomSource& random;         ///< the pool's; draw from nothing else, so that a seed repeats a run
  SteadyTime now{};             ///< of this choice
  std::string_view affinity{};  ///< `Request::affinity`
  std::string_view bucket{};    ///< `Request::bucket`
  std::int64_t cost = 1;        ///< `Request::cost`
};

/// The available tokens, in no particular order. A token that is available but unfit for this very request is
/// hidden while the policy is asked again.
class Candidates {
 public:
  /// Made by the pool; refers to its arrays.
  Candidates(const std::vector<const Candidate*>& visible, const std::vector<std::uint32_t>& positions,
             std::size_t size)
      : visible_(visible), positions_(positions), size_(size) {}

  /// @{
  /// How many there are; a policy is never asked without any.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// @}

  /// The candidate at `index`, below size().
  [[nodiscard]] const Candidate& operator[](std::size_t index) const noexcept { return *visible_[index]; }

  /// The index of a slot; size() or more when it is not among the candidates.
  [[nodiscard]] std::size_t index_of(SlotNumber slot) const noexcept {
    return slot < positions_.size() ? positions_[slot] : size_;
  }

 private:
  const std::vector<const Candidate*>& visible_;
  const std::vector<std::uint32_t>& positions_;
  std::size_t size_;
};

}  // namespace tokenpool
