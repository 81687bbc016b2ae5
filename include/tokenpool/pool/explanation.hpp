#pragma once
// Why this token and not another? For those who wonder; nobody pays for it who does not ask.

#include <string>
#include <utility>

#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/need.hpp"
#include "tokenpool/pool/state.hpp"

namespace tokenpool::detail {

/// `word`, and what is noted of the token after it.
inline std::string with_note(const Slot& slot, std::string word) {
  const bool noted = slot.particulars && !slot.particulars->note.empty();
  return noted ? std::move(word) + ": " + slot.particulars->note : word;
}

/// Why `slot` cannot serve `need` leaving by `egress`; empty if it could.
inline std::string why_not(PoolState& state, const Need& need, Slot& slot, std::uint32_t egress) {
  if (slot.disabled) {
    return with_note(slot, "disabled");
  }
  if (slot.ejected) {
    return with_note(slot, "ejected");
  }
  if (need.has_asked(slot.face.slot)) {
    return "asked by this call before";
  }
  if (slot.opens_at(need.bucket) > state.latest) {
    const bool by_itself = slot.particulars->server.opens_at(need.bucket) > state.latest;
    return by_itself ? "the server says that nothing is left" : with_note(slot, "rests");
  }
  if (need.token_opens_at(state, slot) > state.latest) {
    return "rests with others of its account or bucket";
  }
  if (state.egress_places[egress].inferred.opens_at_for(slot.account) > state.latest) {
    return "refused here, by a limit that may be shared";
  }
  const bool no_room = state.quotas.room_of(slot, state.latest).opens_at > state.latest ||
                       need.pair_opens_at(state, slot, egress) > state.latest;
  return no_room ? "limit reached" : "";
}

/// Why no token is usable, by the example of the first.
inline std::string why_nobody(PoolState& state) {
  for (SlotNumber number = 0; number < state.roster.size(); ++number) {
    if (const Slot& slot = state.roster[number]; slot.present && !slot.usable()) {
      return "all are ejected or disabled (" + std::string(slot.face.id) + " is " +
             with_note(slot, slot.disabled ? "disabled" : "ejected") + "); enable() brings one back";
    }
  }
  return "the pool is empty; add() puts one in";
}

/// What stands in the way, in words.
inline std::string name_of(PoolState& state, const Blocker& blocker) {
  switch (blocker.scope) {
    case LimitScope::egress: return "egress " + state.egresses[blocker.number].id;
    case LimitScope::bucket: return "bucket " + std::string(state.buckets.name(blocker.number));
    case LimitScope::account: return "account " + std::string(state.roster.accounts().name(blocker.number));
    case LimitScope::service: return "the service";
    case LimitScope::token:
      return state.roster.usable() == 1 ? "token " + std::string(state.roster[blocker.number].face.id)
                                        : "every one of " + std::to_string(state.roster.usable()) + " tokens";
    case LimitScope::unknown: break;
  }
  return "the pool";
}

}  // namespace tokenpool::detail
