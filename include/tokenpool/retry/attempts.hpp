#pragma once
// The attempt machine of one call: it is told what happened and says what to do next. It sends nothing, waits
// for nothing and reads no clock, so every conversation can be scripted in a test.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/base/time.hpp"
#include "tokenpool/http/failure.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/quota/verdict.hpp"
#include "tokenpool/retry/backoff.hpp"
#include "tokenpool/retry/budget.hpp"

namespace tokenpool {

/// Whether a request that was lost after it went out is sent once more. (An error answer such as 503 leaves
/// no doubt; it is repeated as `max_attempts` allows.)
enum class Replay : std::uint8_t {
  safe,    ///< only when repeating cannot do harm: GET, HEAD, PUT, DELETE, OPTIONS, or an idempotency key
  always,  ///< every request
  never,   ///< none, not even by libcurl on a connection that died while idle
};

/// How hard a call tries.
struct RetryOptions {
  unsigned max_attempts =
      3;  ///< requests a call may cost, those refused for their token not counted; at least 1
  std::chrono::milliseconds max_wait{
      60'000};  ///< the longest that a call waits for tokens, all its waits together
  std::chrono::milliseconds max_rest{
      std::chrono::hours(24)};   ///< no token rests longer, whatever a server says
  Backoff backoff{};             ///< how long a call waits before it repeats
  BudgetOptions budget{};        ///< how many repetitions all calls together may make
  Replay replay = Replay::safe;  ///< whether lost requests are sent again
  /// Gives every POST and PATCH without an idempotency key one of its own, the same for all its attempts.
  /// Only for servers that honour Idempotency-Key: to the others repeating would not become safe by it.
  bool make_idempotency_keys = false;
};

/// Get a lease and send.
struct SendNext {};
/// Send again at `when`.
struct SendAt {
  SteadyTime when{};  ///< at the earliest
};
/// The answer at hand is the caller's.
struct Deliver {};
/// The call ends in an Error.
struct Fail {
  ErrorCode code = ErrorCode::network;   ///< of the Error
  std::string reason{};                  ///< in words, no secret
  std::optional<SteadyTime> retry_at{};  ///< when another call makes sense
};
/// What a call does next.
using NextAction = std::variant<SendNext, SendAt, Deliver, Fail>;

/// What the machine has to know of its call.
struct CallFacts {
  bool safe_to_repeat = false;        ///< by method, idempotency key or Replay::always
  bool repeatable_body = true;        ///< the body can go out from its first byte again
  SteadyTime deadline = end_of_time;  ///< when the call ends
};

/// Whether a method may be repeated without harm (RFC 9110 9.2.2).
inline bool is_idempotent(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS" || method == "TRACE";
}

/// The machine. One call, one thread at a time.
class Attempts {
 public:
  /// A call begins; what is referred to must live as long.
  Attempts(const RetryOptions& options, RetryBudget& budget, RandomSource& random, const CallFacts& facts)
      : options_(options), budget_(budget), random_(random), facts_(facts) {
    budget_.deposit();
  }

  /// Tokens that this call will not ask again although they do not rest.
  [[nodiscard]] std::span<const SlotNumber> asked() const noexcept { return asked_; }

  /// The deadline of the call.
  [[nodiscard]] SteadyTime deadline() const noexcept { return facts_.deadline; }

  /// Until when the call would wait for a token that it cannot get now.
  [[nodiscard]] SteadyTime patience(SteadyTime now) const noexcept {
    const Duration left = (std::max)(saturated(options_.max_wait) - waited_, Duration::zero());
    return (std::min)(facts_.deadline, after(now, left));
  }

  /// The call has waited for a token that long.
  void waited(Duration length) noexcept { waited_ += length; }

  /// Whether the body can go out from its first byte on, after what has been read of it so far.
  void set_repeatable_body(bool repeatable) noexcept { facts_.repeatable_body = repeatable; }

  /// Whether the caller has seen a part of the answer: then nothing is sent again.
  void set_handed_over(bool handed_over) noexcept { handed_over_ = handed_over; }

  /// An answer came and meant `meaning`; the token was `slot`.
  NextAction answered(const Classification& meaning, SlotNumber slot, bool endpoint_at_fault,
                      SteadyTime now) {
    switch (meaning.verdict) {
      case Verdict::success:
      case Verdict::caller_error: return Deliver{};
      case Verdict::forbidden:
      case Verdict::token_invalid:
      case Verdict::rate_limited:
      case Verdict::quota_exhausted: return refused_for_token(meaning, slot, endpoint_at_fault);
      case Verdict::server_error:
      case Verdict::overloaded:
      case Verdict::network_error:
      case Verdict::ambiguous: return repeat(meaning, now);
    }
    return Deliver{};
  }

  /// No answer came.
  NextAction failed(const TransportFailure& failure, SteadyTime now) {
    switch (failure.kind) {
      case FailureKind::connect:
      case FailureKind::proxy: return again(ErrorCode::network, failure.detail, {}, now);
      case FailureKind::lost: return lost(failure, now);
      case FailureKind::tls: return Fail{ErrorCode::tls, failure.detail, {}};
      case FailureKind::protocol: return Fail{ErrorCode::protocol, failure.detail, {}};
      case FailureKind::too_large: return Fail{ErrorCode::response_too_large, failure.detail, {}};
      case FailureKind::body:
      case FailureKind::unfit: return Fail{ErrorCode::invalid_request, failure.detail, {}};
      case FailureKind::cancelled: return Fail{ErrorCode::cancelled, "the call was cancelled", {}};
      case FailureKind::deadline:
        return Fail{ErrorCode::deadline_exceeded, "the deadline passed while the request was under way", {}};
    }
    return Fail{ErrorCode::network, failure.detail, {}};
  }

 private:
  NextAction refused_for_token(const Classification& meaning, SlotNumber slot, bool endpoint_at_fault) {
    if (meaning.verdict == Verdict::forbidden && !meaning.try_another_token) {
      return Deliver{};
    }
    if (endpoint_at_fault) {
      return Fail{ErrorCode::http_status,
                  "different tokens in a row were refused (" + meaning.reason +
                      "): the endpoint is the cause, check base_url and the account",
                  {}};
    }
    if (meaning.verdict == Verdict::forbidden) {
      asked_.push_back(slot);
    }
    if (handed_over_) {
      return Fail{ErrorCode::http_status, meaning.reason + too_late_to_repeat, {}};
    }
    if (!facts_.repeatable_body) {
      return Fail{ErrorCode::http_status,
                  "the token was refused and the body cannot be sent again: give Body::from a rewind",
                  {}};
    }
    return SendNext{};
  }

  NextAction repeat(const Classification& meaning, SteadyTime now) {
    const std::string reason =
        meaning.reason.empty() ? std::string(to_string(meaning.verdict)) : meaning.reason;
    if (!meaning.retryable) {
      return Fail{ErrorCode::http_status, reason, {}};
    }
    return again(ErrorCode::http_status, reason, meaning.rest, now);
  }

  NextAction lost(const TransportFailure& failure, SteadyTime now) {
    if (failure.sent && !handed_over_ && (!facts_.safe_to_repeat || options_.replay == Replay::never)) {
      return Fail{ErrorCode::network,
                  failure.detail + "; the request may have been carried out, so it was not repeated",
                  {}};
    }
    return again(ErrorCode::network, failure.detail, {}, now);
  }

  /// The same request once more after a wait, if attempts, body, budget and time allow; else each has its own
  /// reason.
  NextAction again(ErrorCode code, const std::string& reason, std::optional<std::chrono::milliseconds> word,
                   SteadyTime now) {
    if (handed_over_) {
      return Fail{code, reason + too_late_to_repeat, {}};
    }
    ++attempts_;
    if (attempts_ >= options_.max_attempts) {
      return Fail{code, reason + " (" + std::to_string(attempts_) + " attempts)", {}};
    }
    if (!facts_.repeatable_body) {
      return Fail{code, reason + "; the body cannot be sent again: give Body::from a rewind", {}};
    }
    const Duration wait = word ? saturated(*word) : backoff_wait(options_.backoff, attempts_, random_);
    const SteadyTime when = after(now, wait);
    if (when >= facts_.deadline || wait > saturated(options_.max_wait)) {
      return Fail{code, reason + "; the next attempt would be too late", when};
    }
    if (!budget_.withdraw()) {
      return Fail{code, reason + "; the retry budget of the client is spent", {}};
    }
    return SendAt{when};
  }

  static constexpr const char* too_late_to_repeat =
      "; a part of the answer was handed over, so the request was not repeated";

  const RetryOptions& options_;
  RetryBudget& budget_;
  RandomSource& random_;
  CallFacts facts_;
  std::vector<SlotNumber> asked_;
  unsigned attempts_ = 0;
  bool handed_over_ = false;
  Duration waited_{};
};

}  // namespace tokenpool
