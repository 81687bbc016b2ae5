#pragma once
// A lease in the words of a remote ledger: what it takes from which limit, in places named by ids.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/pool/state.hpp"
#include "tokenpool/quota/ledger.hpp"

namespace tokenpool::detail {

/// The name of the place in which `limit` counts `grant`: the same in every process, and no secret.
inline std::string place_name(const PoolState& state, const Slot& slot, const Grant& grant, Scope scope) {
  std::string name;
  const auto add = [&](Scope dimension, std::string_view word, std::string_view id) {
    if (has(scope, dimension)) {
      name.append(name.empty() ? "" : " ").append(word).append("=").append(id);
    }
  };
  const bool own_account = (slot.account & account_of_its_own) != 0;
  add(Scope::token, "token", slot.face.id);
  add(Scope::account, "account", own_account ? slot.face.id : state.roster.accounts().name(slot.account));
  add(Scope::egress, "egress", state.egresses[grant.place.egress].id);
  add(Scope::bucket, "bucket", state.buckets.name(grant.place.bucket));
  return name.empty() ? "pool" : name;
}

/// The name of what `scope` means for `grant`, as news is told of it.
inline std::string subject_of(const PoolState& state, const Slot& slot, const Grant& grant,
                              LimitScope scope) {
  const Scope bucket = grant.place.bucket != 0 ? Scope::bucket : Scope::pool;
  switch (scope) {
    case LimitScope::egress: return place_name(state, slot, grant, Scope::egress);
    case LimitScope::bucket: return place_name(state, slot, grant, Scope::bucket);
    case LimitScope::account: return place_name(state, slot, grant, Scope::account | bucket);
    case LimitScope::token: return place_name(state, slot, grant, Scope::token | bucket);
    case LimitScope::service:
    case LimitScope::unknown: break;
  }
  return "pool";
}

/// Calls `visit(rest, subject)` for each rest that `grant` has to do with and that others share.
template <class F>
void each_shared_rest(PoolState& state, Slot& slot, const Grant& grant, F&& visit) {
  const auto look_at = [&](Rest& rest, LimitScope scope, bool whole) {
    if (rest.active() && rest.cause() != Verdict::network_error) {
      Grant named = grant;
      named.place.bucket = whole ? 0 : grant.place.bucket;
      visit(rest, subject_of(state, slot, named, scope));
    }
  };
  const std::uint32_t bucket = grant.place.bucket;
  const auto look_at_both = [&](Rests* rests, LimitScope scope) {
    if (rests != nullptr) {
      look_at(rests->whole(), scope, true);
      if (Rest* of_bucket = rests->find(bucket)) {
        look_at(*of_bucket, scope, false);
      }
    }
  };
  look_at_both(slot.particulars ? &slot.particulars->rests : nullptr, LimitScope::token);
  look_at_both(state.account_rests_of(slot), LimitScope::account);
  look_at(state.egress_places[grant.place.egress].rest, LimitScope::egress, false);
  look_at(state.bucket_places[bucket].rest, LimitScope::bucket, false);
  look_at(state.service, LimitScope::service, true);
}

/// Of all who share a ledger one at a time tests whether something has rested long enough.
inline Claim claim_to_test(const std::string& subject) {
  return {.place = "test of " + subject, .limit = {.amount = 1, .unit = Unit::in_flight}};
}

/// What `grant` takes from every limit, and the rests that it tests. Of limits that a ledger counts as one,
/// because only their amounts differ, the smallest speaks for all.
inline std::vector<Claim> claims_of(PoolState& state, Slot& slot, const Grant& grant) {
  std::vector<Claim> claims;
  state.quotas.each(slot, grant.place.egress, [&](Meter& meter) {
    Claim claim{place_name(state, slot, grant, meter.limit().scope), meter.limit(), meter.units(grant.cost)};
    const auto same = std::find_if(claims.begin(), claims.end(),
                                   [&](const Claim& other) { return counted_together(other, claim); });
    if (same == claims.end()) {
      claims.push_back(std::move(claim));
    } else if (claim.limit.amount < same->limit.amount) {
      *same = std::move(claim);
    }
  });
  each_shared_rest(state, slot, grant, [&](const Rest&, const std::string& subject) {
    claims.push_back(claim_to_test(subject));
  });
  return claims;
}

/// The ledger has no room for the claim `refused` of `grant` before `until`.
inline void close_claim(PoolState& state, const Grant& grant, const Claim& refused, SteadyTime until) {
  Slot& slot = state.roster[grant.place.token];
  state.quotas.each(slot, grant.place.egress, [&](Meter& meter) {
    if (meter.limit() == refused.limit) {
      meter.close(grant.place, until);
    }
  });
  each_shared_rest(state, slot, grant, [&](Rest& rest, const std::string& subject) {
    if (claim_to_test(subject).place == refused.place) {
      rest.postpone(until);
    }
  });
  state.refresh(slot);
}

/// The name of an account, or of a token that is an account of its own, in news.
inline std::string subject_of(PoolState& state, std::uint32_t account, std::uint32_t bucket) {
  std::string name = "account=";
  if ((account & account_of_its_own) != 0) {
    name = "token=";
    name += state.roster[account & ~account_of_its_own].face.id;
  } else {
    name += state.roster.accounts().name(account);
  }
  return bucket == 0 ? name : name.append(" bucket=").append(state.buckets.name(bucket));
}

/// A person brought the token back: others hear of it.
inline void publish_enabled(PoolState& state, const Slot& slot) {
  if (!state.ask_ledger) {
    return;
  }
  const Grant grant{.place = {.token = slot.face.slot, .account = slot.account}};
  for (const Scope scope : {Scope::token, Scope::account}) {
    if (scope == Scope::token || (slot.account & account_of_its_own) == 0) {
      state.outbox.add({.kind = LedgerNews::Kind::enabled, .subject = place_name(state, slot, grant, scope)},
                       {});
    }
  }
}

}  // namespace tokenpool::detail
