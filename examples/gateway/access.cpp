#include "access.hpp"

#include <algorithm>
#include <string>

#include "page.hpp"
#include "tokenpool/http/headers.hpp"

namespace gateway {
namespace {

using tokenpool::equal_ignoring_case;

bool is_known(std::string_view word, const AccessTokens& tokens) {
  const tokenpool::Secret said(word);
  bool known = false;
  for (const tokenpool::Secret& token : tokens)
    known = known | (token == said);  // every one, whichever it is
  return known;
}

std::string_view bearer_of(const Inbound& head) {
  constexpr std::string_view scheme = "bearer ";
  const std::string_view field = head.headers.get("Authorization").value_or("");
  const bool fits =
      field.size() > scheme.size() && equal_ignoring_case(field.substr(0, scheme.size()), scheme);
  return fits ? field.substr(scheme.size()) : std::string_view();
}

bool is_let_in(const Inbound& head, Area area, const AccessTokens& tokens) {
  return is_known(bearer_of(head), tokens) ||
         (area == Area::proxied && is_known(head.headers.get("X-Api-Key").value_or(""), tokens));
}

/// Whether `origin` is a page of the host that the request names.
bool is_own_origin(std::string_view origin, std::string_view host) {
  const std::size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && equal_ignoring_case(origin.substr(scheme + 3), host);
}

bool is_json(const Inbound& head) {
  const std::string_view type = head.headers.get("Content-Type").value_or("");
  const std::string_view name = type.substr(0, type.find(';'));
  return equal_ignoring_case(name.substr(0, name.find_last_not_of(" \t") + 1), "application/json");
}

bool changes_nothing(std::string_view method) { return method == "GET" || method == "HEAD"; }

}  // namespace

Area area_of(std::string_view path) noexcept {
  if (path == "/healthz" || page_file(path) != nullptr) return Area::open;
  return path == "/metrics" || path.starts_with("/tokenpool/") ? Area::managed : Area::proxied;
}

bool is_loopback(std::string_view host) noexcept {
  const std::size_t bracket = host.find(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string_view name = host.substr(0, colon);
  return equal_ignoring_case(name, "localhost") || name == "127.0.0.1" || name == "[::1]";
}

std::optional<Reply> objection(const Inbound& head, const AccessTokens& tokens) {
  const Area area = area_of(head.path());
  const std::string_view host = head.headers.get("Host").value_or("");
  if (tokens.empty() && !is_loopback(host)) {
    return error_reply(421, "without access tokens only localhost, 127.0.0.1 and [::1] are served as Host",
                       "invalid_request_error", "host_not_allowed");
  }
  const auto origin = head.headers.get("Origin");
  const bool guarded = area == Area::managed || tokens.empty();
  if (guarded && origin && !is_own_origin(*origin, host)) {
    return error_reply(403, "a page of another origin may not ask this", "invalid_request_error",
                       "origin_not_allowed");
  }
  if (area != Area::open && !tokens.empty() && !is_let_in(head, area, tokens)) {
    Reply reply = error_reply(401, "give one of this gateway's access tokens as Authorization: Bearer",
                              "authentication_error", "invalid_api_key");
    reply.headers.add("WWW-Authenticate", "Bearer");
    return reply;
  }
  if (area == Area::managed && !changes_nothing(head.method) && !is_json(head)) {
    return error_reply(415, "the Content-Type of a request that changes something has to be application/json",
                       "invalid_request_error", "json_required");
  }
  return std::nullopt;
}

}  // namespace gateway
