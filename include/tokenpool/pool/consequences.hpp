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
        slot_(state.roster[grant.place.token]),
        account_(state.account_rests_of(slot_)),
        egress_(state.egress_places[grant.place.egress]),
        bucket_(state.bucket_places[grant.place.bucket]) {}

  /// An attempt ended as the outcome says.
  SettleResult apply() {
    if (uneventful()) {
      egress_.lost_in_a_row = 0;
      served_elsewhere();
      count();
      return {};
    }
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
    if (meaning_.verdict != Verdict::network_error && meaning_.verdict != Verdict::ambiguous) {
      reached();
    }
    release_probes();
    count();
    return std::move(result_);
  }

  /// A request that proved nothing leaves every rest whose test it was open for another one.
  void release_probes() noexcept {
    const std::uint64_t ticket = grant_.ticket;
    for (Rests* rests : {own_rests(), account_}) {
      if (rests != nullptr) {
        rests->inconclusive(grant_.place.bucket, ticket);
      }
    }
    for (SharedPlace* place : {&egress_, &bucket_}) {
      place->rest.inconclusive(ticket);
      place->inferred.inconclusive(ticket);
    }
    state_.service.inconclusive(ticket);
  }

 private:
  [[nodiscard]] Rests* own_rests() noexcept {
    return slot_.particulars ? &slot_.particulars->rests : nullptr;
  }

  /// As most requests end: accepted, with nothing that a success could heal.
  [[nodiscard]] bool uneventful() const noexcept {
    const bool accepted = meaning_.verdict == Verdict::success || meaning_.verdict == Verdict::caller_error;
    return accepted && !slot_.particulars && account_ == nullptr && egress_.quiet() && bucket_.quiet() &&
           !state_.service.active() && state_.endpoints[slot_.endpoint].refused_in_a_row.empty();
  }

  void count() noexcept {
    for (Tally* tally : {&slot_.tally, &egress_.tally}) {
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
    bool recovered = account_ != nullptr && account_->succeeded(grant_.place.bucket, ticket);
    if (Particulars* particulars = slot_.particulars.get()) {
      recovered = particulars->rests.succeeded(grant_.place.bucket, ticket) || recovered;
      particulars->forbidden_in_a_row = particulars->bare_refusals = 0;
    }
    if (recovered) {
      slot_.more().note.clear();
      tell(PoolEvent::Kind::recovered, std::nullopt);
    }
    state_.service.succeeded(ticket);
    state_.endpoints[slot_.endpoint].refused_in_a_row.clear();
    for (SharedPlace* place : {&egress_, &bucket_}) {
      place->rest.succeeded(ticket);
      stand_again(place->inferred.succeeded(ticket));
    }
    served_elsewhere();
  }

  /// The token is well: what it met at other egresses was not its own.
  void served_elsewhere() noexcept {
    if (state_.egress_places.size() > 1) {
      for (SharedPlace& place : state_.egress_places) {
        place.inferred.forget(slot_.face.slot);
      }
    }
  }

  /// The way is open when anybody answers, whatever the answer.
  void reached() noexcept {
    egress_.lost_in_a_row = 0;
    if (egress_.rest.cause() == Verdict::network_error) {
      egress_.rest.succeeded(grant_.ticket);
    }
  }

  /// The refusals turned out to be each token's own: their rests go on as if they had never been taken back.
  void stand_again(const std::vector<Shelved>& refusals) {
    for (const Shelved& refusal : refusals) {
      Slot& slot = state_.roster[refusal.slot];
      Rest& rest = rests_of(refusal).at(refusal.bucket, state_.latest);
      if (&slot != &slot_ && (!rest.active() || rest.until() < refusal.own.until())) {
        rest = refusal.own;
        state_.refresh(slot);
      }
    }
  }

  [[nodiscard]] Rests& rests_of(const Shelved& refusal) {
    return refusal.account != 0 ? state_.account_rests[refusal.account]
                                : state_.roster[refusal.slot].more().rests;
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
    const std::uint32_t bucket = grant_.place.bucket;
    const bool all_of_account = account_ != nullptr && meaning_.scope != LimitScope::token;
    Rests& rests = all_of_account ? *account_ : slot_.more().rests;
    Rest& own = rests.at(bucket, state_.latest);
    Shelved refusal{slot_.face.slot, all_of_account ? slot_.account : 0, bucket, own.untested(), {}};
    refuse(own, all_of_account ? LimitScope::account : LimitScope::token);
    refusal.own = own.untested();
    // An account that nobody named may be that of other tokens, too.
    const bool nobody_known = meaning_.scope == LimitScope::unknown ||
                              (meaning_.scope == LimitScope::account && account_ == nullptr);
    const bool tells_of_others = nobody_known && slot_.usable();
    if (tells_of_others && (bucket == 0 || !suspect(bucket_, refusal))) {
      suspect(egress_, refusal);
    }
    rest_whole_after_buckets(rests, bucket);
  }

  void refuse(Rest& rest, LimitScope scope) {
    const unsigned strikes = (std::max)(rest.strikes_after(grant_.ticket), 1U);
    const Duration length = rest_length(strikes, meaning_.rest, state_.max_rest, *state_.random);
    rest.refused(grant_.ticket, state_.newest_ticket, after(state_.latest, length), meaning_.verdict);
    if (scope == LimitScope::token) {
      slot_.more().note = meaning_.reason;
    }
    tell(PoolEvent::Kind::rest, rest.until(), scope);
  }

  /// Who is refused in several buckets, one after the other, is most likely refused as a whole.
  void rest_whole_after_buckets(Rests& rests, std::uint32_t bucket) noexcept {
    constexpr std::size_t several = 3;
    if (const Rest* own = rests.find(bucket); own != nullptr && rests.resting_buckets() >= several) {
      rests.whole().refused(grant_.ticket, state_.newest_ticket, own->until(), meaning_.verdict);
    }
  }

  /// Notes the refusal as evidence against the place. Returns whether the place rests by that.
  bool suspect(SharedPlace& place, const Shelved& refusal) {
    SharedCause& cause = place.inferred;
    const bool was_active = cause.active();
    cause.refused(refusal, state_.newest_ticket);
    if (!cause.active()) {
      return false;
    }
    cause.lengthen(grant_.ticket, state_.newest_ticket, state_.latest, *state_.random);
    // The newest first: tokens of one account were refused on top of each other.
    std::for_each(cause.asked().rbegin(), cause.asked().rend(),
                  [this](const Shelved& asked) { take_back(asked); });
    if (!was_active) {
      tell(PoolEvent::Kind::shared_limit, cause.rest().until(),
           &place == &bucket_ ? LimitScope::bucket : LimitScope::egress);
    }
    return true;
  }

  /// The rest becomes what it was before the refusal, unless something else has lengthened it since.
  void take_back(const Shelved& refusal) {
    Rest& rest = rests_of(refusal).at(refusal.bucket, state_.latest);
    if (rest.active() && rest.until() <= refusal.own.until()) {
      rest = refusal.before;
      state_.refresh(state_.roster[refusal.slot]);
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
    refuse(slot_.more().rests.whole(), LimitScope::token);
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
      if (!slot.present || (!slot.ejected && !(this_one_too && &slot == &slot_))) {
        continue;
      }
      state_.roster.change(slot, [](Slot& back) { back.ejected = false; });
      Particulars& particulars = slot.more();
      particulars.forbidden_in_a_row = particulars.bare_refusals = 0;
      Rest& rest = particulars.rests.whole();
      const unsigned strikes = (std::max)(rest.strikes_after(grant_.ticket), 1U);
      const Duration length = rest_length(strikes, meaning_.rest, state_.max_rest, *state_.random);
      rest.refused(grant_.ticket, state_.newest_ticket, after(state_.latest, length), meaning_.verdict);
      state_.refresh(slot);
    }
  }

  void eject() {
    slot_.more().note = meaning_.reason;
    if (!slot_.ejected && slot_.present) {
      state_.roster.change(slot_, [](Slot& gone) { gone.ejected = true; });
      state_.forget_refusals(slot_.face.slot);
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
  Slot& slot_;
  Rests* account_;  ///< null when the token has no account but itself
  SharedPlace& egress_;
  SharedPlace& bucket_;
  SettleResult result_;
};

}  // namespace tokenpool::detail
