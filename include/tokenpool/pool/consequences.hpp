#pragma once
// What an answer changes: rests, ejections and strikes (the table in docs/guide.md).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "tokenpool/pool/blame.hpp"
#include "tokenpool/pool/ending.hpp"
#include "tokenpool/pool/events.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/state.hpp"

namespace tokenpool::detail {

/// Applies one settled lease to the pool's state.
class Consequences {
 public:
  Consequences(PoolState& state, const Grant& grant, const Outcome& outcome)
      : ending_(state, grant, outcome), state_(state), meaning_(outcome.meaning), slot_(ending_.slot) {}

  /// An attempt ended as the outcome says.
  SettleResult apply() {
    if (uneventful() || (ending_.grant.answered && is_acceptance(meaning_.verdict))) {
      ending_.egress.lost_in_a_row = 0;
      served();
      return {};
    }
    act();
    return std::move(ending_.result);
  }

  /// The server has accepted the request; how it ends is still to come.
  SettleResult accept() {
    if (!uneventful()) {
      accepted();
      reached();
    }
    return std::move(ending_.result);
  }

  /// A request that proved nothing leaves every rest whose test it was open for another one.
  void release_probes() noexcept {
    const std::uint64_t ticket = ending_.grant.ticket;
    for (Rests* rests : {own_rests(), ending_.account}) {
      if (rests != nullptr) {
        rests->inconclusive(ending_.grant.place.bucket, ticket);
      }
    }
    for (SharedPlace* place : {&ending_.egress, &ending_.bucket}) {
      place->rest.inconclusive(ticket);
      place->inferred.inconclusive(ticket);
    }
    state_.service.inconclusive(ticket);
  }

 private:
  void act() {
    switch (meaning_.verdict) {
      case Verdict::success:
      case Verdict::caller_error: accepted(); break;
      case Verdict::rate_limited:
      case Verdict::quota_exhausted: meaning_.eject ? eject() : Blame(ending_).limited(); break;
      case Verdict::token_invalid: invalid(); break;
      case Verdict::forbidden: forbidden(); break;
      case Verdict::network_error: unreachable(); break;
      case Verdict::server_error:
      case Verdict::overloaded:
      case Verdict::ambiguous: break;
    }
    if (meaning_.verdict != Verdict::network_error && meaning_.verdict != Verdict::ambiguous) {
      reached();
    }
    release_probes();
  }

  [[nodiscard]] Rests* own_rests() noexcept {
    return slot_.particulars ? &slot_.particulars->rests : nullptr;
  }

  /// As most requests end: accepted, with nothing that a success could heal.
  [[nodiscard]] bool uneventful() const noexcept {
    return is_acceptance(meaning_.verdict) && state_.nothing_rests(slot_, ending_.grant.place) &&
           state_.endpoints[slot_.endpoint].refused_in_a_row.empty();
  }

  void accepted() {
    const bool account_recovered = end(ending_.account, LimitScope::account);
    const bool recovered = end(own_rests(), LimitScope::token) || account_recovered;
    if (Particulars* particulars = slot_.particulars.get()) {
      particulars->forbidden_in_a_row = particulars->bare_refusals = 0;
      if (recovered) {
        particulars->note.clear();
      }
    }
    if (state_.service.succeeded(ending_.grant.ticket)) {
      ending_.recovered(LimitScope::service);
    }
    state_.endpoints[slot_.endpoint].refused_in_a_row.clear();
    Blame(ending_).accepted();
    served();
  }

  /// Ends the rests that the success shows to be over, and tells of it. Returns whether there was one.
  bool end(Rests* rests, LimitScope scope) {
    const bool whole = rests != nullptr && rests->whole().active();
    if (rests == nullptr || !rests->succeeded(ending_.grant.place.bucket, ending_.grant.ticket)) {
      return false;
    }
    const bool whole_ended = whole && !rests->whole().active();
    ending_.recovered(scope, whole_ended ? 0 : ending_.grant.place.bucket);
    return true;
  }

  /// Whom a guess about these places would be put to the test with.
  void served() noexcept { ending_.egress.served_last = ending_.bucket.served_last = slot_.face.slot; }

  /// The way is open when anybody answers, whatever the answer.
  void reached() {
    Rest& rest = ending_.egress.rest;
    ending_.egress.lost_in_a_row = 0;
    if (rest.cause() == Verdict::network_error && rest.succeeded(ending_.grant.ticket)) {
      ending_.tell(PoolEvent::Kind::recovered, std::nullopt, LimitScope::egress);
    }
  }

  void invalid() {
    if (endpoint_refuses()) {
      return rest_refused_tokens(true);
    }
    constexpr std::uint8_t second = 2;
    if (meaning_.eject || ++slot_.more().bare_refusals >= second) {
      return eject();
    }
    ending_.refuse(slot_.more().rests.whole(), LimitScope::token);
  }

  void forbidden() {
    constexpr std::uint8_t too_often = 3;
    if (endpoint_refuses()) {
      return rest_refused_tokens(meaning_.eject);
    }
    if (++slot_.more().forbidden_in_a_row >= too_often || meaning_.eject) {
      eject();
    }
  }

  /// Three different tokens refused in a row: the endpoint is the cause and not the tokens.
  bool endpoint_refuses() {
    constexpr std::size_t enough = 3;
    std::vector<SlotNumber>& refused = state_.endpoints[slot_.endpoint].refused_in_a_row;
    if (std::find(refused.begin(), refused.end(), slot_.face.slot) == refused.end()) {
      refused.push_back(slot_.face.slot);
      if (refused.size() == enough) {
        ending_.tell(PoolEvent::Kind::shared_limit, std::nullopt, LimitScope::service);
      }
    }
    ending_.result.endpoint_at_fault = refused.size() >= enough;
    return ending_.result.endpoint_at_fault;
  }

  /// Ejections become rests; `this_one_too` says whether the token at hand would have been ejected or rested.
  void rest_refused_tokens(bool this_one_too) {
    for (const SlotNumber number : state_.endpoints[slot_.endpoint].refused_in_a_row) {
      Slot& slot = state_.roster[number];
      if (!slot.present || (!slot.ejected && !(this_one_too && &slot == &slot_))) {
        continue;
      }
      const std::string subject = subject_of(state_, account_of_its_own | number, 0);
      if (slot.ejected) {
        ending_.publish(LedgerNews::Kind::enabled, {}, subject);
      }
      state_.roster.change(slot, [](Slot& back) { back.ejected = false; });
      Particulars& particulars = slot.more();
      particulars.forbidden_in_a_row = particulars.bare_refusals = 0;
      ending_.lengthen(particulars.rests.whole());
      ending_.publish(LedgerNews::Kind::rest, particulars.rests.whole().until(), subject);
      ending_.tell(PoolEvent::Kind::rest, particulars.rests.whole().until());
      ending_.result.events.back().token_id = slot.face.id;
      state_.refresh(slot);
    }
  }

  void eject() {
    slot_.more().note = meaning_.reason;
    if (!slot_.ejected && slot_.present) {
      state_.roster.change(slot_, [](Slot& gone) { gone.ejected = true; });
      state_.forget_refusals(slot_);
      ending_.tell(PoolEvent::Kind::ejected, std::nullopt);
      ending_.publish(LedgerNews::Kind::ejected, {},
                      subject_of(state_, account_of_its_own | slot_.face.slot, 0));
    }
  }

  /// The way there is down, not the token: after five in a row this egress rests.
  void unreachable() {
    constexpr unsigned too_often = 5;
    if (++ending_.egress.lost_in_a_row >= too_often) {
      ending_.refuse(ending_.egress.rest, LimitScope::egress);
    }
  }

  Ending ending_;
  PoolState& state_;
  const Classification& meaning_;
  Slot& slot_;
};

}  // namespace tokenpool::detail
