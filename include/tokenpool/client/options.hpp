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
#include <string_view>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/client/ledger_options.hpp"
#include "tokenpool/client/observer.hpp"
#include "tokenpool/http/auth.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/url.hpp"
#include "tokenpool/pool/token.hpp"
#include "tokenpool/quota/ledger.hpp"
#include "tokenpool/quota/limit.hpp"
#include "tokenpool/retry/attempts.hpp"
#include "tokenpool/retry/classify.hpp"
#include "tokenpool/transport/transport.hpp"
#include "tokenpool/version.hpp"

namespace tokenpool {

/// The options of a client. A plain value.
struct ClientOptions {
  std::string base_url{};        ///< "https://api.example.com/v1"; may stay empty if every token has its own
  std::vector<Token> tokens{};   ///< at least one
  Auth auth{};                   ///< default: Authorization: Bearer
  std::vector<Limit> limits{};   ///< what the server is known to allow; none: learn from its answers
  std::vector<Egress> egress{};  ///< none: the system's, with the proxies that the environment names
  RetryOptions retry{};          ///< how hard a call tries
  Timeouts timeouts{};           ///< time limits of calls and attempts
  TlsOptions tls{};              ///< how the server proves who it is
  HttpOptions http{};            ///< maxima and details of HTTP
  Observer observer{};           ///< who hears what happens
  std::vector<Classifier> classify{};  ///< asked in order before the built-in one
  std::shared_ptr<Ledger> ledger{};    ///< where counts are shared; null: in this client
  LedgerOptions ledger_options{};      ///< how to behave towards it
  Headers headers{};                   ///< sent with every request
  std::string user_agent{std::string("tokenpool/") + version};  ///< empty: none is sent
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

/// Throws unless `url` is a base URL; one that may hold a credential is not shown.
inline BaseUrl checked_base_url(const std::string& url, const std::string& field) {
  const std::optional<BaseUrl> parsed = parse_base_url(url);
  if (!parsed) {
    const bool showable = is_visible_ascii(url) && url.find_first_of("@?") == std::string::npos;
    unfit_option(field + " is " + (showable ? "\"" + url + "\"" : "not fit") +
                 ": give an http:// or https:// URL without user, query and fragment, "
                 "for example https://api.example.com/v1");
  }
  return *parsed;
}

/// The name of a method or header field (RFC 9110 5.6.2).
inline bool is_fit_name(std::string_view name) noexcept {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

/// A value without line ends and NUL (RFC 9110 5.5).
inline bool is_fit_value(std::string_view value) noexcept {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

/// The framing of a message is the transport's: another length than the body's would be read as a second
/// request.
inline bool is_framing(std::string_view name) noexcept {
  return equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding");
}

/// What is wrong with `headers`, in one sentence that begins with `field`; nothing when each field can go on
/// the wire as it stands. Values are not shown: they may be credentials.
inline std::optional<std::string> problem_with(const Headers& headers, std::string_view field) {
  for (const HeaderField& header : headers) {
    if (!is_fit_name(header.name)) {
      return std::string(field) + " has a field whose name is \"" +
             (is_visible_ascii(header.name) ? header.name : "?") +
             "\": give a name of letters, digits and hyphens";
    }
    if (!is_fit_value(header.value)) {
      return std::string(field) + " has a line end in \"" + header.name + "\": give a value of one line";
    }
    if (is_framing(header.name)) {
      return std::string(field) + " has \"" + header.name + "\": leave it out, it follows from the body";
    }
  }
  return std::nullopt;
}

inline void check_headers(const Headers& headers, const std::string& field) {
  if (const auto problem = problem_with(headers, field)) {
    unfit_option(*problem);
  }
}

inline void check_auth(const Auth& auth) {
  if (auth.in_query() ? auth.name().empty() : !is_fit_name(auth.name()) || is_framing(auth.name())) {
    unfit_option("auth has the name \"" + (is_visible_ascii(auth.name()) ? auth.name() : "?") +
                 "\": give the name of a " + (auth.in_query() ? "query parameter" : "header field") +
                 ", for example " + (auth.in_query() ? "key" : "x-api-key"));
  }
}

inline void check_duration(std::chrono::milliseconds length, const std::string& field) {
  if (length < std::chrono::milliseconds::zero()) {
    unfit_option(field + " is " + std::to_string(length.count()) + " ms: give 0 for none, or a time above 0");
  }
}

/// Whether `proxy` is `[scheme://][user:password@]host[:port]` as libcurl reads it. Strict as base URLs are.
inline bool is_proxy(std::string_view proxy) {
  constexpr std::string_view known = " http https socks4 socks4a socks5 socks5h ";
  const std::size_t colon = proxy.find("://");
  const bool bare = colon == std::string_view::npos;
  const std::string scheme(bare ? "http" : proxy.substr(0, colon));
  const std::string_view rest = bare ? proxy : proxy.substr(colon + 3);
  const std::size_t host = rest.rfind('@') + 1;  // 0 where there is none
  const std::optional<BaseUrl> target = parse_base_url("http://" + std::string(rest.substr(host)));
  return is_visible_ascii(proxy) && known.find(' ' + scheme + ' ') != std::string_view::npos &&
         rest.substr(0, host).find_first_of("/?#\\") == std::string_view::npos &&
         rest.find('@') + 1 == host && target && target->path.empty();
}

/// The proxy is not shown: its URL may hold a password.
inline void check_egress(const Egress& egress, const std::string& field) {
  if (!egress.proxy.empty() && !is_proxy(egress.proxy)) {
    unfit_option(
        field +
        ".proxy is not fit: give http, https, socks4, socks4a, socks5 or socks5h, a host and a port, "
        "for example socks5h://user:password@127.0.0.1:1080, with special characters of user and "
        "password percent-encoded");
  }
  if (has_control_character(egress.source) || has_control_character(egress.id)) {
    unfit_option(field + ".source or .id has a control character: give an address or the name of a device");
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

inline void check_ledger(const ClientOptions& options) {
  const LedgerOptions& ledger = options.ledger_options;
  if (ledger.on_unavailable == OnUnavailable::local && ledger.processes == 0) {
    unfit_option(
        "ledger_options.processes is 0: give the number of processes that share the ledger, since each of "
        "them goes on within that part of the limits");
  }
  if (options.ledger && options.timeouts.total.count() == 0) {
    unfit_option(
        "timeouts.total is 0: with a ledger give a bound, for example 600s, since the leases of a process "
        "that died count until then");
  }
  check_duration(ledger.republish_within, "ledger_options.republish_within");
  check_duration(ledger.report_within, "ledger_options.report_within");
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
  check_auth(options.auth);
  check_headers(options.headers, "headers");
  if (!is_fit_value(options.user_agent)) {
    unfit_option("user_agent has a line end: give one line of text");
  }
  for (std::size_t i = 0; i < options.egress.size(); ++i) {
    check_egress(options.egress[i], "egress[" + std::to_string(i) + "]");
  }
  check_retry(options.retry);
  check_duration(options.timeouts.connect, "timeouts.connect");
  check_duration(options.timeouts.first_byte, "timeouts.first_byte");
  check_duration(options.timeouts.idle, "timeouts.idle");
  check_duration(options.timeouts.total, "timeouts.total");
  check_ledger(options);
  if (options.http.max_header_bytes == 0) {
    unfit_option(
        "http.max_header_bytes is 0: give room for the header block of an answer, for example 262144");
  }
  if (options.tls.min_version != "1.2" && options.tls.min_version != "1.3") {
    unfit_option("tls.min_version is \"" + options.tls.min_version + "\": give \"1.2\" or \"1.3\"");
  }
}

}  // namespace detail

}  // namespace tokenpool
