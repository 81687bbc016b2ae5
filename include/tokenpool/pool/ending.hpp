#pragma once
// One lease at its end, with all that its answer may change at hand: its token, its account, its egress, its
// bucket. The rules of what does change stand in blame.hpp (429: whose limit was it?) and consequences.hpp
// (all other answers).

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "tokenpool/pool/claims.hpp"
#include "tokenpool/pool/events.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/state.hpp"

namespace tokenpool::detail {

/// What one answer is about. Lives as long as its settlement.
struct Ending {
  Ending(PoolState& pool, const Grant& ended, const Outcome& outcome)
      : state(pool),
        grant(ended),
        meaning(outcome.meaning),
        slot(pool.roster[ended.place.token]),
        account(pool.account_rests_of(slot)),
        egress(pool.egress_places[ended.place.egress]),
        bucket(pool.bucket_places[ended.place.bucket]) {}

  PoolState& state;
  const Grant& grant;
  const Classification& meaning;
  Slot& slot;
  Rests* account;  ///< null when the token has no account but itself
  SharedPlace& egress;
  SharedPlace& bucket;
  SettleResult result;

  /// `rest` begins or goes on, as long as the answer says, and those who listen hear of it: once for all
  /// requests that were under way when it began, unless one of them is told of a longer rest.
  void refuse(Rest& rest, LimitScope scope) {
    constexpr Duration noticeable = std::chrono::seconds(1);
    const bool known = rest.active() && rest.strikes_after(grant.ticket) == rest.strikes();
    const SteadyTime until = rest.until();
    lengthen(rest);
    if (scope == LimitScope::token) {
      slot.more().note = meaning.reason;
    }
    const bool whole = slot.particulars && &rest == &slot.particulars->rests.whole();
    if (!known || rest.until() >= after(until, noticeable)) {
      const bool in_bucket = (scope == LimitScope::token && !whole) ||
                             (scope == LimitScope::account && &rest != &account->whole());
      tell(PoolEvent::Kind::rest, rest.until(), scope, in_bucket ? grant.place.bucket : 0);
    }
    if (state.ask_ledger) {
      publish(LedgerNews::Kind::rest, rest.until(),
              whole ? subject_of(state, account_of_its_own | slot.face.slot, 0) : subject(scope));
    }
  }

  /// The same without telling.
  void lengthen(Rest& rest) const {
    const unsigned strikes = (std::max)(rest.strikes_after(grant.ticket), 1U);
    const Duration length = rest_length(strikes, meaning.rest, state.max_rest, *state.random);
    rest.refused(grant.ticket, state.newest_ticket, state.latest, after(state.latest, length),
                 meaning.verdict);
  }

  /// What `scope` means here, as others are told of it.
  [[nodiscard]] std::string subject(LimitScope scope) const { return subject_of(state, slot, grant, scope); }

  /// Those who share a ledger hear of it. That the way is down is said of this machine alone.
  void publish(LedgerNews::Kind kind, SteadyTime until, std::string about) const {
    if (state.ask_ledger && meaning.verdict != Verdict::network_error) {
      state.outbox.add({kind, std::move(about), {}, meaning.verdict, meaning.reason}, until);
    }
  }

  /// A rest that others may have heard of ended with a success.
  void recovered(LimitScope scope, std::uint32_t bucket_number = 0) {
    tell(PoolEvent::Kind::recovered, std::nullopt, scope, bucket_number);
    if (state.ask_ledger) {
      publish(LedgerNews::Kind::ended, {}, subject(scope));
      if (grant.place.bucket != 0 && (scope == LimitScope::token || scope == LimitScope::account)) {
        publish(LedgerNews::Kind::ended, {},
                place_name(state, slot, grant, scope == LimitScope::token ? Scope::token : Scope::account));
      }
    }
  }

  /// `bucket_number`: of the token or its account this one alone; 0: the whole.
  void tell(PoolEvent::Kind kind, std::optional<SteadyTime> until, LimitScope scope = LimitScope::token,
            std::uint32_t bucket_number = 0) {
    PoolEvent event{.kind = kind,
                    .token_id = std::string(slot.face.id),
                    .scope = scope,
                    .bucket = std::string(state.buckets.name(bucket_number)),
                    .cause = meaning.verdict,
                    .until = until,
                    .reason = meaning.reason};
    if (scope == LimitScope::egress) {
      event.scope_id = state.egresses[grant.place.egress].id;
    } else if (scope == LimitScope::bucket) {
      event.scope_id = state.buckets.name(grant.place.bucket);
    } else if (scope == LimitScope::account) {
      event.scope_id = state.roster.accounts().name(slot.account);
    }
    result.events.push_back(std::move(event));
  }
};

}  // namespace tokenpool::detail
