#pragma once
// What happened to tokens, as data: the pool decides under its lock, others tell the world after it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/verdict.hpp"

namespace tokenpool {

/// What a person did to a token, or a program in their place.
enum class TokenChange : std::uint8_t {
  added,     ///< it is in the pool from now on
  removed,   ///< it is out of it; requests under way go on
  disabled,  ///< it stays and gets no new requests
  enabled,   ///< it serves again, whatever kept it back: its rests and what led to them are forgotten
};

/// Its name, as it is written in the enumeration.
constexpr std::string_view to_string(TokenChange change) noexcept {
  switch (change) {
    case TokenChange::added: return "added";
    case TokenChange::removed: return "removed";
    case TokenChange::disabled: return "disabled";
    case TokenChange::enabled: return "enabled";
  }
  return "unknown";
}

/// One change of state that somebody may want to hear of.
struct PoolEvent {
  /// What has changed.
  enum class Kind : std::uint8_t {
    rest,          ///< a token (or the named scope of it) rests
    ejected,       ///< a token is out until a person acts
    recovered,     ///< a token (or the named scope of it) served again after a rest
    shared_limit,  ///< several tokens failed alike: the cause is shared
    changed,       ///< a person acted
  };
  Kind kind = Kind::rest;                ///< what has changed
  std::string token_id{};                ///< which token it was about
  LimitScope scope = LimitScope::token;  ///< what rests
  std::string scope_id{};                ///< id of the egress, account or bucket
  std::string bucket{};                  ///< a token or account, of this one alone; empty: as a whole
  Verdict cause = Verdict::success;      ///< why
  std::optional<SteadyTime> until{};     ///< the end of a rest
  std::string reason{};                  ///< a few words, no secret
  TokenChange change{};                  ///< what a person did
};

/// What settling a lease led to.
struct SettleResult {
  std::vector<PoolEvent> events{};  ///< in their order
  bool endpoint_at_fault =
      false;  ///< different tokens in a row were refused: more tokens would only be burnt
};

}  // namespace tokenpool
