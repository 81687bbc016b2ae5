#pragma once
// Everything a pool knows, under one lock that the pool holds. The rules that act on it stand in files of
// their own: choosing.hpp (who may send), consequences.hpp (what an answer changes), snapshot.hpp (what a
// person sees).

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/pool/names.hpp"
#include "tokenpool/pool/quotas.hpp"
#include "tokenpool/pool/roster.hpp"
#include "tokenpool/pool/shared_cause.hpp"
#include "tokenpool/pool/token.hpp"

namespace tokenpool {

/// What a pool is made of.
struct PoolOptions {
  std::vector<Token> tokens{};
  std::vector<Limit> limits{};
  std::vector<Egress> egress{};  ///< empty: one, the system's choice
  std::chrono::milliseconds max_rest{std::chrono::hours(24)};
  std::shared_ptr<RandomSource> random{};  ///< null: SplitMix64 with a fixed seed
  bool ask_ledger = false;                 ///< leases have to be confirmed by a remote ledger
};

namespace detail {

/// An egress, or a bucket over all tokens: something that many tokens share and that may rest as a whole.
struct SharedPlace {
  Rest rest;             ///< by the server's explicit word, or because the way is down
  SharedCause inferred;  ///< because different tokens were refused here in a row
  unsigned lost_in_a_row = 0;
  Tally tally;
  std::uint32_t in_flight = 0;

  [[nodiscard]] SteadyTime opens_at() const noexcept {
    return (std::max)(rest.opens_at(), inferred.rest().opens_at());
  }
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
      if (egress.id.empty()) {
        egress.id = !egress.source.empty()  ? egress.source
                    : !egress.proxy.empty() ? without_credentials(egress.proxy)
                                            : "default";
      }
    }
  }

  PolicyPort& policy;
  Roster roster;
  std::vector<Egress> egresses;
  Quotas quotas;
  std::vector<SharedPlace> egress_places;
  std::vector<SharedPlace> bucket_places{1};  ///< by bucket number
  std::vector<Rest> account_rests{1};  ///< by account number; an account of its own rests with its token
  std::vector<Endpoint> endpoints{1};
  Rest service;
  Names buckets;
  std::shared_ptr<RandomSource> random;
  Duration max_rest;
  bool ask_ledger;
  std::uint64_t newest_ticket = 0;
  SteadyTime latest{};  ///< the latest time handed in: changes by a person come without one

  /// The number of a bucket, with its place. Throws std::bad_alloc.
  std::uint32_t bucket_number(std::string_view name) {
    const std::uint32_t number = buckets.number(name);
    if (number >= bucket_places.size()) {
      bucket_places.resize(number + 1);
    }
    return number;
  }

  /// The rest of the token's account; null when the token has no account but itself.
  [[nodiscard]] Rest* account_rest(const Slot& slot) noexcept {
    return slot.account < account_rests.size() && slot.account != 0 ? &account_rests[slot.account] : nullptr;
  }

  /// Puts the slot where it belongs after anything about it changed.
  void refresh(Slot& slot) noexcept {
    if (!slot.usable()) {
      roster.withdraw(slot);
      return;
    }
    roster.place(slot, (std::max)(slot.rest.opens_at(), quotas.token_opens_at(slot, latest)), latest);
  }

  /// Time goes on: wakes the tokens whose time has come.
  void advance(SteadyTime now) noexcept {
    latest = (std::max)(latest, now);
    while (roster.next_wake_up() <= latest) {
      refresh(roster.next_to_wake());
    }
  }

 private:
  static std::vector<std::vector<Limit>> limits_of(const std::vector<Egress>& egresses) {
    std::vector<std::vector<Limit>> limits;
    for (const Egress& egress : egresses) {
      limits.push_back(egress.limits);
    }
    return limits;
  }

  /// `user:password@` cut out of a proxy URL.
  static std::string without_credentials(std::string proxy) {
    const std::size_t scheme = proxy.find("://");
    const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
    const std::size_t at = proxy.rfind('@');
    return at == std::string::npos || at < begin ? proxy : proxy.erase(begin, at + 1 - begin);
  }
};

}  // namespace detail

}  // namespace tokenpool
