#pragma once
// The credentials of a pool and the addresses that requests leave from, as plain data, with the rules for
// what is fit.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/base/secret.hpp"
#include "tokenpool/base/sha256.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/url.hpp"
#include "tokenpool/quota/limit.hpp"

namespace tokenpool {

/// An API credential.
struct Token {
  Secret secret{};   ///< at least one character
  std::string id{};  ///< what logs, statistics and shared ledgers show; default: `token_id(secret)`
  std::string
      account{};  ///< tokens of one account share its quota and rest together; default: an account of its own
  double weight = 1;            ///< share in the weighted policies; above 0 and up to 1e12
  int priority = 0;             ///< group in Failover; lower serves first
  std::string base_url{};       ///< default: the client's
  Headers headers{};            ///< sent with this token besides the client's
  std::vector<Limit> limits{};  ///< besides the pool's; each counts this token alone
};

/// Where requests leave from. Proxies named by the environment are for clients without a list of egresses.
struct Egress {
  std::string id{};      ///< its own; default: `source`, `proxy` without its credentials, or "default"
  std::string source{};  ///< local address or device; default: the system's choice
  std::string proxy{};   ///< "[scheme://][user:password@]host[:port]": http, https, socks4(a), socks5(h);
                         ///< default: none
  std::vector<Limit> limits{};  ///< besides the pool's; each counts this egress alone
};

/// The id of a token that was given none: the first 16 hex digits of its SHA-256, the same in every process.
inline std::string token_id(const Secret& secret) { return sha256_hex(secret.reveal()).substr(0, 16); }

namespace detail {

/// The id that a token goes by.
inline std::string id_of(const Token& token) { return token.id.empty() ? token_id(token.secret) : token.id; }

/// `user:password@` cut out of a proxy URL.
inline std::string without_credentials(std::string proxy) {
  const std::size_t scheme = proxy.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t at = proxy.rfind('@');
  return at == std::string::npos || at < begin ? proxy : proxy.erase(begin, at + 1 - begin);
}

/// The id that an egress goes by.
inline std::string id_of(const Egress& egress) {
  if (!egress.id.empty()) {
    return egress.id;
  }
  if (!egress.source.empty()) {
    return egress.source;
  }
  return egress.proxy.empty() ? "default" : without_credentials(egress.proxy);
}

inline bool has_control_character(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

inline std::optional<std::string> problem_with_secret(const Secret& secret, const std::string& field) {
  if (secret.empty()) {
    return field + ".secret is empty: give the credential, or leave the token out";
  }
  if (has_control_character(secret.reveal())) {
    return field +
           ".secret has a control character such as a line end: give the bare credential, "
           "or pass a list through parse_tokens";
  }
  return std::nullopt;
}

/// What is wrong with a weight; shares beyond the largest would drown the others in rounding.
inline std::optional<std::string> problem_with_weight(double weight, const std::string& field) {
  if (weight > 0 && weight <= 1e12) {
    return std::nullopt;
  }
  return field + " is " + std::to_string(weight) +
         ": give a weight above 0 and up to 1e12, or disable the token";
}

}  // namespace detail

/// What is wrong with `token`, in one sentence that begins with `field` and shows no secret; nothing when it
/// is fit.
inline std::optional<std::string> problem_with(const Token& token, const std::string& field) {
  if (auto problem = detail::problem_with_secret(token.secret, field)) {
    return problem;
  }
  if (auto problem = detail::problem_with_weight(token.weight, field + ".weight")) {
    return problem;
  }
  if (detail::has_control_character(token.id) || detail::has_control_character(token.account)) {
    return field + ".id or .account has a control character: give printable text";
  }
  if (!token.base_url.empty() && !parse_base_url(token.base_url)) {
    return field + ".base_url is not fit: give an http:// or https:// URL without user, query and fragment";
  }
  for (std::size_t i = 0; i < token.limits.size(); ++i) {
    if (auto problem = problem_with(token.limits[i], field + ".limits[" + std::to_string(i) + "]")) {
      return problem;
    }
  }
  return std::nullopt;
}

/// Tokens from a list such as "sk-a, sk-b\nsk-c": commas, white space and line ends part them. Throws
/// Error{invalid_request} for an empty list, a token twice, a control character inside a token, or one that
/// begins with a quotation mark or a bracket; `name` is what the error calls the list.
inline std::vector<Token> parse_tokens(std::string_view text, const std::string& name = "the token list") {
  const auto refuse = [&](std::size_t number, const std::string& why) -> Error {
    return Error(ErrorCode::invalid_request, "token " + std::to_string(number) + " of " + name + " " + why);
  };
  std::vector<Token> tokens;
  std::unordered_set<std::string_view> seen;
  constexpr std::string_view separators = ", \t\r\n\v\f";
  for (std::size_t at = text.find_first_not_of(separators); at != std::string_view::npos;) {
    const std::size_t end = (std::min)(text.find_first_of(separators, at), text.size());
    const std::string_view secret = text.substr(at, end - at);
    if (detail::has_control_character(secret)) {
      throw refuse(tokens.size() + 1, "has a control character: give the bare credential");
    }
    if (constexpr std::string_view never_first = "\"'[{";
        never_first.find(secret.front()) != std::string_view::npos) {
      throw refuse(tokens.size() + 1,
                   "begins with a quotation mark or a bracket: give bare credentials, parted by commas");
    }
    if (!seen.insert(secret).second) {
      throw refuse(tokens.size() + 1, "is there twice: give each token once");
    }
    tokens.push_back({.secret = secret});
    at = text.find_first_not_of(separators, end);
  }
  if (tokens.empty()) {
    throw Error(ErrorCode::invalid_request,
                name + " is empty: give at least one token, for example \"sk-a,sk-b\"");
  }
  return tokens;
}

}  // namespace tokenpool
