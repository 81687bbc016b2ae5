#pragma once
// Why a call ended without an answer that the caller can use. One exception type for everything; `code()`
// tells the kinds apart, the details (trail of attempts, last answer) lie behind a pointer so that this
// header stays light.

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/base/time.hpp"

namespace tokenpool {

struct Attempt;
struct Response;
struct ErrorDetails;

/// The kinds of failure.
enum class ErrorCode : std::uint8_t {
  invalid_request,    ///< an option, a token or the request itself is unfit; the text names the field and the
                      ///< remedy
  no_tokens,          ///< every token is ejected or disabled: somebody must act
  exhausted,          ///< nothing is available before the deadline; `retry_at()` says when it will be
  deadline_exceeded,  ///< the call's deadline passed
  cancelled,          ///< the caller cancelled, or the client was destroyed
  network,            ///< no connection, or it was lost and repeating was not safe
  tls,                ///< the peer's identity or the secure channel could not be established
  protocol,           ///< the peer sent something that is not HTTP, or not what was asked for
  response_too_large,  ///< a body, header block or line above its maximum
  http_status,         ///< an error answer that stayed after all retries; `response()` has it
  ledger,              ///< the shared ledger could not be asked
};

/// The name of `code` as written in the enumeration.
constexpr std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_request: return "invalid_request";
    case ErrorCode::no_tokens: return "no_tokens";
    case ErrorCode::exhausted: return "exhausted";
    case ErrorCode::deadline_exceeded: return "deadline_exceeded";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::network: return "network";
    case ErrorCode::tls: return "tls";
    case ErrorCode::protocol: return "protocol";
    case ErrorCode::response_too_large: return "response_too_large";
    case ErrorCode::http_status: return "http_status";
    case ErrorCode::ledger: return "ledger";
  }
  return "unknown";
}

/// The one exception of the library. Copies never throw; `what()` never shows a secret. Safe to read from
/// several threads.
class Error : public std::runtime_error {
 public:
  /// As the library makes it; `message` must show no secret.
  Error(ErrorCode code, const std::string& message, std::shared_ptr<const ErrorDetails> details = {})
      : std::runtime_error(message), code_(code), details_(std::move(details)) {}

  /// What kind of failure it is.
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

  /// When another try makes sense, where that is known (`exhausted`).
  [[nodiscard]] std::optional<WallTime> retry_at() const noexcept;

  /// Every request that this call put on the wire, in order.
  [[nodiscard]] const std::vector<Attempt>& attempts() const noexcept;

  /// The last answer as the server sent it, unmasked; empty when there was none.
  [[nodiscard]] const std::optional<Response>& response() const noexcept;

 private:
  ErrorCode code_;
  std::shared_ptr<const ErrorDetails> details_;
};

}  // namespace tokenpool
