#pragma once
// What an answer changes: rests, ejections, strikes, and the guess whose limit it was (the table in
// docs/guide.md).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/pool/events.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/state.hpp"

namespace tokenpool::detail {

/// Applies one settled lease to the pool's state.
class Consequences {
 public:
  Consequences(PoolState& state, const Grant& grant, const Outcome& outcome)
      : state_(state),
        grant_(grant),
        meaning_(outcome.meaning),
        sent_(outcome.sent),
        slot_(state.roster[grant.place.token]),
        egress_(state.egress_places[grant.place.egress]),
        bucket_(state.bucket_places[grant.place.bucket]) {}

  SettleResult apply() {
    switch (meaning_.verdict) {
      case Verdict::success:
      case Verdict::caller_error: accepted(); break;
      case Verdict::rate_limited:
      case Verdict::quota_exhausted: meaning_.eject ? eject() : limited(); break;
      case Verdict::token_invalid: invalid(); break;
      case Verdict::forbidden: forbidden(); break;
      case Verdict::network_error: unreachable(); break;
      case Verdict::server_error:
      case Verdict::overloaded:
      case Verdict::ambiguous: break;
    }
    release_probes();
    count();
    return std::move(result_);
  }

 private:
  /// A request in flight leaves every rest whose probe it was open for another one.
  void release_probes() noexcept {
    const std::uint64_t ticket = grant_.ticket;
    slot_.rest.inconclusive(ticket);
    if (Rest* rest = slot_.rest_of(grant_.place.bucket)) {
      rest->inconclusive(ticket);
    }
    if (Rest* rest = state_.account_rest(slot_)) {
      rest->inconclusive(ticket);
    }
    for (SharedPlace* place : {&egress_, &bucket_}) {
      place->rest.inconclusive(ticket);
      place->inferred.inconclusive(ticket);
    }
    state_.service.inconclusive(ticket);
  }

  void count() noexcept {
    for (Tally* tally : {&slot_.tally, &egress_.tally}) {
      tally->requests += sent_ ? 1 : 0;
      switch (meaning_.verdict) {
        case Verdict::success:
        case Verdict::caller_error: ++tally->successes; break;
        case Verdict::rate_limited:
        case Verdict::quota_exhausted: ++tally->rate_limited; break;
        default: ++tally->failures; break;
      }
    }
  }

  void accepted() {
    const std::uint64_t ticket = grant_.ticket;
    bool recovered = slot_.rest.succeeded(ticket);
    if (Rest* rest = slot_.rest_of(grant_.place.bucket)) {
      recovered = rest->succeeded(ticket) || recovered;
    }
    std::erase_if(slot_.bucket_rests, [](const BucketRest& entry) { return !entry.rest.active(); });
    if (Rest* rest = state_.account_rest(slot_)) {
      rest->succeeded(ticket);
    }
    state_.service.succeeded(ticket);
    slot_.forbidden_in_a_row = slot_.bare_refusals = 0;
    egress_.lost_in_a_row = 0;
    state_.endpoints[slot_.endpoint].refused_in_a_row.clear();
    for (SharedPlace* place : {&egress_, &bucket_}) {
      place->rest.succeeded(ticket);
      stand_again(place->inferred.succeeded(ticket));
    }
    if (recovered) {
      slot_.note.clear();
      tell(PoolEvent::Kind::recovered, std::nullopt);
    }
  }

  /// The refusals turned out to be each token's own: their rests go on as if they had never been taken back.
  void stand_again(const std::vector<Shelved>& refusals) {
    for (const Shelved& refusal : refusals) {
      Slot& slot = state_.roster[refusal.slot];
      if (slot.present && slot.face.slot != slot_.face.slot) {
        slot.rest_for(refusal.bucket) = refusal.own;
        state_.refresh(slot);
      }
    }
  }

  void limited() {
    switch (meaning_.scope) {
      case LimitScope::egress: return refuse(egress_.rest, LimitScope::egress);
      case LimitScope::bucket:
        return grant_.place.bucket != 0 ? refuse(bucket_.rest, LimitScope::bucket) : limited_token();
      case LimitScope::service: return refuse(state_.service, LimitScope::service);
      case LimitScope::account:
      case LimitScope::token:
      case LimitScope::unknown: return limited_token();
    }
  }

  void limited_token() {
    if (Rest* account = meaning_.scope == LimitScope::token ? nullptr : state_.account_rest(slot_)) {
      return refuse(*account, LimitScope::account);
    }
    Rest& own = slot_.rest_for(grant_.place.bucket);
    refuse(own, LimitScope::token);
    rest_whole_token_after_buckets(own.until());
    if (meaning_.scope == LimitScope::unknown) {
      suspect(grant_.place.bucket != 0 ? bucket_ : egress_, own);
      if (grant_.place.bucket != 0 && !bucket_.inferred.active()) {
        suspect(egress_, own);
      }
    }
  }

  void refuse(Rest& rest, LimitScope scope) {
    const unsigned strikes = (std::max)(rest.strikes_after(grant_.ticket), 1U);
    const Duration length = rest_length(strikes, meaning_.rest, state_.max_rest, *state_.random);
    rest.refused(grant_.ticket, state_.newest_ticket, after(state_.latest, length), meaning_.verdict);
    if (scope == LimitScope::token) {
      slot_.note = meaning_.reason;
    }
    tell(PoolEvent::Kind::rest, rest.until(), scope);
  }

  /// A token that is refused in several buckets, one after the other, is most likely refused as a whole.
  void rest_whole_token_after_buckets(SteadyTime until) {
    constexpr std::size_t several = 3;
    if (slot_.bucket_rests.size() >= several) {
      slot_.rest.refused(grant_.ticket, state_.newest_ticket, until, meaning_.verdict);
    }
  }

  void suspect(SharedPlace& place, const Rest& own) {
    SharedCause& cause = place.inferred;
    const bool was_active = cause.active();
    const Shelved refusal{slot_.face.slot, grant_.place.bucket, own};
    const SharedCause::Finding finding =
        cause.refused(refusal, grant_.ticket, state_.newest_ticket, state_.roster.usable());
    if (finding == SharedCause::Finding::confirmed) {
      for (const Shelved& shelved : cause.asked()) {
        Slot& slot = state_.roster[shelved.slot];
        slot.rest_for(shelved.bucket) = shelved.own;
        state_.refresh(slot);
      }
      cause.confirm(grant_.ticket, state_.newest_ticket);
    } else if (cause.active()) {
      cause.lengthen(grant_.ticket, state_.newest_ticket, state_.latest, *state_.random);
      take_back_own_rests(cause);
    }
    if (cause.active() && !was_active) {
      tell(PoolEvent::Kind::shared_limit, cause.rest().until(),
           &place == &bucket_ ? LimitScope::bucket : LimitScope::egress);
    }
  }

  void take_back_own_rests(const SharedCause& cause) noexcept {
    for (const Shelved& shelved : cause.asked()) {
      Slot& slot = state_.roster[shelved.slot];
      if (Rest* rest = shelved.bucket == 0 ? &slot.rest : slot.rest_of(shelved.bucket)) {
        rest->end();
      }
      state_.refresh(slot);
    }
  }

  void invalid() {
    if (endpoint_refuses()) {
      return rest_refused_tokens(true);
    }
    constexpr std::uint8_t second = 2;
    if (meaning_.eject || ++slot_.bare_refusals >= second) {
      return eject();
    }
    refuse(slot_.rest, LimitScope::token);
  }

  void forbidden() {
    constexpr std::uint8_t too_often = 3;
    if (endpoint_refuses()) {
      return rest_refused_tokens(meaning_.eject);
    }
    if (++slot_.forbidden_in_a_row >= too_often || meaning_.eject) {
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
        tell(PoolEvent::Kind::shared_limit, std::nullopt, LimitScope::service);
      }
    }
    result_.endpoint_at_fault = refused.size() >= enough;
    return result_.endpoint_at_fault;
  }

  /// Ejections become rests; `this_one_too` says whether the token at hand would have been ejected or rested.
  void rest_refused_tokens(bool this_one_too) {
    for (const SlotNumber number : state_.endpoints[slot_.endpoint].refused_in_a_row) {
      Slot& slot = state_.roster[number];
      if (!slot.present || (!slot.ejected && !(this_one_too && number == slot_.face.slot))) {
        continue;
      }
      state_.roster.change(slot, [](Slot& back) { back.ejected = false; });
      slot.forbidden_in_a_row = slot.bare_refusals = 0;
      const Duration length = rest_length((std::max)(slot.rest.strikes_after(grant_.ticket), 1U),
                                          meaning_.rest, state_.max_rest, *state_.random);
      slot.rest.refused(grant_.ticket, state_.newest_ticket, after(state_.latest, length), meaning_.verdict);
      state_.refresh(slot);
    }
  }

  void eject() {
    slot_.note = meaning_.reason;
    if (!slot_.ejected && slot_.present) {
      state_.roster.change(slot_, [](Slot& gone) { gone.ejected = true; });
      tell(PoolEvent::Kind::ejected, std::nullopt);
    }
  }

  /// The way there is down, not the token: after five in a row this egress rests.
  void unreachable() {
    constexpr unsigned too_often = 5;
    if (++egress_.lost_in_a_row >= too_often) {
      refuse(egress_.rest, LimitScope::egress);
    }
  }

  void tell(PoolEvent::Kind kind, std::optional<SteadyTime> until, LimitScope scope = LimitScope::token) {
    PoolEvent event{kind, std::string(slot_.face.id), scope, {}, meaning_.verdict, until, meaning_.reason};
    if (scope == LimitScope::egress) {
      event.scope_id = state_.egresses[grant_.place.egress].id;
    } else if (scope == LimitScope::bucket) {
      event.scope_id = state_.buckets.name(grant_.place.bucket);
    } else if (scope == LimitScope::account) {
      event.scope_id = state_.roster.accounts().name(slot_.account);
    }
    result_.events.push_back(std::move(event));
  }

  PoolState& state_;
  const Grant& grant_;
  const Classification& meaning_;
  bool sent_;
  Slot& slot_;
  SharedPlace& egress_;
  SharedPlace& bucket_;
  SettleResult result_;
};

}  // namespace tokenpool::detail
