#pragma once
// What a request needs, and whether one token leaving by one egress can give it. Both the search for a token
// and the order of the queue ask this.

#include <algorithm>
#include <cstdint>
#include <span>

#include "tokenpool/pool/state.hpp"

namespace tokenpool::detail {

/// A request as limits and rests see it.
struct Need {
  std::uint32_t bucket = 0;
  std::int64_t cost = 1;
  std::span<const SlotNumber> asked{};

  [[nodiscard]] Place place(const Slot& slot, std::uint32_t egress) const noexcept {
    return {slot.face.slot, slot.account, egress, bucket};
  }

  [[nodiscard]] bool has_asked(SlotNumber slot) const noexcept {
    return std::find(asked.begin(), asked.end(), slot) != asked.end();
  }

  /// When the token has rested enough, in its account and for the bucket, wherever it leaves from.
  [[nodiscard]] SteadyTime token_opens_at(PoolState& state, Slot& slot) const noexcept {
    SteadyTime opens = slot.opens_at(bucket);
    if (Rests* account = state.account_rests_of(slot)) {
      opens = (std::max)(opens, account->opens_at(bucket));
    }
    return (std::max)(opens, state.bucket_places[bucket].inferred.opens_at_for(slot.account));
  }

  /// When the token may leave by the egress, by what concerns the two together.
  [[nodiscard]] SteadyTime pair_opens_at(PoolState& state, Slot& slot, std::uint32_t egress) const noexcept {
    return (std::max)(state.quotas.pair_opens_at(slot, place(slot, egress), cost, state.latest),
                      state.egress_places[egress].inferred.opens_at_for(slot.account));
  }

  /// When the egress and what lies behind it have room, whatever the token.
  [[nodiscard]] SteadyTime gate_opens_at(PoolState& state, std::uint32_t egress) const noexcept {
    const std::size_t usable = state.roster.usable();
    return (std::max)({state.service.opens_at(), state.bucket_places[bucket].opens_at(usable),
                       state.egress_places[egress].opens_at(usable),
                       state.quotas.gate({.egress = egress, .bucket = bucket}, cost, state.latest).opens_at});
  }
};

}  // namespace tokenpool::detail
