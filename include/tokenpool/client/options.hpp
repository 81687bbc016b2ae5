#pragma once
// Everything that can be said to a client before its first call, with defaults that suit a rate-limited JSON
// API.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/client/observer.hpp"
#include "tokenpool/http/answer.hpp"
#include "tokenpool/http/auth.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/url.hpp"
#include "tokenpool/pool/token.hpp"
#include "tokenpool/quota/ledger.hpp"
#include "tokenpool/quota/limit.hpp"
#include "tokenpool/quota/verdict.hpp"
#include "tokenpool/retry/attempts.hpp"
#include "tokenpool/transport/transport.hpp"
#include "tokenpool/version.hpp"

namespace tokenpool {

/// A user's own reading of an answer; nothing when it has no opinion.
using Classifier = std::function<std::optional<Classification>(const Answer&, WallTime now)>;

/// The options of a client. A plain value.
struct ClientOptions {
  std::string base_url{};        ///< "https://api.example.com/v1"; may stay empty if every token has its own
  std::vector<Token> tokens{};   ///< at least one
  Auth auth{};                   ///< default: Authorization: Bearer
  std::vector<Limit> limits{};   ///< what the server is known to allow; none: learn from its answers
  std::vector<Egress> egress{};  ///< none: the system's
  RetryOptions retry{};
  Timeouts timeouts{};
  TlsOptions tls{};
  HttpOptions http{};
  Observer observer{};
  std::vector<Classifier> classify{};  ///< asked in order before the built-in one
  std::shared_ptr<Ledger> ledger{};    ///< where counts are shared; null: in this client
  Headers headers{};                   ///< sent with every request
  std::string user_agent{std::string("tokenpool/") + version};
  std::function<std::optional<std::int64_t>(const Response&)>
      cost_of{};  ///< the true cost of an answered request
  std::size_t max_waiting =
      0;                 ///< calls that may wait for a token at once, more end in `exhausted`; 0: no bound
  bool explain = false;  ///< note in each Attempt which tokens were passed over and why
  std::optional<std::uint64_t> seed{};  ///< for runs that can be repeated; default: from the system
};

/// The tokens in the environment variable `name`, as parse_tokens reads them. Throws Error{invalid_request}
/// when it is not set or unfit.
inline std::vector<Token> tokens_from_env(const std::string& name) {
  const char* text = std::getenv(name.c_str());
  if (text == nullptr) {
    throw Error(ErrorCode::invalid_request, "the environment variable " + name +
                                                " is not set: set it to your tokens, for example " + name +
                                                "=sk-a,sk-b");
  }
  return parse_tokens(text, "the environment variable " + name);
}

namespace detail {

[[noreturn]] inline void unfit_option(const std::string& sentence) {
  throw Error(ErrorCode::invalid_request, sentence);
}

inline BaseUrl checked_base_url(const std::string& url, const std::string& field) {
  const std::optional<BaseUrl> parsed = parse_base_url(url);
  if (!parsed) {
    const bool may_hold_a_secret = url.find_first_of("@?") != std::string::npos;
    unfit_option(field + " is " + (may_hold_a_secret ? "not fit" : "\"" + url + "\"") +
                 ": give an http:// or https:// URL without user, query and fragment, "
                 "for example https://api.example.com/v1");
  }
  return *parsed;
}

/// RFC 9110 5.6.2 and 5.5: a name of token characters, a value without line ends and NUL.
inline bool is_fit(const HeaderField& field) noexcept {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  const bool name = !field.name.empty() && std::all_of(field.name.begin(), field.name.end(), [&](char c) {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
  return name && field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
}

/// Throws unless every field can go on the wire as it stands. The value is not shown: it may be a credential.
inline void check_headers(const Headers& headers, const std::string& field) {
  for (const HeaderField& header : headers) {
    if (!is_fit(header)) {
      unfit_option(field + " has a field \"" +
                   (header.name.find_first_of("\r\n") == std::string::npos ? header.name : "?") +
                   "\" with a line end or an unfit character: give a plain name and a value of one line");
    }
  }
}

inline void check_duration(std::chrono::milliseconds length, const std::string& field) {
  if (length < std::chrono::milliseconds::zero()) {
    unfit_option(field + " is " + std::to_string(length.count()) + " ms: give 0 for none, or a time above 0");
  }
}

inline void check_retry(const RetryOptions& retry) {
  if (retry.max_attempts == 0) {
    unfit_option("retry.max_attempts is 0: give at least 1, which means no repetition");
  }
  if (retry.backoff.first <= std::chrono::milliseconds::zero() || retry.backoff.max < retry.backoff.first) {
    unfit_option("retry.backoff is " + std::to_string(retry.backoff.first.count()) + " to " +
                 std::to_string(retry.backoff.max.count()) +
                 " ms: give a first wait above 0 and a longest not below it");
  }
  if (!(retry.budget.ratio >= 0 && retry.budget.ratio <= 1000) ||
      !(retry.budget.reserve >= 0 && retry.budget.reserve <= 1e9)) {
    unfit_option("retry.budget is out of range: give a ratio from 0 to 1000 and a reserve from 0 to 1e9");
  }
  check_duration(retry.max_wait, "retry.max_wait");
}

/// Throws Error{invalid_request} that names the first unfit field; tokens, limits and egresses are the pool's
/// to check.
inline void check_options(const ClientOptions& options) {
  const bool needs_base = std::any_of(options.tokens.begin(), options.tokens.end(),
                                      [](const Token& token) { return token.base_url.empty(); });
  if (!options.base_url.empty() || needs_base || options.tokens.empty()) {
    checked_base_url(options.base_url, "base_url");
  }
  for (std::size_t i = 0; i < options.tokens.size(); ++i) {
    const std::string field = "tokens[" + std::to_string(i) + "]";
    if (!options.tokens[i].base_url.empty()) {
      checked_base_url(options.tokens[i].base_url, field + ".base_url");
    }
    check_headers(options.tokens[i].headers, field + ".headers");
  }
  check_headers(options.headers, "headers");
  check_headers({{"User-Agent", options.user_agent}}, "user_agent");
  check_retry(options.retry);
  check_duration(options.timeouts.connect, "timeouts.connect");
  check_duration(options.timeouts.first_byte, "timeouts.first_byte");
  check_duration(options.timeouts.idle, "timeouts.idle");
  check_duration(options.timeouts.total, "timeouts.total");
  if (options.tls.min_version != "1.2" && options.tls.min_version != "1.3") {
    unfit_option("tls.min_version is \"" + options.tls.min_version + "\": give \"1.2\" or \"1.3\"");
  }
}

}  // namespace detail

}  // namespace tokenpool
