#pragma once
// What a person sees of a pool: a copy of what every token is doing and why, as plain data.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenpool/quota/limit.hpp"
#include "tokenpool/quota/limit_fact.hpp"
#include "tokenpool/quota/verdict.hpp"

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

/// The name of `state` as written in the enumeration.
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
  std::string scope{};                 ///< "token", "token+bucket"...
  Unit unit{};                         ///< what is counted
  std::int64_t amount{};               ///< allowed in a window
  std::int64_t used{};                 ///< of it, those in flight included
  std::chrono::milliseconds window{};  ///< zero with Unit::in_flight
  std::optional<std::chrono::milliseconds>
      resets_in{};  ///< until all that is used now has expired; absent when unused
};

/// The last attempt that the server did not accept, or that got no answer.
struct LastError {
  Verdict verdict{};                ///< what it meant
  int status{};                     ///< 0 when no answer came
  std::string reason{};             ///< a few words, no secret
  std::chrono::milliseconds age{};  ///< since it came
};

/// What is told alike of a token, an account and an egress. The counts are of attempts that ended since the
/// token, or the egress, is in this pool.
struct UsageSnapshot {
  std::string id{};    ///< as in logs
  TokenState state{};  ///< of an account or egress: available, resting or probing
  std::optional<std::chrono::milliseconds>
      rest{};                    ///< what is left of it; absent when available or without an end
  std::string cause{};           ///< why it is not available, in a few words
  std::uint32_t in_flight{};     ///< leases not yet settled
  std::uint64_t requests{};      ///< each in one of the three below
  std::uint64_t successes{};     ///< answers that accepted the token, the caller's own mistakes included
  std::uint64_t rate_limited{};  ///< answers that said too much, or that a quota is gone
  std::uint64_t failures{};      ///< all others, those without an answer included
  /// Moving average of the times from sending to an answer that accepted: an eighth of the way to each.
  std::chrono::microseconds latency{};
  /// @{
  /// What 50, 95 and 99 in 100 of the last 256 such answers, or up to seven more, took at most, within 1/16.
  /// All four are zero as long as there is none.
  std::chrono::microseconds p50{};
  std::chrono::microseconds p95{};
  std::chrono::microseconds p99{};
  /// @}
  std::chrono::microseconds latency_total{};  ///< the sum of all such times
  std::optional<LastError> last_error{};      ///< absent when there was none
  std::vector<LimitUse> limits{};             ///< each with what is used here
};

/// A bucket in which a token rests, whatever it does in others.
struct BucketSnapshot {
  std::string id{};                                 ///< as in Request::bucket
  std::optional<std::chrono::milliseconds> rest{};  ///< what is left of it; absent while one request shows
  std::string cause{};                              ///< in a few words
};

/// One token.
struct TokenSnapshot : UsageSnapshot {
  std::string account{};                  ///< empty: one of its own
  double weight{};                        ///< as set
  int priority{};                         ///< as set
  std::vector<BucketSnapshot> buckets{};  ///< in which it, or its account, was refused by itself
  std::vector<LimitFact>
      server{};  ///< what the server last said of its own counts, as far as that still holds
};

/// One account: what its tokens in the pool did together. A token without an account is none.
using AccountSnapshot = UsageSnapshot;

/// One egress.
using EgressSnapshot = UsageSnapshot;

/// The times that calls waited in the queue for a lease, whether they got one or not; those who still do are
/// not in it.
struct WaitTotals {
  std::uint64_t count{};                ///< calls that waited
  std::chrono::microseconds total{};    ///< all of their waits
  std::chrono::microseconds longest{};  ///< of one of them
};

/// The pool as a whole.
struct PoolTotals {
  std::size_t available{};  ///< tokens that may be used now
  std::size_t resting{};    ///< resting and probing
  std::size_t ejected{};    ///< tokens
  std::size_t disabled{};   ///< tokens
  std::size_t waiting{};    ///< calls in the queue
  std::uint64_t
      requests{};  ///< attempts that ended since the pool was made, those of tokens that left it too
  std::uint64_t successes{};     ///< of them
  std::uint64_t rate_limited{};  ///< of them
  std::uint64_t failures{};      ///< of them
  WaitTotals waits{};            ///< in the queue
};

/// A copy of the pool's state at one moment.
struct PoolSnapshot {
  std::vector<TokenSnapshot> tokens{};      ///< one for each
  std::vector<AccountSnapshot> accounts{};  ///< those that have tokens, in the order of their first ones
  std::vector<EgressSnapshot> egresses{};   ///< one for each
  PoolTotals pool{};                        ///< all together
};

/// Takes snapshots for somebody who may outlive the pool: nothing once it is gone.
using StatsSource = std::function<std::optional<PoolSnapshot>()>;

/// Hands out a StatsSource, as a client does.
template <class T>
concept Watchable = requires(const T& watched) {
  { watched.stats_source() } -> std::convertible_to<StatsSource>;
};

}  // namespace tokenpool
