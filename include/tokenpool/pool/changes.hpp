#pragma once
// What a person changes in a pool while it runs. Leases in flight finish, whatever happens to their token.

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tokenpool/pool/state.hpp"
#include "tokenpool/pool/token.hpp"

namespace tokenpool::detail {

/// Changes a pool's state. Not thread-safe.
class Changes {
 public:
  explicit Changes(PoolState& state) : state_(state) {}

  /// Puts a fit token in.
  void insert(Token token) {
    std::unique_ptr<Particulars> particulars;
    if (!token.limits.empty()) {
      particulars = std::make_unique<Particulars>();
      particulars->meters = meters_of(token, {}, 0);
    }
    Slot& slot = state_.roster.add(std::move(token));
    slot.particulars = std::move(particulars);
    enter(slot);
  }

  void remove(Slot& slot) noexcept {
    state_.roster.remove(slot);
    state_.forget_refusals(slot);
    if (slot.face.in_flight == 0) {
      state_.vacate(slot);
    }
  }

  /// Adds the ids of those that go to `removed`.
  void remove_all_but(const std::vector<Token>& tokens, std::vector<std::string>& removed) {
    std::vector<std::string> ids;
    ids.reserve(tokens.size());
    std::unordered_set<std::string_view> staying;
    for (const Token& token : tokens) {
      staying.insert(ids.emplace_back(id_of(token)));
    }
    for (SlotNumber number = 0; number < state_.roster.size(); ++number) {
      Slot& slot = state_.roster[number];
      if (slot.present && staying.count(slot.face.id) == 0) {
        removed.emplace_back(slot.face.id);
        remove(slot);
      }
    }
  }

  /// A token that stays gets what its new description says; what it has counted stays.
  void renew(Slot& slot, const Token& token) {
    const bool has_limits = slot.particulars && !slot.particulars->meters.empty();
    if (has_limits || !token.limits.empty()) {
      std::vector<Meter>& meters = slot.more().meters;
      meters = meters_of(token, meters, state_.newest_ticket);
    }
    state_.roster.withdraw(slot);
    state_.roster.describe(slot, token);
    enter(slot);
  }

  void disable(Slot& slot, std::string reason) {
    slot.more().note = std::move(reason);
    state_.roster.change(slot, [](Slot& off) { off.disabled = true; });
    state_.forget_refusals(slot);
    state_.refresh(slot);
  }

  /// Ends whatever keeps the token back, but for the limits: they are the server's.
  void enable(Slot& slot) noexcept {
    state_.roster.change(slot, [](Slot& on) { on.disabled = on.ejected = false; });
    end_rests(slot);
    if (Rests* account = state_.account_rests_of(slot)) {
      account->end();
    }
    state_.forget_refusals(slot.account);
    state_.refresh(slot);
  }

  /// The token's own rests, and what led to them, are forgotten.
  static void end_rests(Slot& slot) noexcept {
    if (slot.particulars) {
      slot.particulars->rests.end();
      slot.particulars->server.forget();
      slot.particulars->forbidden_in_a_row = slot.particulars->bare_refusals = 0;
      slot.particulars->note.clear();
    }
  }

  void set_weight(Slot& slot, double weight) noexcept {
    state_.roster.withdraw(slot);
    slot.face.weight = weight;
    state_.refresh(slot);
  }

  void set_secret(Slot& slot, const Secret& secret) {
    Credential renewed = *slot.credential;
    renewed.secret = secret;
    slot.set_credential(std::make_unique<const Credential>(std::move(renewed)));
  }

 private:
  /// The slot has a new description: makes room for its account and endpoint, and puts it where it belongs.
  void enter(Slot& slot) {
    state_.account_rests.resize((std::max)(state_.account_rests.size(), state_.roster.accounts().size()));
    state_.endpoints.resize((std::max)(state_.endpoints.size(), state_.roster.endpoint_count()));
    state_.smallest_own_cost_limit =
        (std::min)(state_.smallest_own_cost_limit, Quotas::largest_cost_of(slot));
    state_.refresh(slot);
  }

  /// Meters for a token's own limits, with the counts of the `old` ones that count the same. A new one counts
  /// from the ticket after `since`: what is in flight was never reserved in it.
  static std::vector<Meter> meters_of(const Token& token, const std::vector<Meter>& old,
                                      std::uint64_t since) {
    std::vector<Meter> meters = Quotas::meters_of_one(token.limits, Scope::token, since);
    for (Meter& meter : meters) {
      const std::int64_t amount = meter.limit().amount;
      const auto same = std::find_if(old.begin(), old.end(), [&](const Meter& other) {
        Limit limit = other.limit();
        limit.amount = amount;
        return limit == meter.limit();
      });
      if (same != old.end()) {
        meter = *same;
        meter.set_amount(amount);
      }
    }
    return meters;
  }

  PoolState& state_;
};

}  // namespace tokenpool::detail
