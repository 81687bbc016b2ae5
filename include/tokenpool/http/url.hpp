#pragma once
// URLs as far as a client needs them: a base URL taken apart strictly, a path joined to it, a query encoded.
// Strict, because what two parsers read differently is how a credential ends up on another host.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tokenpool/http/headers.hpp"

namespace tokenpool {

/// An http or https URL without user, query and fragment.
struct BaseUrl {
  /// Scheme, host in lower case and port if it is not the scheme's: "https://host:8443".
  std::string origin{};
  std::string path{};  ///< without a slash at its end; often empty
};

namespace detail {

inline bool is_visible_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

/// Letters, digits, dots, hyphens and underscores, or an IPv6 address in brackets.
inline bool is_host(std::string_view host) noexcept {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string_view inside = bracketed ? host.substr(1, host.size() - 2) : host;
  return !inside.empty() && std::all_of(inside.begin(), inside.end(), [&](char c) {
    const char lower = ascii_lower(c);
    const bool hex_or_name = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '.';
    return hex_or_name || (bracketed ? c == ':' : c == '-' || c == '_');
  });
}

/// A port from 1 to 65535 without leading zeros: two ways to write one port would be two origins.
inline bool is_port(std::string_view port) noexcept {
  const bool digits = !port.empty() && port.size() <= 5 && port.front() != '0' &&
                      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && (port.size() < 5 || port <= "65535");
}

/// Whether `path` begins with a scheme and an authority (RFC 3986 3.1); "://" further on may be part of a
/// query.
inline bool is_absolute_url(std::string_view path) noexcept {
  const std::string_view scheme = path.substr(0, path.find("://"));
  return scheme.size() < path.size() && !scheme.empty() &&
         std::all_of(scheme.begin(), scheme.end(), [](char c) {
           const char lower = ascii_lower(c);
           return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
                  c == '.';
         });
}

inline std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), ascii_lower);
  return result;
}

}  // namespace detail

/// Takes `text` apart; nothing if it is anything but a plain http or https URL: user information, query and
/// fragment are refused.
inline std::optional<BaseUrl> parse_base_url(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || !detail::is_visible_ascii(text)) {
    return std::nullopt;
  }
  const std::string scheme = detail::lower(text.substr(0, colon));
  if ((scheme != "http" && scheme != "https") || text.find_first_of("?#\\") != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = text.substr(colon + 3);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  const std::size_t port_colon =
      authority.find(':', authority.rfind(']') == std::string_view::npos ? 0 : authority.rfind(']'));
  const std::string_view host = authority.substr(0, port_colon);
  std::string_view port = port_colon == std::string_view::npos ? "" : authority.substr(port_colon + 1);
  if (!detail::is_host(host) || (port_colon != std::string_view::npos && !detail::is_port(port))) {
    return std::nullopt;
  }
  if (port == (scheme == "http" ? "80" : "443")) {
    port = {};
  }
  std::string path(rest.substr(authority.size()));
  path.erase(path.find_last_not_of('/') + 1);
  const std::string host_and_port = detail::lower(host) + (port.empty() ? "" : ":" + std::string(port));
  return BaseUrl{scheme + "://" + host_and_port, std::move(path)};
}

/// `text` with everything but unreserved characters percent-encoded (RFC 3986 2.3).
inline std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const char lower = detail::ascii_lower(c);
    if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
        std::string_view("-._~").find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += "0123456789ABCDEF"[byte >> 4U];
      encoded += "0123456789ABCDEF"[byte & 0xfU];
    }
  }
  return encoded;
}

/// `url` with `name=value` added to its query.
inline void add_query(std::string& url, std::string_view name, std::string_view value) {
  url += url.find('?') == std::string::npos ? '?' : '&';
  url += percent_encoded(name) + '=' + percent_encoded(value);
}

/// What is wrong with a request's path; nothing when it is fit. Control characters, spaces and
/// fragments are refused.
inline std::optional<std::string> problem_with_path(std::string_view path) {
  if (!detail::is_visible_ascii(path)) {
    return "path has a space, a control character or a byte beyond ASCII: percent-encode it";
  }
  if (std::any_of(path.begin(), path.end(), [](char c) { return c == '#' || c == '\\'; })) {
    return "path has a '#' or a backslash: percent-encode it";
  }
  return std::nullopt;
}

/// The URL of `path` under `base`: joined to its path, or `path` itself if it is a URL of the same origin.
/// Nothing for another origin: a credential goes nowhere else. `path` is fit by problem_with_path().
inline std::optional<std::string> resolve(const BaseUrl& base, std::string_view path) {
  if (!detail::is_absolute_url(path)) {
    const bool slash = path.empty() || path.front() == '/' || path.front() == '?';
    std::string url;
    url.reserve(base.origin.size() + base.path.size() + 1 + path.size());
    url.append(base.origin).append(base.path).append(slash ? "" : "/").append(path);
    return url;
  }
  const std::string_view bare = path.substr(0, path.find('?'));
  const std::optional<BaseUrl> target = parse_base_url(bare);
  if (!target || target->origin != base.origin) {
    return std::nullopt;
  }
  const std::size_t authority = path.find("://") + 3;
  return base.origin + std::string(path.substr((std::min)(path.find_first_of("/?", authority), path.size())));
}

}  // namespace tokenpool
