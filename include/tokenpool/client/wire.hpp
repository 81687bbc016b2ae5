#pragma once
// From a caller's request and a lease to what goes over the wire: the URL under the token's own base, all
// headers in their order of precedence, and the credential, put in last and nowhere else.

#include <optional>
#include <string>
#include <string_view>

#include "tokenpool/client/options.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/http/url.hpp"
#include "tokenpool/pool/slot.hpp"

namespace tokenpool::detail {

/// URL and headers of one attempt.
struct Wire {
  std::string url;
  Headers headers;
};

/// What is wrong with `request`, in one sentence; nothing when it is fit.
inline std::optional<std::string> problem_with(const Request& request) {
  if (!is_fit_name(request.method)) {
    return "method is \"" + (is_visible_ascii(request.method) ? request.method : "?") +
           "\": give an HTTP method such as GET";
  }
  if (auto problem = problem_with_path(request.path)) {
    return problem;
  }
  if (auto problem = problem_with(request.headers, "headers")) {
    return problem;
  }
  if (!is_fit_value(request.idempotency_key)) {
    return "idempotency_key has a line end: give one line of text";
  }
  if (request.cost < 0) {
    return "cost is " + std::to_string(request.cost) + ": give an estimate of at least 0";
  }
  if (request.deadline && request.deadline->count() < 0) {
    return "deadline is " + std::to_string(request.deadline->count()) + " ms: give a time from now on";
  }
  return std::nullopt;
}

/// Adds the fields of `layer` whose names no layer above has; repeated ones of one layer stay together.
inline void add_layer(Headers& headers, const Headers& layer) {
  const Headers above = layer.empty() ? Headers() : headers;
  for (const HeaderField& field : layer) {
    if (!above.get(field.name)) {
      headers.add(field.name, field.value);
    }
  }
}

/// The headers that come before the credential: the request's win over the token's, those over the client's.
inline Headers merged_headers(const ClientOptions& options, const Credential& credential,
                              const Request& request) {
  Headers headers = request.headers;
  add_layer(headers, credential.headers);
  add_layer(headers, options.headers);
  const auto add_unless_there = [&](const char* name, const std::string& value) {
    if (!value.empty() && !headers.get(name)) {
      headers.add(name, value);
    }
  };
  add_unless_there("Accept", "application/json");
  add_unless_there("Content-Type", request.body.empty() ? "" : "application/json");
  add_unless_there("User-Agent", options.user_agent);
  add_unless_there("Idempotency-Key", request.idempotency_key);
  return headers;
}

/// The base URL under which `credential` is used. Tokens may come while the client is at work, so what the
/// client checks of its first ones is checked here again.
inline BaseUrl base_for(const std::optional<BaseUrl>& common, const Credential& credential) {
  const std::string field = "token " + credential.token_id;
  check_headers(credential.headers, field + ": headers");
  return common && credential.base_url.empty() ? *common
                                               : checked_base_url(credential.base_url, field + ": base_url");
}

/// `common` is options.base_url taken apart, where there is one. Throws Error{invalid_request} when the path
/// is a URL of another origin than the token's.
inline Wire wire_for(const ClientOptions& options, const std::optional<BaseUrl>& common,
                     const Credential& credential, const Request& request) {
  std::optional<std::string> url = resolve(base_for(common, credential), request.path);
  if (!url) {
    unfit_option(
        "path is a URL of another origin than the token's base_url: a credential goes nowhere else; "
        "give a path, or a token with that base_url");
  }
  for (const auto& [name, value] : request.query) {
    add_query(*url, name, value);
  }
  Headers headers = merged_headers(options, credential, request);
  options.auth.apply(credential.secret.reveal(), headers, *url);
  return {std::move(*url), std::move(headers)};
}

}  // namespace tokenpool::detail
