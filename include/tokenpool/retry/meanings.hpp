#pragma once
// What each meaning entails, in one table, and what a status means that no dialect explains. Who refused and
// why is the dialects' business; what then happens to token and request is the same for all of them.

#include <array>
#include <string_view>

#include "tokenpool/quota/verdict.hpp"
#include "tokenpool/retry/dialect.hpp"
#include "tokenpool/retry/evidence.hpp"

namespace tokenpool::detail {

/// What follows from a meaning, whoever says it.
struct Consequence {
  Meaning meaning;
  Verdict verdict;
  LimitScope scope;  // where neither the answer nor the row says whose limit it is
  bool another_token;
  bool eject;
  bool retryable;
  std::string_view words;
};

inline constexpr auto consequences = std::to_array<Consequence>({
    {Meaning::too_fast, Verdict::rate_limited, LimitScope::unknown, true, false, true, "too fast"},
    {Meaning::allowance_spent, Verdict::quota_exhausted, LimitScope::unknown, true, false, true,
     "allowance spent until it is renewed"},
    {Meaning::must_pay, Verdict::quota_exhausted, LimitScope::account, true, true, false,
     "nothing left until paid"},
    {Meaning::key_refused, Verdict::token_invalid, LimitScope::token, true, true, false,
     "credential refused"},
    {Meaning::key_in_doubt, Verdict::token_invalid, LimitScope::token, true, false, true,
     "credential refused without a reason"},
    {Meaning::key_not_allowed, Verdict::forbidden, LimitScope::token, true, false, false,
     "not allowed to this token"},
    {Meaning::not_allowed, Verdict::forbidden, LimitScope::unknown, false, false, false, "forbidden"},
    {Meaning::address_refused, Verdict::forbidden, LimitScope::egress, false, false, false,
     "address refused"},
    {Meaning::request_refused, Verdict::caller_error, LimitScope::unknown, false, false, false,
     "request refused"},
    {Meaning::busy, Verdict::overloaded, LimitScope::service, false, false, true, "no capacity"},
    {Meaning::broken, Verdict::server_error, LimitScope::service, false, false, true, "server failed"},
    {Meaning::proxy_refused, Verdict::network_error, LimitScope::egress, false, false, true, "proxy refused"},
});

constexpr const Consequence& consequence_of(Meaning meaning) noexcept {
  for (const Consequence& consequence : consequences) {
    if (consequence.meaning == meaning) return consequence;
  }
  return consequences.front();
}

/// What a refusal means by its status alone.
inline Meaning meaning_of_status(const Evidence& evidence) noexcept {
  switch (evidence.status) {
    case 401: return Meaning::key_in_doubt;
    case 402: return Meaning::must_pay;
    case 403: return Meaning::not_allowed;
    case 407:
    case 511: return Meaning::proxy_refused;
    case 408:
    case 425: return Meaning::broken;
    // Without a word it is the lock timeout that the SDKs of OpenAI and Anthropic repeat; a 409 that names
    // another conflict is the caller's.
    case 409:
      return evidence.codes.empty() && evidence.prose.empty() ? Meaning::broken : Meaning::request_refused;
    case 429: return Meaning::too_fast;
    case 529: return Meaning::busy;
    default:
      return evidence.status >= 400 && evidence.status < 500 ? Meaning::request_refused : Meaning::broken;
  }
}

/// Only these verdicts have something to wait for; an ejected token waits for a person.
constexpr bool may_rest(const Consequence& consequence) noexcept {
  return consequence.retryable && consequence.verdict != Verdict::token_invalid;
}

constexpr bool is_limit(Verdict verdict) noexcept {
  return verdict == Verdict::rate_limited || verdict == Verdict::quota_exhausted;
}

/// Another token helps against a limit only if the limit is not shared by all tokens.
constexpr bool is_shared(LimitScope scope) noexcept {
  return scope == LimitScope::egress || scope == LimitScope::bucket || scope == LimitScope::service;
}

}  // namespace tokenpool::detail
