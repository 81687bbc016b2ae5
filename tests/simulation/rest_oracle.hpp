#pragma once
// What the service said to leave alone, as a plain list, against what is sent.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "answers.hpp"
#include "findings.hpp"
#include "listener.hpp"
#include "stage.hpp"
#include "tokenpool/pool/snapshot.hpp"

namespace simulation {

class RestOracle final : public simulator::Listener {
 public:
  /// With several egresses the pool may take a refusal whose scope is not named for that of one egress, and
  /// tries the token by another one.
  RestOracle(Findings& findings, const simulator::World& world)
      : findings_(findings), one_egress_(world.egress.size() == 1), always_named_(always_named(world)) {}

  void granted(const simulator::Granted& granted) override {
    const simulator::Instant at = granted.at;
    // What nobody has asked for that long need not be tried carefully.
    std::erase_if(rests_, [at](const Rest& rest) {
      return rest.probe == 0 && at >= rest.until + std::chrono::minutes(10);
    });
    for (Rest& rest : rests_) {
      // A lease of the very instant of the refusal may have been granted before it.
      if (!is_about(rest, granted.knock) || at <= rest.since) {
        continue;
      }
      if (at < rest.until) {
        findings_.add(invariant::rest_kept, at,
                      granted.knock.token + " was used, " + milliseconds(rest.until - at) +
                          " before the end of the rest per " + to_string(rest.scope));
      } else if (always_named_ && rest.probe != 0) {
        findings_.add(invariant::one_probe, at,
                      granted.knock.token + " was used while the first request after the rest per " +
                          to_string(rest.scope) + " was under way");
      } else {
        rest.probe = granted.ticket;
      }
    }
  }

  void settled(const simulator::Settlement& settlement, simulator::Instant at) override {
    const std::uint64_t ticket = settlement.granted.ticket;
    const bool accepted = settlement.status == 200;
    std::erase_if(rests_, [&](const Rest& rest) {
      return accepted && (rest.probe == ticket || disproves(settlement.granted, rest));
    });
    for (Rest& rest : rests_) {
      rest.probe = rest.probe == ticket ? 0 : rest.probe;
    }
    if (settlement.status == 429 && (one_egress_ || is_named(settlement))) {
      note(settlement, at);
    }
  }

  /// A person has ended what keeps a token of this account away.
  void forgive(const std::string& account) {
    std::erase_if(rests_, [&](const Rest& rest) { return rest.knock.account == account; });
  }

 private:
  struct Rest {
    simulator::Knock knock;
    tokenpool::Scope scope;
    bool named;  ///< the service said whose limit it was; else the pool may come to think it somebody else's
    simulator::Instant since;
    simulator::Instant until;
    std::uint64_t refused = 0;  ///< the newest lease that was
    std::uint64_t probe = 0;
  };

  /// A request that was granted later than the refused one was served: the rest is over.
  static bool disproves(const simulator::Granted& accepted, const Rest& rest) {
    const bool same_place =
        rest.named ? is_about(rest, accepted.knock) : rest.knock.account == accepted.knock.account;
    return same_place && accepted.ticket > rest.refused;
  }

  /// Nothing is ever guessed about a service that always says whose limit it was.
  static bool always_named(const simulator::World& world) {
    using tokenpool::Scope;
    const bool shared_accounts = !world.tokens.front().account.empty();
    const auto& rules = world.service.rules;
    return world.service.names_scope &&
           std::all_of(rules.begin(), rules.end(), [&](const simulator::Rule& rule) {
             return !simulator::scope_word(rule.limit.scope).empty() &&
                    (rule.limit.scope != Scope::account || shared_accounts);
           });
  }

  /// Without a word a rest takes a second at least.
  void note(const simulator::Settlement& refusal, simulator::Instant at) {
    const simulator::Instant until = at + refusal.word.value_or(std::chrono::seconds(1));
    const Rest rest{
        refusal.granted.knock, refusal.scope, is_named(refusal), at, until, refusal.granted.ticket, 0};
    const auto same = std::find_if(rests_.begin(), rests_.end(), [&](const Rest& known) {
      return known.named == rest.named && known.scope == rest.scope && is_about(known, rest.knock);
    });
    if (same == rests_.end()) {
      rests_.push_back(rest);
    } else {
      same->since = at;
      same->refused = (std::max)(same->refused, rest.refused);
      same->until = (std::max)(same->until, until);
    }
  }

  static bool is_named(const simulator::Settlement& refusal) {
    using tokenpool::Scope;
    const Scope scope = refusal.scope;
    return refusal.names_scope &&
           (scope == Scope::pool || scope == Scope::token || scope == Scope::egress ||
            (scope == Scope::account && refusal.granted.knock.account.rfind("of ", 0) != 0) ||
            (scope == Scope::bucket && !refusal.granted.knock.bucket.empty()));
  }

  [[nodiscard]] static bool is_about(const Rest& rest, const simulator::Knock& knock) {
    using tokenpool::Scope;
    const bool same_bucket = rest.knock.bucket.empty() || rest.knock.bucket == knock.bucket;
    if (!rest.named) {
      return rest.knock.token == knock.token && same_bucket;
    }
    switch (rest.scope) {
      case Scope::token: return rest.knock.token == knock.token && same_bucket;
      case Scope::account: return rest.knock.account == knock.account && same_bucket;
      case Scope::egress: return rest.knock.egress == knock.egress;
      case Scope::bucket: return rest.knock.bucket == knock.bucket;
      default: return true;
    }
  }

  static std::string milliseconds(simulator::Length length) {
    return std::to_string(static_cast<double>(length.count()) / 1e6) + " ms";
  }

  Findings& findings_;
  bool one_egress_;
  bool always_named_;
  std::vector<Rest> rests_;
};

/// Without the service's word rests double; a success begins them anew. Each token is held to the refusals
/// that it has met since its last success.
class StrikeOracle final : public simulator::Listener {
 public:
  StrikeOracle(Findings& findings, simulator::Stage& stage) : findings_(findings), stage_(stage) {}

  /// What was sent before a refusal proves nothing about it.
  void settled(const simulator::Settlement& settlement, simulator::Instant at) override {
    const std::string& token = settlement.granted.knock.token;
    Refusals& refusals = refusals_[token];
    if (settlement.status == 429) {
      ++refusals.in_a_row;
      refusals.last = at;
      refused_ = token;
    } else if (settlement.status == 200 && settlement.granted.at > refusals.last) {
      refusals.in_a_row = 0;
    }
  }

  void rests(simulator::Instant at) override {
    if (refused_.empty()) {
      return;
    }
    const tokenpool::PoolSnapshot snapshot = stage_.pool.snapshot(stage_.now());
    for (const tokenpool::TokenSnapshot& token : snapshot.tokens) {
      const double seconds = token.rest ? static_cast<double>(token.rest->count()) / 1000 : 0;
      const int in_a_row = refusals_[token.id].in_a_row;
      const int doublings = std::clamp(in_a_row - 1, 0, 7);
      if (token.id == refused_ && seconds > 1.11 * (1 << doublings)) {
        findings_.add(invariant::strikes_forgotten, at,
                      token.id + " rests " + std::to_string(seconds) + " s after " +
                          std::to_string(in_a_row) + " refusals");
      }
    }
    refused_.clear();
  }

 private:
  struct Refusals {
    int in_a_row = 0;
    simulator::Instant last{-1};
  };

  Findings& findings_;
  simulator::Stage& stage_;
  std::map<std::string, Refusals> refusals_;
  std::string refused_;
};

}  // namespace simulation
