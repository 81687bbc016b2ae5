#pragma once
// The side door to nlohmann/json: bodies in and out, and the pool's snapshot as JSON. Nothing behind it
// depends on the JSON library.

#include <chrono>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tokenpool/base/error.hpp"
#include "tokenpool/base/utf8.hpp"
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

inline double in_milliseconds(std::chrono::microseconds length) {
  return std::chrono::duration<double, std::milli>(length).count();
}

/// What tokens, accounts and egresses have alike. What there is none of is left out.
inline nlohmann::json usage_json(const UsageSnapshot& one) {
  nlohmann::json json{{"id", as_utf8(one.id)},
                      {"state", to_string(one.state)},
                      {"cause", as_utf8(one.cause)},
                      {"in_flight", one.in_flight},
                      {"requests", one.requests},
                      {"successes", one.successes},
                      {"rate_limited", one.rate_limited},
                      {"failures", one.failures},
                      {"limits", nlohmann::json::array()}};
  if (one.rest) {
    json["rest_ms"] = one.rest->count();
  }
  if (one.latency.count() != 0) {
    json["latency_ms"] = in_milliseconds(one.latency);
    json["p50_ms"] = in_milliseconds(one.p50);
    json["p95_ms"] = in_milliseconds(one.p95);
    json["p99_ms"] = in_milliseconds(one.p99);
  }
  if (one.last_error) {
    nlohmann::json& error = json["last_error"] = {{"verdict", to_string(one.last_error->verdict)},
                                                  {"reason", as_utf8(one.last_error->reason)},
                                                  {"age_ms", one.last_error->age.count()}};
    if (one.last_error->status != 0) {
      error["status"] = one.last_error->status;
    }
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

inline nlohmann::json buckets_json(const std::vector<BucketSnapshot>& buckets) {
  nlohmann::json list = nlohmann::json::array();
  for (const BucketSnapshot& bucket : buckets) {
    nlohmann::json& entry =
        list.emplace_back(nlohmann::json{{"id", as_utf8(bucket.id)}, {"cause", as_utf8(bucket.cause)}});
    if (bucket.rest) {
      entry["rest_ms"] = bucket.rest->count();
    }
  }
  return list;
}

/// What the server did not say is left out.
inline nlohmann::json server_json(const std::vector<LimitFact>& facts) {
  nlohmann::json list = nlohmann::json::array();
  for (const LimitFact& fact : facts) {
    nlohmann::json entry{{"name", as_utf8(fact.name)}};
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

/// The snapshot as JSON, times in milliseconds and what is no UTF-8 as question marks; docs/snapshot.md says
/// what each member means. `version` is that of the shape: as long as it stays, members are only ever added.
inline nlohmann::json to_json(const PoolSnapshot& snapshot) {
  nlohmann::json json{{"version", 1},
                      {"tokens", nlohmann::json::array()},
                      {"accounts", nlohmann::json::array()},
                      {"egresses", nlohmann::json::array()}};
  for (const TokenSnapshot& token : snapshot.tokens) {
    nlohmann::json entry = detail::usage_json(token);
    entry["account"] = detail::as_utf8(token.account);
    entry["weight"] = token.weight;
    entry["priority"] = token.priority;
    entry["buckets"] = detail::buckets_json(token.buckets);
    entry["server"] = detail::server_json(token.server);
    json["tokens"].push_back(std::move(entry));
  }
  for (const AccountSnapshot& account : snapshot.accounts) {
    json["accounts"].push_back(detail::usage_json(account));
  }
  for (const EgressSnapshot& egress : snapshot.egresses) {
    json["egresses"].push_back(detail::usage_json(egress));
  }
  json["pool"] = {{"available", snapshot.pool.available},
                  {"resting", snapshot.pool.resting},
                  {"ejected", snapshot.pool.ejected},
                  {"disabled", snapshot.pool.disabled},
                  {"waiting", snapshot.pool.waiting},
                  {"requests", snapshot.pool.requests},
                  {"successes", snapshot.pool.successes},
                  {"rate_limited", snapshot.pool.rate_limited},
                  {"failures", snapshot.pool.failures},
                  {"waits",
                   {{"count", snapshot.pool.waits.count},
                    {"total_ms", detail::in_milliseconds(snapshot.pool.waits.total)},
                    {"longest_ms", detail::in_milliseconds(snapshot.pool.waits.longest)}}}};
  return json;
}

}  // namespace tokenpool
