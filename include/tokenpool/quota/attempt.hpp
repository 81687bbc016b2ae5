#pragma once
// The trail of a call as plain data: what was asked of whom, what it meant, and what the caller gets in the
// end.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/base/time.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/quota/verdict.hpp"

namespace tokenpool {

/// A token that was passed over for an attempt, and why (`ClientOptions::explain`).
struct Skipped {
  std::string token_id{};  ///< which token
  std::string reason{};    ///< in a few words
};

/// One request on the wire.
struct Attempt {
  std::string token_id{};                ///< which token was used
  std::string egress_id{};               ///< by which egress
  int status{};                          ///< 0 when no answer came
  Verdict verdict{Verdict::success};     ///< what the answer, or its absence, meant
  std::string reason{};                  ///< a few words on the verdict, no secret
  WallTime started{};                    ///< when it was sent
  std::chrono::microseconds duration{};  ///< on the wire
  std::chrono::microseconds waited{};    ///< before it: for a token and for back-off
  bool resent{};                         ///< libcurl itself sent once more on a fresh connection
  std::vector<Skipped> skipped{};        ///< with ClientOptions::explain
};

/// Where the time of the last attempt went, each counted from its start; zero where a phase did not take
/// place.
struct Timing {
  std::chrono::microseconds connected{};   ///< name, connection, proxy and TLS; zero on a kept connection
  std::chrono::microseconds first_byte{};  ///< the first byte of the answer
  std::chrono::microseconds total{};       ///< its end
};

namespace detail {

/// The bridge to the JSON library, built by `json/`: without that header `Response::json()` does not compile,
/// and a program that never asks for JSON never pays for it.
template <class>
struct JsonLibrary;

}  // namespace detail

/// The server's answer, with what it took to get it. A plain value.
struct Response {
  int status{};             ///< of the last answer
  Headers headers{};        ///< as received
  std::string body{};       ///< of a stream the last 64 KiB of its text; empty where Request::on_body took it
  std::string token_id{};   ///< the token that was accepted
  std::string egress_id{};  ///< the egress it left by
  std::vector<Attempt> attempts{};  ///< the trail, the last one included
  Timing timing{};                  ///< of the last attempt

  /// Whether the status is 2xx.
  [[nodiscard]] bool ok() const noexcept { return status >= 200 && status < 300; }

  /// The body as JSON (a `nlohmann::json`; include <tokenpool/tokenpool.hpp>). Throws Error{protocol} when it
  /// is none.
  template <class Library = void>
  [[nodiscard]] auto json() const {
    return detail::JsonLibrary<Library>::parse(*this);
  }

  /// @{
  /// This response if it is ok(); else throws Error{http_status}.
  const Response& or_throw() const&;
  Response or_throw() &&;
  /// @}
};

/// What an Error knows beyond its code and text.
struct ErrorDetails {
  std::optional<WallTime> retry_at{};  ///< Error::retry_at()
  std::vector<Attempt> attempts{};     ///< Error::attempts()
  std::optional<Response> response{};  ///< Error::response()
};

inline std::optional<WallTime> Error::retry_at() const noexcept {
  return details_ ? details_->retry_at : std::nullopt;
}

inline const std::vector<Attempt>& Error::attempts() const noexcept {
  static const std::vector<Attempt> none;
  return details_ ? details_->attempts : none;
}

inline const std::optional<Response>& Error::response() const noexcept {
  static const std::optional<Response> none;
  return details_ ? details_->response : none;
}

inline const Response& Response::or_throw() const& {
  if (!ok()) {
    throw Error(ErrorCode::http_status, "the server answered " + std::to_string(status),
                std::make_shared<ErrorDetails>(ErrorDetails{{}, attempts, *this}));
  }
  return *this;
}

inline Response Response::or_throw() && {
  static_cast<void>(static_cast<const Response&>(*this).or_throw());
  return std::move(*this);
}

}  // namespace tokenpool
