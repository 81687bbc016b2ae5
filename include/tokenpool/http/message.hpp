#pragma once
// A request as the caller describes it: where, what, and what it needs of the pool. No token: that
// is the pool's choice.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/base/cancel.hpp"
#include "tokenpool/http/body.hpp"
#include "tokenpool/http/body_flow.hpp"
#include "tokenpool/http/headers.hpp"

namespace tokenpool {

/// Names and values that go into the URL's query, percent-encoded by the library.
using Query = std::vector<std::pair<std::string, std::string>>;

/// Takes the body of a successful answer as it comes; see Request::on_body.
using OnBody = std::function<BodyAction(std::string_view)>;

/// What is known of an answer before its body; see Request::on_head. Valid while it is being handed over.
struct AnswerHead {
  int status{};                  ///< 2xx
  const Headers& headers;        ///< as received
  std::string_view token_id{};   ///< which token was accepted
  std::string_view egress_id{};  ///< by which egress
  std::size_t attempts{};        ///< requests that the call has put on the wire, this one included
};

/// Is shown the head of a successful answer; see Request::on_head.
using OnHead = std::function<void(const AnswerHead&)>;

/// A request.
struct Request {
  std::string method{"GET"};  ///< as it goes over the wire
  std::string path{};         ///< joined to the token's base URL; an absolute URL must have its origin
  Query query{};              ///< added to that of `path`
  Headers headers{};          ///< win over the token's and those over the client's
  Body body{};                ///< a text, a producer or a form
  std::string bucket{};       ///< what the server counts apart, usually the model
  std::int64_t cost = 1;      ///< estimate for limits of Unit::cost; at least 0
  std::string affinity{};     ///< requests of one affinity keep to one token (policy Sticky)
  std::optional<std::chrono::milliseconds> deadline{};  ///< from the call's entry, waits and retries included
  CancelToken cancel{};                                 ///< ends the call at once when its source says so
  std::string idempotency_key{};  ///< sent as Idempotency-Key with every attempt; makes repeating safe
  std::optional<std::size_t> max_response_bytes{};  ///< default: HttpOptions::max_response_bytes
  /// Is given the body of a 2xx answer piece by piece, on the thread that receives it, instead of its being
  /// collected: Response::body stays empty and max_response_bytes does not count. Other answers are collected
  /// and judged as ever. Bytes for which it says `pause` are offered again once `gate` is resumed, or after
  /// 10 ms where there is no gate; meanwhile the server is slowed down, and no time limit runs but the
  /// deadline. A call whose bytes were offered once is not repeated. What it throws reaches the caller of a
  /// blocking call; an asynchronous one ends with invalid_request. Streams (Client::stream) do not ask it.
  OnBody on_body{};
  /// Is shown the head of the answer whose body goes to `on_body`, once, as soon as its header block is
  /// there, on the same thread; from then on the call is not repeated. An answer without a body is shown,
  /// too. What it throws is treated like what `on_body` throws. Without `on_body`, and by streams, it is not
  /// asked.
  OnHead on_head{};
  std::shared_ptr<BodyGate> gate{};  ///< lets a body or stream flow again that paused
};

/// A Request without method, path and body, for `get`, `post` and the like.
struct RequestOptions {
  /// @{
  /// As the member of Request with the same name.
  Query query{};
  Headers headers{};
  std::string bucket{};
  std::int64_t cost = 1;
  std::string affinity{};
  std::optional<std::chrono::milliseconds> deadline{};
  CancelToken cancel{};
  std::string idempotency_key{};
  std::optional<std::size_t> max_response_bytes{};
  OnBody on_body{};
  OnHead on_head{};
  std::shared_ptr<BodyGate> gate{};
  /// @}
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
          .max_response_bytes = options.max_response_bytes,
          .on_body = std::move(options.on_body),
          .on_head = std::move(options.on_head),
          .gate = std::move(options.gate)};
}

}  // namespace tokenpool
