#pragma once
// The client: a pool of tokens behind the verbs of HTTP.

#include <concepts>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tokenpool/base/result.hpp"
#include "tokenpool/client/async_call.hpp"
#include "tokenpool/client/awaitable.hpp"
#include "tokenpool/client/batch.hpp"
#include "tokenpool/client/call.hpp"
#include "tokenpool/client/options.hpp"
#include "tokenpool/client/shared_counts.hpp"
#include "tokenpool/client/state.hpp"
#include "tokenpool/client/stream.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/policy/round_robin.hpp"
#include "tokenpool/pool/pool.hpp"
#include "tokenpool/transport/clock.hpp"
#include "tokenpool/transport/curl/easy.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool {

namespace detail {

/// void, but only once `T` is known: what depends on it is looked up when it is used.
template <class T>
struct AlwaysVoid {
  using type = void;
};

/// A bare text, which JSON would take for a string value instead of a body.
template <class T>
concept PlainText =
    !std::same_as<std::remove_cvref_t<T>, nlohmann::json> && std::convertible_to<T, std::string_view>;

}  // namespace detail

/// Sends requests with the tokens of a pool: inside the limits, retried on another token after a refusal,
/// each call ending exactly once, in the server's real answer or an Error.
///
/// Thread-safe: share one among all threads. Neither copyable nor movable. Destroying it cancels the calls
/// under way and waits for them; one of its own callbacks may do that.
///
///     tokenpool::Client<tokenpool::LeastUsed> client{{.base_url = "https://api.example.com/v1",
///                                                     .tokens =
///                                                     tokenpool::tokens_from_env("EXAMPLE_TOKENS")}};
///     tokenpool::Response models = client.get("/models");
template <SelectionPolicy Policy = RoundRobin, Transport TransportType = CurlTransport,
          Clock ClockType = SteadyClock>
class Client {
 public:
  /// Throws Error{invalid_request} that names the first unfit field.
  explicit Client(ClientOptions options, Policy policy = {})
      : Client(std::move(options), std::move(policy), std::make_shared<TransportType>(),
               std::make_shared<ClockType>()) {}

  /// With a transport and a clock of the caller's, as tests need them.
  Client(ClientOptions options, Policy policy, std::shared_ptr<TransportType> transport,
         std::shared_ptr<ClockType> clock)
      : state_(std::make_shared<State>(std::move(options), std::move(policy), std::move(transport),
                                       std::move(clock))) {}

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { state_->close(); }

  /// GET. Throws Error, like every blocking call but try_send.
  Response get(std::string_view path, RequestOptions options = {}) {
    return send(make_request("GET", std::string(path), {}, std::move(options)));
  }
  /// DELETE.
  Response del(std::string_view path, RequestOptions options = {}) {
    return send(make_request("DELETE", std::string(path), {}, std::move(options)));
  }
  /// POST with a JSON body. Needs <tokenpool/tokenpool.hpp>.
  Response post(std::string_view path, const nlohmann::json& body, RequestOptions options = {}) {
    return send_json("POST", path, body, std::move(options));
  }
  /// PUT with a JSON body.
  Response put(std::string_view path, const nlohmann::json& body, RequestOptions options = {}) {
    return send_json("PUT", path, body, std::move(options));
  }
  /// PATCH with a JSON body.
  Response patch(std::string_view path, const nlohmann::json& body, RequestOptions options = {}) {
    return send_json("PATCH", path, body, std::move(options));
  }
  /// A text is no JSON value: send(Request{.method = "POST", .path = ..., .body = text}) sends it as it is.
  template <detail::PlainText Text>
  Response post(std::string_view path, const Text& body, RequestOptions options = {}) = delete;
  template <detail::PlainText Text>
  Response put(std::string_view path, const Text& body, RequestOptions options = {}) = delete;
  template <detail::PlainText Text>
  Response patch(std::string_view path, const Text& body, RequestOptions options = {}) = delete;

  /// Sends and returns the server's answer, an error status that no other token would change included. Throws
  /// Error.
  Response send(Request request) {
    Result<Response> result = try_send(std::move(request));
    return std::move(result).value();
  }

  /// As send, but never throws for what the network or the server did; only what the caller's own code (a
  /// body's producer, a classifier) threw.
  Result<Response> try_send(Request request) {
    const std::shared_ptr<State> state = state_;
    const typename State::Active active(*state);
    return detail::Call<State>(*state, request).run();
  }

  /// Sends, and hands the answer's server-sent events to `on_event` as they come, on this thread: it returns
  /// nothing, or false to stop (a success: the call ends with the Response so far), or a BodyAction.
  ///
  /// A consumer that blocks, or pauses (see Request::on_body), slows the server down; an event that is not
  /// whole counts against max_response_bytes, the whole of the stream does not. Response::body is the
  /// stream's text, the last 64 KiB of it; cost_of reads it there. Accept is text/event-stream where the
  /// request has none.
  ///
  /// `[DONE]` ends the stream and is handed to nobody. StreamEnd says which streams need a mark of their end;
  /// one that ends without it was cut, and the call ends in an Error whose response() has what came. An event
  /// that reports an error, or another Content-Type than text/event-stream, is judged like the status it
  /// stands for. Nothing is repeated once the first event was handed over.
  ///
  /// Throws Error, and what `on_event` throws. An error status that no other token would change is returned.
  template <EventConsumer OnEvent>
  Response stream(Request request, OnEvent&& on_event) {
    const std::shared_ptr<State> state = state_;
    const typename State::Active active(*state);
    const auto consumer = [&on_event](const ServerSentEvent& event) { return detail::ask(on_event, event); };
    auto delivery = detail::event_delivery(*state, request, consumer);
    return detail::Call<State>(*state, request, std::move(delivery)).run().value();
  }

  /// As stream, without a thread: `on_event` and, once, `done` are called on the transport's thread, where
  /// they must not block for long. What `on_event` throws ends the call with invalid_request.
  template <EventConsumer OnEvent>
  void stream_async(Request request, OnEvent on_event,
                    std::function<void(Result<Response>)> done) requires AsyncTransport<TransportType> {
    const auto consumer = [on_event = std::move(on_event)](const ServerSentEvent& event) mutable {
      return detail::ask(on_event, event);
    };
    detail::AsyncCall<State>::begin(*state_, std::move(request), std::move(done),
                                    [this, &consumer](const Request& of_call) {
                                      return detail::event_delivery(*state_, of_call, consumer);
                                    });
  }

  /// As try_send, without a thread: `done` is called once with the Result, on the transport's thread, where
  /// it must not block for long; it may call back into the client and destroy it.
  void send_async(Request request,
                  std::function<void(Result<Response>)> done) requires AsyncTransport<TransportType> {
    detail::AsyncCall<State>::begin(*state_, std::move(request), std::move(done));
  }

  /// As send, without a thread: the future holds the Response or throws the Error.
  std::future<Response> send_async(Request request) requires AsyncTransport<TransportType> {
    auto promise = std::make_shared<std::promise<Response>>();
    std::future<Response> future = promise->get_future();
    send_async(std::move(request), [promise](Result<Response> result) {
      result ? promise->set_value(*std::move(result))
             // cppcheck-suppress accessMoved  ; one of the two happens
             : promise->set_exception(std::make_exception_ptr(std::move(result).error()));
    });
    return future;
  }

  /// As send, for coroutines: `Response reply = co_await client.co_send(request);`. `resume` is given what
  /// resumes the coroutine, to run it where the caller wants; by default that is the transport's thread.
  /// Throws Error. With gcc 12 name the request first: it destroys a `{...}` inside of a co_await twice.
  auto co_send(Request request, std::function<void(std::function<void()>)> resume = {}) requires
      AsyncTransport<TransportType> {
    return detail::SendAwaitable<Client>(*this, std::move(request), std::move(resume));
  }

  /// Sends a range of requests, at most `options.concurrency` at the same time, and returns their results in
  /// the order of the range. The range is read as places become free, so it may produce its requests lazily;
  /// the calling thread waits.
  template <class Requests>
  std::vector<Result<Response>> send_all(Requests&& requests,
                                         BatchOptions options = {}) requires AsyncTransport<TransportType> {
    return detail::Batch<Client>(*this, std::move(options)).run(std::forward<Requests>(requests));
  }

  /// The tokens: add, remove, disable, enable and so on while calls are under way.
  [[nodiscard]] TokenPool<Policy>& pool() noexcept { return state_->pool(); }

  /// What every token is doing, as a copy. With a ledger its limits show what all processes have used: the
  /// ledger is asked, which may block; when it cannot be asked they show what this client has used.
  [[nodiscard]] PoolSnapshot stats() const { return stats_of(*state_); }

  /// stats() as a function that may outlive this client, for who looks on from another thread.
  [[nodiscard]] StatsSource stats_source() const {
    return [watched = std::weak_ptr<State>(state_)]() -> std::optional<PoolSnapshot> {
      const std::shared_ptr<State> state = watched.lock();
      return state ? std::optional(stats_of(*state)) : std::nullopt;
    };
  }

 private:
  using State = detail::ClientState<Policy, TransportType, ClockType>;

  static PoolSnapshot stats_of(State& state) {
    PoolSnapshot snapshot = state.pool().snapshot(state.clock().now());
    if (const auto& ledger = state.options().ledger) {
      detail::SharedCounts(snapshot).read(*ledger);
    }
    return snapshot;
  }

  /// A template for the sake of those who never send JSON: they need no JSON library.
  template <class Json>
  Response send_json(const char* method, std::string_view path, const Json& body, RequestOptions options) {
    return send(make_request(method, std::string(path),
                             detail::JsonLibrary<typename detail::AlwaysVoid<Json>::type>::text(body),
                             std::move(options)));
  }

  std::shared_ptr<State> state_;
};

}  // namespace tokenpool
