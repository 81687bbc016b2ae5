#pragma once
// A conversation keeps its token, and with it the provider's prompt cache.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenpool/policy/least_in_flight.hpp"
#include "tokenpool/pool/candidates.hpp"
#include "tokenpool/pool/selection_policy.hpp"

namespace tokenpool {

/// Rendezvous hashing (Thaler and Ravishankar 1998, doi:10.1109/90.663936) of `Request::affinity` and token
/// id: each affinity prefers the tokens in an order of its own, the same in every process, and takes the
/// first that is available. So it moves while its token rests, comes home after, and a token that comes or
/// goes moves nobody else. With bounded load (Mirrokni, Thorup, Zadimoghaddam 2018, arXiv:1608.01350; first
/// used by Vimeo in HAProxy): a token that holds more than `balance` times the average of the leases in
/// flight is passed over. Without an affinity: least in flight. O(n) with an affinity, O(log n) without.
class Sticky {
 public:
  Sticky() = default;

  /// `balance`: at least 1; lower is more even, higher is stickier; default 1.25.
  explicit Sticky(double balance) : balance_((std::max)(balance, 1.0)) {}

  /// @{
  /// What a SelectionPolicy offers.
  std::size_t pick(const Candidates& candidates, PickContext& context) {
    if (context.affinity.empty()) {
      return idlest_.pick(candidates, context);
    }
    const double bound = load_bound(candidates);
    const std::uint64_t affinity = hash(context.affinity);
    std::size_t best = candidates.size();
    std::uint64_t best_score = 0;
    for (std::size_t index = 0; index < candidates.size(); ++index) {
      const Candidate& candidate = candidates[index];
      const std::uint64_t score = mixed(affinity ^ ids_[candidate.slot]);
      if (candidate.in_flight < bound && (best == candidates.size() || score > best_score)) {
        best = index;
        best_score = score;
      }
    }
    return best;
  }

  void reserve(std::size_t slots) {
    idlest_.reserve(slots);
    ids_.resize(slots);
  }

  void on_available(const Candidate& candidate) noexcept {
    ids_[candidate.slot] = mixed(hash(candidate.id));
    idlest_.on_available(candidate);
  }

  void on_unavailable(SlotNumber slot) noexcept { idlest_.on_unavailable(slot); }
  void on_granted(const Candidate& candidate) noexcept { idlest_.on_granted(candidate); }
  void on_settled(const Candidate& candidate, const Settled& settled) noexcept {
    idlest_.on_settled(candidate, settled);
  }
  /// @}

 private:
  /// So many leases one token may hold, the new one included. At least one candidate holds fewer: the least
  /// busy one holds at most the average without the new lease.
  [[nodiscard]] double load_bound(const Candidates& candidates) const noexcept {
    std::uint64_t total = 1;
    for (std::size_t index = 0; index < candidates.size(); ++index) {
      total += candidates[index].in_flight;
    }
    return std::ceil(balance_ * static_cast<double>(total) / static_cast<double>(candidates.size()));
  }

  /// FNV-1a: own, because std::hash differs between libraries and processes.
  [[nodiscard]] static std::uint64_t hash(std::string_view text) noexcept {
    std::uint64_t value = 0xcbf29ce484222325U;
    for (const char c : text) {
      value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    return value;
  }

  /// The finaliser of MurmurHash3: every bit of the result depends on every bit of `value`.
  [[nodiscard]] static std::uint64_t mixed(std::uint64_t value) noexcept {
    value = (value ^ (value >> 33U)) * 0xff51afd7ed558ccdU;
    value = (value ^ (value >> 33U)) * 0xc4ceb9fe1a85ec53U;
    return value ^ (value >> 33U);
  }

  LeastInFlight idlest_;
  std::vector<std::uint64_t> ids_;  ///< hashes of token ids
  double balance_ = 1.25;
};

}  // namespace tokenpool
