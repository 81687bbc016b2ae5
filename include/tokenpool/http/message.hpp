#pragma once
// A request as the caller describes it: where, what, and what it needs of the pool. No token: that
// is the pool's choice.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/base/cancel.hpp"
#include "tokenpool/http/body.hpp"
#include "tokenpool/http/headers.hpp"

namespace tokenpool {

/// Names and values that go into the URL's query, percent-encoded by the library.
using Query = std::vector<std::pair<std::string, std::string>>;

/// A request.
struct Request {
  std::string method{"GET"};
  std::string path{};  ///< joined to the token's base URL; an absolute URL must have its origin
  Query query{};
  Headers headers{};
  Body body{};
  std::string bucket{};    ///< what the server counts apart, usually the model
  std::int64_t cost = 1;   ///< estimate for limits of Unit::cost; at least 0
  std::string affinity{};  ///< requests of one affinity keep to one token (policy Sticky)
  std::optional<std::chrono::milliseconds> deadline{};  ///< from the call's entry, waits and retries included
  CancelToken cancel{};
  std::string idempotency_key{};  ///< sent as Idempotency-Key with every attempt; makes repeating safe
  std::optional<std::size_t> max_response_bytes{};  ///< default: HttpOptions::max_response_bytes
};

/// A Request without method, path and body, for `get`, `post` and the like.
struct RequestOptions {
  Query query{};
  Headers headers{};
  std::string bucket{};
  std::int64_t cost = 1;
  std::string affinity{};
  std::optional<std::chrono::milliseconds> deadline{};
  CancelToken cancel{};
  std::string idempotency_key{};
  std::optional<std::size_t> max_response_bytes{};
};

/// The request that `options` describe.
inline Request make_request(std::string method, std::string path, Body body, RequestOptions options) {
  return {.method = std::move(method),
          .path = std::move(path),
          .query = std::move(options.query),
          .headers = std::move(options.headers),
          .body = std::move(body),
          .bucket = std::move(options.bucket),
          .cost = options.cost,
          .affinity = std::move(options.affinity),
          .deadline = options.deadline,
          .cancel = std::move(options.cancel),
          .idempotency_key = std::move(options.idempotency_key),
          .max_response_bytes = options.max_response_bytes};
}

}  // namespace tokenpool
