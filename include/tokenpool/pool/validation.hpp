#pragma once
// What a pool refuses to begin with, each in one sentence that names the field and the remedy.

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/pool/roster.hpp"
#include "tokenpool/pool/state.hpp"

namespace tokenpool::detail {

[[noreturn]] inline void refuse_input(const std::string& sentence) {
  throw Error(ErrorCode::invalid_request, sentence);
}

/// Throws Error{invalid_request} unless every token is fit and none is there twice.
inline void check_tokens(const std::vector<Token>& tokens) {
  std::vector<std::string> ids;
  ids.reserve(tokens.size());
  std::unordered_set<std::string_view> seen_ids;
  std::unordered_set<std::string_view> secrets;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string field = "tokens[" + std::to_string(i) + "]";
    if (auto problem = problem_with(tokens[i], field)) {
      refuse_input(*problem);
    }
    if (!secrets.insert(tokens[i].secret.reveal()).second) {
      refuse_input(field + " is a duplicate of an earlier token: give each token once");
    }
    if (!seen_ids.insert(ids.emplace_back(id_of(tokens[i]))).second) {
      refuse_input(field + ".id is " + tokens[i].id +
                   ", as that of an earlier token: give each token its own id");
    }
  }
}

/// Throws Error{invalid_request} if another token than `allowed` has this secret, which `id` is to get.
inline void check_secret(const Roster& roster, std::string_view id, const Secret& secret,
                         const Slot* allowed = nullptr) {
  if (const Slot* owner = roster.find(secret); owner != nullptr && owner != allowed) {
    refuse_input("token " + std::string(id) + " is given the secret of token " + std::string(owner->face.id) +
                 ": give each token its own");
  }
}

/// Throws Error{invalid_request} unless `token` is fit and not yet in.
inline void check_new(Roster& roster, const Token& token) {
  if (auto problem = problem_with(token, "token")) {
    refuse_input(*problem);
  }
  const std::string id = id_of(token);
  if (roster.find(id) != nullptr) {
    refuse_input("token " + id + " is already in the pool: give each token once");
  }
  check_secret(roster, id, token.secret);
}

inline void check_limits(const std::vector<Limit>& limits, const std::string& field) {
  for (std::size_t i = 0; i < limits.size(); ++i) {
    if (auto problem = problem_with(limits[i], field + "[" + std::to_string(i) + "]")) {
      refuse_input(*problem);
    }
  }
}

/// Throws Error{invalid_request} unless every egress has an id of its own, by which counts, snapshots and
/// other processes know it, and fit limits.
inline void check_egresses(const std::vector<Egress>& egresses) {
  for (std::size_t i = 0; i < egresses.size(); ++i) {
    const std::string field = "egress[" + std::to_string(i) + "]";
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (id_of(egresses[i]) == id_of(egresses[earlier])) {
        refuse_input(field + ".id is " + id_of(egresses[i]) + ", as that of egress[" +
                     std::to_string(earlier) + "]: give each egress its own id");
      }
    }
    check_limits(egresses[i].limits, field + ".limits");
  }
}

/// `options` as they are, or Error{invalid_request}.
inline PoolOptions& validated(PoolOptions& options) {
  if (options.tokens.empty()) {
    refuse_input("tokens is empty: give at least one token, for example by parse_tokens or tokens_from_env");
  }
  check_tokens(options.tokens);
  check_limits(options.limits, "limits");
  check_egresses(options.egress);
  if (options.max_rest <= std::chrono::milliseconds::zero()) {
    refuse_input("retry.max_rest is " + std::to_string(options.max_rest.count()) +
                 " ms: give a time above 0, for example 24h");
  }
  return options;
}

}  // namespace tokenpool::detail
