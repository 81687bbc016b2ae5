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
  if (request.method.empty() || !is_fit({request.method, ""})) {
    return "method is \"" + (is_visible_ascii(request.method) ? request.method : "?") +
           "\": give an HTTP method such as GET";
  }
  if (auto problem = problem_with_path(request.path)) {
    return problem;
  }
  for (const HeaderField& field : request.headers) {
    if (!is_fit(field)) {
      return "headers has a field with a line end or an unfit character: give a plain name and a value of "
             "one line";
    }
  }
  if (!is_fit({"Idempotency-Key", request.idempotency_key})) {
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

/// The headers that come before the credential: the request's win over the token's, those over the client's.
inline Headers merged_headers(const ClientOptions& options, const Credential& credential,
                              const Request& request) {
  Headers headers = request.headers;
  const auto add_unless_there = [&](const std::string& name, const std::string& value) {
    if (!headers.get(name)) {
      headers.add(name, value);
    }
  };
  for (const Headers* layer : {&credential.headers, &options.headers}) {
    for (const HeaderField& field : *layer) {
      add_unless_there(field.name, field.value);
    }
  }
  add_unless_there("Accept", "application/json");
  if (!request.body.empty()) {
    add_unless_there("Content-Type", "application/json");
  }
  add_unless_there("User-Agent", options.user_agent);
  if (!request.idempotency_key.empty()) {
    add_unless_there("Idempotency-Key", request.idempotency_key);
  }
  return headers;
}

/// Throws Error{invalid_request} when the path is a URL of another origin than the token's.
inline Wire wire_for(const ClientOptions& options, const Credential& credential, const Request& request) {
  const std::string& base = credential.base_url.empty() ? options.base_url : credential.base_url;
  std::optional<std::string> url = resolve(checked_base_url(base, "base_url"), request.path);
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
  // libcurl would hold back bodies over a megabyte until the server answers "100 Continue", which few APIs
  // do.
  headers.add("Expect", "");
  return {std::move(*url), std::move(headers)};
}

}  // namespace tokenpool::detail
