#pragma once
// From a caller's request and a lease to what goes over the wire: the URL under the token's own base, all
// headers in their order of precedence, and the credential, put in last and nowhere else.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/client/options.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/http/url.hpp"
#include "tokenpool/pool/slot.hpp"

namespace tokenpool::detail {

/// URL and headers of one attempt; the request, the token and the client, whose texts they are, outlive it.
struct Wire {
  std::string url;
  HeaderViews headers;
  std::vector<char> credential;  ///< the value of the field that is made anew
};

/// What is wrong with the form that `body` may be.
inline std::optional<std::string> problem_with(const Body& body) {
  if (body.parts() != nullptr) {
    for (const Part& part : *body.parts()) {
      if (!is_fit_value(part.name) || !is_fit_value(part.filename) || !is_fit_value(part.content_type) ||
          !is_fit_value(part.file)) {
        return "body has a part with a line end in its name, filename, file or content_type: give one line";
      }
    }
  }
  return std::nullopt;
}

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
  if (auto problem = problem_with(request.body)) {
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
inline void add_layer(HeaderViews& headers, const Headers& layer) {
  const std::size_t above = headers.size();
  for (const HeaderField& field : layer) {
    if (!headers.has(field.name, above)) {
      headers.add(field.name, field.value);
    }
  }
}

/// The headers that come before the credential: the request's win over the token's, those over the client's.
inline HeaderViews merged_headers(const ClientOptions& options, const Credential& credential,
                                  const Request& request, std::string_view accept) {
  constexpr std::size_t our_own = 5;
  HeaderViews headers;
  headers.reserve(request.headers.size() + credential.headers.size() + options.headers.size() + our_own);
  add_layer(headers, request.headers);
  add_layer(headers, credential.headers);
  add_layer(headers, options.headers);
  const auto add_unless_there = [&](const char* name, std::string_view value) {
    if (!value.empty() && !headers.has(name)) {
      headers.add(name, value);
    }
  };
  add_unless_there("Accept", accept);
  add_unless_there("Content-Type",
                   request.body.empty() || request.body.parts() != nullptr ? "" : "application/json");
  add_unless_there("User-Agent", options.user_agent);
  add_unless_there("Idempotency-Key", request.idempotency_key);
  return headers;
}

/// The URL of `path` for `credential`; nothing for another origin. Tokens may come while the client is at
/// work, so what the client checks of its first ones is checked here again.
inline std::optional<std::string> url_for(const std::optional<BaseUrl>& common, const Credential& credential,
                                          const std::string& path) {
  if (const auto problem = problem_with(credential.headers, "headers")) {
    unfit_option("token " + credential.token_id + ": " + *problem);
  }
  return common && credential.base_url.empty()
             ? resolve(*common, path)
             : resolve(checked_base_url(credential.base_url, "token " + credential.token_id + ": base_url"),
                       path);
}

/// `common` is options.base_url taken apart, where there is one; `accept` is for requests that name none.
/// Throws Error{invalid_request} when the path is a URL of another origin than the token's.
inline Wire wire_for(const ClientOptions& options, const std::optional<BaseUrl>& common,
                     const Credential& credential, const Request& request,
                     std::string_view accept = "application/json") {
  std::optional<std::string> url = url_for(common, credential, request.path);
  if (!url) {
    unfit_option(
        "path is a URL of another origin than the token's base_url: a credential goes nowhere else; "
        "give a path, or a token with that base_url");
  }
  for (const auto& [name, value] : request.query) {
    add_query(*url, name, value);
  }
  Wire wire{*std::move(url), merged_headers(options, credential, request, accept),
            options.auth.field_value(credential.secret.reveal())};
  if (options.auth.in_query()) {
    add_query(wire.url, options.auth.name(), credential.secret.reveal());
  } else {
    wire.headers.remove(options.auth.name());
    wire.headers.add(options.auth.name(), {wire.credential.data(), wire.credential.size()});
  }
  return wire;
}

}  // namespace tokenpool::detail
