#pragma once
// The side door to nlohmann/json: bodies in and out, and the pool's snapshot as JSON. Nothing behind it
// depends on the JSON library.

#include <chrono>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tokenpool/base/error.hpp"
#include "tokenpool/pool/snapshot.hpp"
#include "tokenpool/quota/attempt.hpp"

namespace tokenpool {

namespace detail {

template <>
struct JsonLibrary<void> {
  static nlohmann::json parse(const Response& response) {
    nlohmann::json parsed = nlohmann::json::parse(response.body, nullptr, false);
    if (parsed.is_discarded()) {
      throw Error(ErrorCode::protocol,
                  "the body of the answer (status " + std::to_string(response.status) + ", " +
                      std::to_string(response.body.size()) + " bytes) is not JSON",
                  std::make_shared<ErrorDetails>(ErrorDetails{{}, response.attempts, response}));
    }
    return parsed;
  }

  static std::string text(const nlohmann::json& body) {
    try {
      return body.dump();
    } catch (const nlohmann::json::exception&) {
      throw Error(ErrorCode::invalid_request, "body has a text that is not UTF-8: convert it first");
    }
  }
};

template <class Snapshot>
nlohmann::json common_json(const Snapshot& one) {
  nlohmann::json json{{"id", one.id},
                      {"state", to_string(one.state)},
                      {"cause", one.cause},
                      {"in_flight", one.in_flight},
                      {"requests", one.requests},
                      {"successes", one.successes},
                      {"rate_limited", one.rate_limited},
                      {"failures", one.failures},
                      {"limits", nlohmann::json::array()}};
  if (one.rest) {
    json["rest_ms"] = one.rest->count();
  }
  for (const LimitUse& use : one.limits) {
    json["limits"].push_back({{"scope", use.scope},
                              {"unit", to_string(use.unit)},
                              {"amount", use.amount},
                              {"used", use.used},
                              {"window_ms", use.window.count()},
                              {"resets_ms", use.resets_in ? use.resets_in->count() : 0}});
  }
  return json;
}

/// What the server did not say is left out.
inline nlohmann::json server_json(const std::vector<LimitFact>& facts) {
  nlohmann::json list = nlohmann::json::array();
  for (const LimitFact& fact : facts) {
    nlohmann::json entry{{"name", fact.name}};
    if (fact.limit) {
      entry["limit"] = *fact.limit;
    }
    if (fact.remaining) {
      entry["remaining"] = *fact.remaining;
    }
    if (fact.reset_in) {
      entry["reset_ms"] = fact.reset_in->count();
    }
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace detail

/// The snapshot as JSON; times in milliseconds. Its shape only ever gains members within a major version.
inline nlohmann::json to_json(const PoolSnapshot& snapshot) {
  nlohmann::json json{{"version", 1},
                      {"tokens", nlohmann::json::array()},
                      {"accounts", nlohmann::json::array()},
                      {"egresses", nlohmann::json::array()}};
  for (const TokenSnapshot& token : snapshot.tokens) {
    nlohmann::json entry = detail::common_json(token);
    entry["account"] = token.account;
    entry["weight"] = token.weight;
    entry["priority"] = token.priority;
    entry["latency_ms"] = static_cast<double>(token.latency.count()) / 1000;
    entry["server"] = detail::server_json(token.server);
    json["tokens"].push_back(std::move(entry));
  }
  for (const AccountSnapshot& account : snapshot.accounts) {
    json["accounts"].push_back(detail::common_json(account));
  }
  for (const EgressSnapshot& egress : snapshot.egresses) {
    json["egresses"].push_back(detail::common_json(egress));
  }
  json["pool"] = {{"available", snapshot.pool.available},
                  {"resting", snapshot.pool.resting},
                  {"ejected", snapshot.pool.ejected},
                  {"disabled", snapshot.pool.disabled},
                  {"waiting", snapshot.pool.waiting}};
  return json;
}

}  // namespace tokenpool
