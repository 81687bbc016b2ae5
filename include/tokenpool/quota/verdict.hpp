#pragma once
// The vocabulary for what an answer means. It lies apart from the classifier because the pool acts on
// verdicts without knowing how they were reached, and a user's own classifier speaks the same words.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tokenpool {

/// What an answer, or the lack of one, says about the request, the token and the service.
enum class Verdict {
  success,          ///< The server did what was asked, or sent a redirect: deliver it.
  caller_error,     ///< The request itself is at fault; no other token would change the answer.
  rate_limited,     ///< Too fast: the token rests and serves again afterwards.
  quota_exhausted,  ///< An allowance or the money is gone: back after a reset by itself, or once somebody
                    ///< pays.
  token_invalid,    ///< The credential is unknown, revoked or deactivated.
  forbidden,        ///< Understood and refused: it may be the resource, the plan or the address.
  server_error,     ///< The server failed; nobody's token is to blame.
  overloaded,       ///< The service has no capacity just now; nobody's token is to blame.
  network_error,  ///< The way to the server failed, or a proxy on it: the egress is to blame, not the token.
  ambiguous,      ///< The connection was lost after the request went out: it may have been carried out.
};

/// Whose limit it was that an answer speaks of.
enum class LimitScope {
  token,    ///< This credential alone.
  account,  ///< All tokens of the account, organisation or project.
  bucket,   ///< What the server counts apart, such as one model or one endpoint.
  egress,   ///< The address the request came from.
  service,  ///< Everybody: the service itself or a resource that all share.
  unknown,  ///< The answer does not say.
};

/// The name of a verdict, as it is written in the enumeration.
constexpr std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::success: return "success";
    case Verdict::caller_error: return "caller_error";
    case Verdict::rate_limited: return "rate_limited";
    case Verdict::quota_exhausted: return "quota_exhausted";
    case Verdict::token_invalid: return "token_invalid";
    case Verdict::forbidden: return "forbidden";
    case Verdict::server_error: return "server_error";
    case Verdict::overloaded: return "overloaded";
    case Verdict::network_error: return "network_error";
    case Verdict::ambiguous: return "ambiguous";
  }
  return "unknown";
}

namespace detail {

/// The server took the token and the request: nobody is to blame but, perhaps, the caller.
constexpr bool is_acceptance(Verdict verdict) noexcept {
  return verdict == Verdict::success || verdict == Verdict::caller_error;
}

}  // namespace detail

/// The name of a scope, as it is written in the enumeration.
constexpr std::string_view to_string(LimitScope scope) noexcept {
  switch (scope) {
    case LimitScope::token: return "token";
    case LimitScope::account: return "account";
    case LimitScope::bucket: return "bucket";
    case LimitScope::egress: return "egress";
    case LimitScope::service: return "service";
    case LimitScope::unknown: return "unknown";
  }
  return "unknown";
}

/// The full meaning of one answer. The flags say what may be done; the pool and the attempt
/// machine decide what is.
struct Classification {
  Verdict verdict{Verdict::success};      ///< What it says of request, token and service.
  LimitScope scope{LimitScope::unknown};  ///< Whose limit it was.
  /// How long the token should rest, by the server's word or the period its quota names; absent when it does
  /// not say. Never capped, so cap it before adding it to a clock reading.
  std::optional<std::chrono::milliseconds> rest{};
  bool try_another_token{};  ///< Another token may be tried at once.
  bool eject{};          ///< Take the token out until somebody acts; money that resets by itself is a rest.
  bool retryable{};      ///< The same request may go out again on the same token once the rest is over.
  std::string reason{};  ///< A few words for logs; never a secret and never the server's free text.

  friend bool operator==(const Classification&, const Classification&) = default;
};

}  // namespace tokenpool
