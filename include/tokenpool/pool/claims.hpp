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

/// What `grant` takes from every limit. Of limits that a ledger counts as one, because only their amounts
/// differ, the smallest speaks for all.
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
  state.refresh(slot);
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

/// The same for an account, or a token that is an account of its own.
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
