#pragma once
// Everything a pool knows, under one lock that the pool holds. The rules that act on it stand in files of
// their own: choosing.hpp (who may send), consequences.hpp (what an answer changes), snapshot.hpp (what a
// person sees).

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/pool/events.hpp"
#include "tokenpool/pool/names.hpp"
#include "tokenpool/pool/outbox.hpp"
#include "tokenpool/pool/quotas.hpp"
#include "tokenpool/pool/rests.hpp"
#include "tokenpool/pool/roster.hpp"
#include "tokenpool/pool/shared_cause.hpp"
#include "tokenpool/pool/token.hpp"

namespace tokenpool {

/// What a pool is made of.
struct PoolOptions {
  std::vector<Token> tokens{};                                 ///< at least one
  std::vector<Limit> limits{};                                 ///< of all tokens
  std::vector<Egress> egress{};                                ///< empty: one, the system's choice
  std::chrono::milliseconds max_rest{std::chrono::hours(24)};  ///< no token rests longer
  std::shared_ptr<RandomSource> random{};                      ///< null: SplitMix64 with a fixed seed
  bool ask_ledger = false;      ///< leases have to be confirmed by a remote ledger
  std::size_t max_waiting = 0;  ///< calls that may wait in the queue at once; 0: no bound
  std::function<void(const PoolEvent&)>
      on_change{};  ///< hears, after the lock, what a person changed; must not throw
};

namespace detail {

/// An egress, or a bucket over all tokens: something that many tokens share and that may rest as a whole.
struct SharedPlace {
  Rest rest;             ///< by the server's explicit word, or because the way is down
  SharedCause inferred;  ///< because different tokens were refused here in a row
  unsigned lost_in_a_row = 0;
  TrackRecord record;
  Duration latency{};  ///< moving average, as in Candidate
  std::uint32_t in_flight = 0;
  SlotNumber served_last = nobody;  ///< who was accepted here last

  static constexpr SlotNumber nobody = (std::numeric_limits<SlotNumber>::max)();

  /// When a request may go through, with `usable` tokens in the pool.
  [[nodiscard]] SteadyTime opens_at(std::size_t usable) const noexcept {
    return (std::max)(rest.opens_at(), inferred.opens_at(usable));
  }

  /// Nothing speaks against it.
  [[nodiscard]] bool quiet() const noexcept { return rest.idle() && inferred.idle(); }

  /// Nothing would be lost if it were forgotten.
  [[nodiscard]] bool idle() const noexcept { return in_flight == 0 && quiet(); }
};

/// Different tokens refused by one endpoint with no success between.
struct Endpoint {
  std::vector<SlotNumber> refused_in_a_row;
};

/// The state of a pool. Not thread-safe.
struct PoolState {
  /// Takes everything but the tokens out of `options`.
  PoolState(PoolOptions& options, PolicyPort& policy_port)
      : policy(policy_port),
        roster(policy_port),
        egresses(options.egress.empty() ? std::vector<Egress>(1) : std::move(options.egress)),
        quotas(options.limits, limits_of(egresses)),
        egress_places(egresses.size()),
        random(options.random ? std::move(options.random)
                              : std::make_shared<SplitMix64>(0x746f6b656e706f6fU)),
        max_rest(saturated(options.max_rest)),
        ask_ledger(options.ask_ledger) {
    for (Egress& egress : egresses) {
      egress.id = id_of(egress);
    }
  }

  PolicyPort& policy;
  Roster roster;
  std::vector<Egress> egresses;
  Quotas quotas;
  std::vector<SharedPlace> egress_places;
  std::vector<SharedPlace> bucket_places{1};  ///< by bucket number
  std::vector<Rests> account_rests{1};  ///< by account number; an account of its own rests with its token
  std::vector<Endpoint> endpoints{1};   ///< by endpoint number
  Rest service;
  Names buckets;
  std::shared_ptr<RandomSource> random;
  Duration max_rest;
  bool ask_ledger;
  Outbox outbox;  ///< for those with whom a ledger is shared; empty without one
  std::uint64_t newest_ticket = 0;
  SteadyTime latest{};          ///< the latest time handed in: changes by a person come without one
  std::size_t sweep_at = 1024;  ///< sweep the buckets when so many are known
  std::int64_t smallest_own_cost_limit = (std::numeric_limits<std::int64_t>::max)();  ///< of any token ever

  /// The number of a bucket, with its place. Buckets have names that users make up, so those of which nothing
  /// is counted, in flight or at rest are forgotten now and then: before twice as many are known as were
  /// needed the last time. Throws std::bad_alloc.
  std::uint32_t bucket_number(std::string_view name) {
    if (const std::uint32_t known = buckets.find(name); known != Names::unknown) {
      return known;
    }
    if (buckets.in_use() >= sweep_at) {
      sweep_buckets();
    }
    const std::uint32_t number = buckets.number(name);
    if (number >= bucket_places.size()) {
      bucket_places.resize(number + 1);
    }
    return number;
  }

  /// The rests of the token's account; null when the token has no account but itself.
  [[nodiscard]] Rests* account_rests_of(const Slot& slot) noexcept {
    return slot.account < account_rests.size() && slot.account != 0 ? &account_rests[slot.account] : nullptr;
  }

  /// The rests of an account, which may be that of one token alone. Throws std::bad_alloc.
  [[nodiscard]] Rests& rests_of(std::uint32_t account) {
    return (account & account_of_its_own) != 0 ? roster[account & ~account_of_its_own].more().rests
                                               : account_rests[account];
  }

  /// Neither the token nor anything that it shares with others rests, did so lately or is suspected.
  [[nodiscard]] bool nothing_rests(const Slot& slot, const Place& at) const noexcept {
    return !slot.particulars && (slot.account & account_of_its_own) != 0 &&
           egress_places[at.egress].quiet() && bucket_places[at.bucket].quiet() && service.idle();
  }

  /// Puts the slot where it belongs after anything about it changed.
  void refresh(Slot& slot) noexcept { place(slot, measure(slot)); }

  /// What the token's own limits say; its face shows it to the policy.
  TokenRoom measure(Slot& slot) noexcept {
    if (quotas.unlimited(slot)) {
      return {latest, 1};
    }
    const TokenRoom room = quotas.room_of(slot, latest);
    slot.face.headroom = slot.particulars
                             ? (std::min)(room.headroom, slot.particulars->server.headroom(latest))
                             : room.headroom;
    return room;
  }

  void place(Slot& slot, const TokenRoom& room) noexcept {
    if (slot.available && slot.usable() && quotas.unlimited(slot)) {
      return;
    }
    if (slot.usable()) {
      roster.place(slot, (std::max)(slot.opens_at(), room.opens_at), latest);
    } else {
      roster.withdraw(slot);
    }
  }

  /// The account's refusals tell nothing any more about what it shares with others.
  void forget_refusals(std::uint32_t account) noexcept {
    for (std::vector<SharedPlace>* places : {&egress_places, &bucket_places}) {
      for (SharedPlace& place : *places) {
        place.inferred.forget(account);
      }
    }
  }

  /// The same of a token that serves no longer. What its account met goes on for the others of it.
  void forget_refusals(const Slot& slot) noexcept {
    if ((slot.account & account_of_its_own) != 0) {
      forget_refusals(slot.account);
    }
  }

  /// The slot will be another token's.
  void vacate(Slot& slot) noexcept {
    quotas.forget_token(slot.face.slot);
    for (Endpoint& endpoint : endpoints) {
      std::erase(endpoint.refused_in_a_row, slot.face.slot);
    }
    roster.vacate(slot);
  }

  /// Time goes on: wakes the tokens whose time has come.
  void advance(SteadyTime now) noexcept {
    latest = (std::max)(latest, now);
    while (roster.next_wake_up() <= latest) {
      refresh(roster.next_to_wake());
    }
  }

 private:
  /// Gives back the numbers of buckets that nothing speaks of.
  void sweep_buckets() {
    std::vector<bool> needed(buckets.size());
    const auto mark = [&](std::uint32_t bucket) { needed[bucket] = true; };
    const auto mark_resting = [&](std::uint32_t bucket, const Rest&) { mark(bucket); };
    const auto mark_place = [&](const Place& at) { mark(at.bucket); };
    quotas.sweep(latest, mark_place);
    for (SlotNumber number = 0; number < roster.size(); ++number) {
      Quotas::sweep(roster[number], latest, mark_place);
      if (const auto& particulars = roster[number].particulars) {
        particulars->rests.each_bucket(mark_resting);
      }
    }
    for (const Rests& rests : account_rests) {
      rests.each_bucket(mark_resting);
    }
    for (const SharedPlace& egress : egress_places) {
      for (const Refusal& refusal : egress.inferred.asked()) {
        mark(refusal.bucket);
      }
    }
    for (std::uint32_t bucket = 1; bucket < bucket_places.size(); ++bucket) {
      if (!needed[bucket] && bucket_places[bucket].idle() && !buckets.name(bucket).empty()) {
        buckets.release(bucket);
      }
    }
    sweep_at = (std::max)(std::size_t{1024}, 2 * buckets.in_use());
  }

  static std::vector<std::vector<Limit>> limits_of(const std::vector<Egress>& egresses) {
    std::vector<std::vector<Limit>> limits;
    for (const Egress& egress : egresses) {
      limits.push_back(egress.limits);
    }
    return limits;
  }
};

}  // namespace detail

}  // namespace tokenpool
