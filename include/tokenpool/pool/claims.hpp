#pragma once
// A lease in the words of a remote ledger: what it takes from which limit, in places named by ids.

#include <string>
#include <string_view>
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

/// What `grant` takes from every limit, in the order in which Quotas visits them.
inline std::vector<Claim> claims_of(PoolState& state, Slot& slot, const Grant& grant) {
  std::vector<Claim> claims;
  state.quotas.each(slot, grant.place.egress, [&](Meter& meter) {
    const Limit& limit = meter.limit();
    claims.push_back({place_name(state, slot, grant, limit.scope), limit, meter.units(grant.cost)});
  });
  return claims;
}

/// The ledger has no room for the claim number `refused` of `grant` before `until`. Does nothing for a number
/// that no claim has.
inline void close_claim(PoolState& state, const Grant& grant, std::size_t refused, SteadyTime until) {
  std::size_t number = 0;
  Slot& slot = state.roster[grant.place.token];
  state.quotas.each(slot, grant.place.egress, [&](Meter& meter) {
    if (number++ == refused) {
      meter.close(grant.place, until);
    }
  });
  state.refresh(slot);
}

}  // namespace tokenpool::detail
