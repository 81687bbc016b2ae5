#pragma once
// What happened to tokens while a lease was settled, as data: the pool decides under its lock, others tell
// the world after it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/verdict.hpp"

namespace tokenpool {

/// One change of state that somebody may want to hear of.
struct PoolEvent {
  /// What has changed.
  enum class Kind : std::uint8_t {
    rest,          ///< a token (or the named scope of it) rests
    ejected,       ///< a token is out until a person acts
    recovered,     ///< a token served again after a rest
    shared_limit,  ///< several tokens failed alike: the cause is shared
  };
  Kind kind = Kind::rest;                ///< what has changed
  std::string token_id{};                ///< which token it was about
  LimitScope scope = LimitScope::token;  ///< what rests
  std::string scope_id{};                ///< id of the egress, account or bucket
  Verdict cause = Verdict::success;      ///< why
  std::optional<SteadyTime> until{};     ///< the end of a rest
  std::string reason{};                  ///< a few words, no secret
};

/// What settling a lease led to.
struct SettleResult {
  std::vector<PoolEvent> events{};  ///< in their order
  bool endpoint_at_fault =
      false;  ///< different tokens in a row were refused: more tokens would only be burnt
};

}  // namespace tokenpool
