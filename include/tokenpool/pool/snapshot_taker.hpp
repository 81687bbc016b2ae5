#pragma once
// Takes the copy that a person sees out of a pool's state, under the pool's lock.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenpool/pool/snapshot.hpp"
#include "tokenpool/pool/state.hpp"
#include "tokenpool/pool/usage_summary.hpp"

namespace tokenpool {

namespace detail {

/// Copies a pool's state.
class SnapshotTaker {
 public:
  explicit SnapshotTaker(PoolState& state) : state_(state), now_(state.latest) {}

  PoolSnapshot take(std::size_t waiting, const WaitTotals& waits) {
    PoolSnapshot snapshot;
    snapshot.pool.waiting = waiting;
    snapshot.pool.waits = waits;
    for (SlotNumber number = 0; number < state_.roster.size(); ++number) {
      if (Slot& slot = state_.roster[number]; slot.present || slot.face.in_flight != 0) {
        snapshot.tokens.push_back(token(slot));
        count(snapshot.tokens.back().state, snapshot.pool);
        note_account(slot);
      }
    }
    for (const Account& one : accounts_) {
      snapshot.accounts.push_back(account(one));
    }
    for (std::uint32_t number = 0; number < state_.egresses.size(); ++number) {
      snapshot.egresses.push_back(egress(number));
      add(snapshot.egresses.back(), snapshot.pool);
    }
    return snapshot;
  }

 private:
  /// What a Ration is called.
  static constexpr std::string_view by_the_piece = "gives a few requests at a time";

  /// An account and its tokens in the pool.
  struct Account {
    std::uint32_t number = 0;
    std::vector<const Slot*> tokens;
  };

  static void count(TokenState state, PoolTotals& totals) noexcept {
    switch (state) {
      case TokenState::available: ++totals.available; break;
      case TokenState::resting:
      case TokenState::probing: ++totals.resting; break;
      case TokenState::ejected: ++totals.ejected; break;
      case TokenState::disabled: ++totals.disabled; break;
      case TokenState::draining: break;
    }
  }

  /// Each attempt leaves by one egress, and egresses stay.
  static void add(const EgressSnapshot& egress, PoolTotals& totals) noexcept {
    totals.requests += egress.requests;
    totals.successes += egress.successes;
    totals.rate_limited += egress.rate_limited;
    totals.failures += egress.failures;
  }

  TokenSnapshot token(Slot& slot) {
    TokenSnapshot copy;
    copy.id = slot.credential->token_id;
    copy.account = account_name(slot);
    copy.weight = slot.face.weight;
    copy.priority = slot.face.priority;
    copy.in_flight = slot.face.in_flight;
    tell(copy, slot.record, slot.face.latency);
    copy.state = state_of(slot);
    if (copy.state != TokenState::available) {
      copy.cause = cause_of(slot);
    }
    if (copy.state == TokenState::resting) {
      copy.rest = left((std::max)(rested_at(slot), state_.quotas.room_of(slot, now_).opens_at));
    }
    state_.quotas.each_of_token(slot, [&](Meter& meter) {
      if (has(meter.limit().scope, Scope::token) &&
          !has(meter.limit().scope, Scope::egress | Scope::bucket)) {
        copy.limits.push_back(use(meter, {.token = slot.face.slot, .account = slot.account}));
      }
    });
    if (slot.particulars) {
      copy.server = slot.particulars->server.facts(now_);
      tell_buckets(copy, slot.particulars->rests);
    }
    if (const Rests* account = state_.account_rests_of(slot)) {
      tell_buckets(copy, *account);
    }
    return copy;
  }

  void tell_buckets(TokenSnapshot& copy, const Rests& rests) const {
    rests.each_bucket([&](std::uint32_t bucket, const Rest& rest) {
      if (rest.opens_at() > now_) {
        copy.buckets.push_back(
            {.id = std::string(state_.buckets.name(bucket)),
             .rest = left(rest.opens_at()),
             .cause = std::string(rest.active() ? to_string(rest.cause()) : by_the_piece)});
      }
    });
  }

  void tell(UsageSnapshot& copy, const TrackRecord& record, Duration latency) const {
    UsageSummary summary;
    summary.add(record, latency);
    summary.tell(copy, now_);
  }

  void note_account(const Slot& slot) {
    if ((slot.account & account_of_its_own) == 0) {
      account_places_.resize((std::max)(account_places_.size(), std::size_t{slot.account} + 1));
      std::size_t& place = account_places_[slot.account];
      if (place == 0) {
        accounts_.push_back({slot.account, {}});
        place = accounts_.size();
      }
      accounts_[place - 1].tokens.push_back(&slot);
    }
  }

  AccountSnapshot account(const Account& one) {
    const Rest& whole = state_.account_rests[one.number].whole();
    AccountSnapshot copy{.id = std::string(state_.roster.accounts().name(one.number)),
                         .state = state_at(whole.opens_at())};
    if (copy.state != TokenState::available) {
      copy.rest = left(whole.opens_at());
      copy.cause = whole.active() ? to_string(whole.cause()) : by_the_piece;
    }
    UsageSummary summary;
    for (const Slot* slot : one.tokens) {
      copy.in_flight += slot->face.in_flight;
      summary.add(slot->record, slot->face.latency);
    }
    summary.tell(copy, now_);
    state_.quotas.each_of_egress(0, [&](Meter& meter) {
      if (meter.limit().scope == Scope::account) {
        copy.limits.push_back(use(meter, {.account = one.number}));
      }
    });
    return copy;
  }

  /// The state of what many tokens share.
  [[nodiscard]] TokenState state_at(SteadyTime opens) const noexcept {
    return opens <= now_          ? TokenState::available
           : opens == end_of_time ? TokenState::probing
                                  : TokenState::resting;
  }

  EgressSnapshot egress(std::uint32_t number) {
    const SharedPlace& place = state_.egress_places[number];
    const SteadyTime rested = place.opens_at(state_.roster.usable());
    const SteadyTime has_room = state_.quotas.gate({.egress = number}, 1, now_).opens_at;
    EgressSnapshot copy{.id = state_.egresses[number].id,
                        .state = rested > now_     ? state_at(rested)
                                 : has_room > now_ ? TokenState::resting
                                                   : TokenState::available,
                        .in_flight = place.in_flight};
    tell(copy, place.record, place.latency);
    if (copy.state == TokenState::resting) {
      copy.rest = left((std::max)(rested, has_room));
    }
    if (copy.state != TokenState::available) {
      copy.cause = rested <= now_            ? "limit reached"
                   : place.inferred.active() ? "several tokens were refused here in a row"
                   : place.rest.active()     ? to_string(place.rest.cause())
                                             : by_the_piece;
    }
    state_.quotas.each_of_egress(number, [&](Meter& meter) {
      if (meter.limit().scope == Scope::egress || meter.limit().scope == Scope::pool) {
        copy.limits.push_back(use(meter, {.egress = number}));
      }
    });
    return copy;
  }

  [[nodiscard]] std::string_view account_name(const Slot& slot) const {
    return (slot.account & account_of_its_own) != 0 ? std::string_view()
                                                    : state_.roster.accounts().name(slot.account);
  }

  [[nodiscard]] TokenState state_of(Slot& slot) const noexcept {
    if (!slot.present) {
      return TokenState::draining;
    }
    if (slot.disabled) {
      return TokenState::disabled;
    }
    if (slot.ejected) {
      return TokenState::ejected;
    }
    const Rests* account = state_.account_rests_of(slot);
    if ((slot.particulars && slot.particulars->rests.whole().probing()) ||
        (account != nullptr && account->whole().probing())) {
      return TokenState::probing;
    }
    const bool available = state_.roster.available().contains(slot.face.slot) && rested_at(slot) <= now_;
    return available ? TokenState::available : TokenState::resting;
  }

  /// When the token and its account have rested enough as a whole.
  [[nodiscard]] SteadyTime rested_at(const Slot& slot) const noexcept {
    const Rests* account = state_.account_rests_of(slot);
    return account == nullptr ? slot.opens_at() : (std::max)(slot.opens_at(), account->whole().opens_at());
  }

  [[nodiscard]] std::string cause_of(const Slot& slot) const {
    if (slot.particulars && !slot.particulars->note.empty()) {
      return slot.particulars->note;
    }
    const Rests* account = state_.account_rests_of(slot);
    if (account != nullptr && account->whole().active()) {
      return "account: " + std::string(to_string(account->whole().cause()));
    }
    if (slot.particulars && slot.particulars->rests.whole().active()) {
      return std::string(to_string(slot.particulars->rests.whole().cause()));
    }
    if (slot.particulars && slot.particulars->rests.whole().opens_at() > now_) {
      return std::string(by_the_piece);
    }
    return slot.opens_at() > now_ ? "the server says that nothing is left" : "limit reached";
  }

  [[nodiscard]] std::optional<std::chrono::milliseconds> left(SteadyTime until) const noexcept {
    if (until == end_of_time) {
      return std::nullopt;
    }
    return std::chrono::ceil<std::chrono::milliseconds>((std::max)(until - now_, Duration::zero()));
  }

  LimitUse use(Meter& meter, const Place& place) {
    const Limit& limit = meter.limit();
    LimitUse use{to_string(limit.scope), limit.unit, limit.amount, 0, limit.window, std::nullopt};
    if (Window* window = meter.find(place)) {
      use.used = window->used(now_);
      if (const SteadyTime empty = window->empty_at(now_); empty > now_) {
        use.resets_in = left(empty);
      }
    }
    return use;
  }

  PoolState& state_;
  SteadyTime now_;
  std::vector<Account> accounts_;            ///< in the order of their first tokens
  std::vector<std::size_t> account_places_;  ///< by account number: from 1 on in `accounts_`, or 0
};

}  // namespace detail

}  // namespace tokenpool
