#pragma once
// What a person sees of a pool: a copy of what every token is doing and why, as plain data.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenpool/quota/limit.hpp"
#include "tokenpool/quota/limit_fact.hpp"

namespace tokenpool {

/// What a token is doing.
enum class TokenState : std::uint8_t {
  available,  ///< may be used now
  resting,    ///< refused or at its own limit; comes back by itself
  probing,    ///< its rest is over and one request is under way to show it
  ejected,    ///< out until a person acts
  disabled,   ///< out because a person said so
  draining,   ///< removed, with leases still in flight
};

constexpr std::string_view to_string(TokenState state) noexcept {
  switch (state) {
    case TokenState::available: return "available";
    case TokenState::resting: return "resting";
    case TokenState::probing: return "probing";
    case TokenState::ejected: return "ejected";
    case TokenState::disabled: return "disabled";
    case TokenState::draining: return "draining";
  }
  return "unknown";
}

/// How much of one limit is used in one place.
struct LimitUse {
  std::string scope{};  ///< "token", "token+bucket"...
  Unit unit{};
  std::int64_t amount{};
  std::int64_t used{};
  std::chrono::milliseconds window{};
  std::optional<std::chrono::milliseconds>
      resets_in{};  ///< until all that is used now has expired; absent when unused
};

/// One token.
struct TokenSnapshot {
  std::string id{};
  std::string account{};
  TokenState state{};
  std::optional<std::chrono::milliseconds>
      rest{};           ///< what is left of it; absent when available or without an end
  std::string cause{};  ///< why it is not available, in a few words
  double weight{};
  int priority{};
  std::uint32_t in_flight{};
  std::uint64_t requests{};   ///< attempts that ended, each in one of the three below
  std::uint64_t successes{};  ///< answers that accepted the token, the caller's own mistakes included
  std::uint64_t rate_limited{};
  std::uint64_t failures{};
  std::chrono::microseconds latency{};  ///< moving average
  std::vector<LimitUse> limits{};
  std::vector<LimitFact>
      server{};  ///< what the server last said of its own counts, as far as that still holds
};

/// One account, with what its tokens in the pool did together. A token without an account is none.
struct AccountSnapshot {
  std::string id{};
  TokenState state{};  ///< of what its tokens share: available, resting or probing
  std::optional<std::chrono::milliseconds> rest{};
  std::string cause{};
  std::uint32_t in_flight{};
  std::uint64_t requests{};
  std::uint64_t successes{};
  std::uint64_t rate_limited{};
  std::uint64_t failures{};
  std::vector<LimitUse> limits{};
};

/// One egress.
struct EgressSnapshot {
  std::string id{};
  TokenState state{};
  std::optional<std::chrono::milliseconds> rest{};
  std::string cause{};
  std::uint32_t in_flight{};
  std::uint64_t requests{};
  std::uint64_t successes{};
  std::uint64_t rate_limited{};
  std::uint64_t failures{};
  std::vector<LimitUse> limits{};
};

/// The pool as a whole.
struct PoolTotals {
  std::size_t available{};
  std::size_t resting{};  ///< resting and probing
  std::size_t ejected{};
  std::size_t disabled{};
  std::size_t waiting{};  ///< calls in the queue
};

/// A copy of the pool's state at one moment.
struct PoolSnapshot {
  std::vector<TokenSnapshot> tokens{};
  std::vector<AccountSnapshot> accounts{};  ///< those that have tokens, in the order of their first ones
  std::vector<EgressSnapshot> egresses{};
  PoolTotals pool{};
};

/// Takes snapshots for somebody who may outlive the pool: nothing once it is gone.
using StatsSource = std::function<std::optional<PoolSnapshot>()>;

}  // namespace tokenpool
