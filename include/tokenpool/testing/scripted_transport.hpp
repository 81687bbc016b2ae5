#pragma once
// A server that exists on paper: it plays a script, keeps what it was sent, and takes its time on a manual
// clock, so that a whole conversation with its waits and failures runs in no time and always the same.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/http/answer.hpp"
#include "tokenpool/http/failure.hpp"
#include "tokenpool/testing/manual_clock.hpp"
#include "tokenpool/transport/interrupt.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool::testing {

/// A request as it would have gone over the wire.
struct SentRequest {
  std::string method{};                ///< as sent
  std::string url{};                   ///< with the query
  Headers headers{};                   ///< credential included
  std::string body{};                  ///< what a producer made, too
  std::string source{};                ///< of the egress
  std::optional<std::string> proxy{};  ///< of the egress; absent: the system's choice
  SteadyTime deadline{};               ///< by when the call wants its end
  bool fresh_connection{};             ///< whether none that may have died was allowed

  /// The credential of `Authorization: Bearer`; empty without one.
  [[nodiscard]] std::string token() const {
    const std::string value(headers.get("Authorization").value_or(""));
    return value.starts_with("Bearer ") ? value.substr(7) : std::string();
  }
};

/// What becomes of one request.
struct Reply {
  Answer answer{};                            ///< what comes, where there is no failure
  std::optional<TransportFailure> failure{};  ///< or why nothing comes
  Duration takes{};                           ///< passes on the clock, not beyond the call's deadline
  std::function<void()> meanwhile{};          ///< called while the request is under way, may throw
  std::size_t piece =
      std::string::npos;  ///< a body that is taken as it comes does so in pieces of so many bytes
};

/// A transport that plays a script. Thread-safe; copies play the same script.
class ScriptedTransport {
 public:
  /// What answers when the script is over; called outside of any lock, one call at a time per caller.
  using Server = std::function<Reply(const SentRequest&)>;

  /// `clock` is the client's.
  explicit ScriptedTransport(ManualClock clock = {})
      : state_(std::make_shared<State>()), clock_(std::move(clock)) {}

  /// The next request gets this answer.
  ScriptedTransport& answer(int status, std::string body = "{}", Headers headers = {}, Duration takes = {}) {
    return reply({.answer = {status, std::move(headers), std::move(body)}, .takes = takes});
  }

  /// The next request gets no answer. `sent` says whether the server may have got it.
  ScriptedTransport& fail(FailureKind kind, bool sent = false, std::string detail = "scripted") {
    return reply({.failure = TransportFailure{kind, sent, std::move(detail)}});
  }

  /// The next request gets this.
  ScriptedTransport& reply(Reply next) {
    const std::lock_guard lock(state_->mutex);
    state_->script.push_back(std::move(next));
    return *this;
  }

  /// All requests after the script get what `server` says. Without one they throw std::logic_error.
  ScriptedTransport& otherwise(Server server) {
    const std::lock_guard lock(state_->mutex);
    state_->server = std::move(server);
    return *this;
  }

  /// What was sent so far.
  [[nodiscard]] std::vector<SentRequest> sent() const {
    const std::lock_guard lock(state_->mutex);
    return state_->sent;
  }

  /// Part of the concept Transport.
  Exchange perform(const TransportRequest& request, Interrupt& interrupt) {
    const SentRequest sent = record(request);
    const Reply reply = next_reply(sent);
    if (reply.meanwhile) {
      reply.meanwhile();
    }
    return play(reply, request, interrupt);
  }

 private:
  struct State {
    std::mutex mutex;
    std::deque<Reply> script;
    Server server;
    std::vector<SentRequest> sent;
  };

  SentRequest record(const TransportRequest& request) {
    SentRequest sent{.method = request.method,
                     .url = request.url,
                     .headers = request.headers.copied(),
                     .body = body_of(request.body),
                     .source = request.source,
                     .proxy = request.proxy,
                     .deadline = request.deadline,
                     .fresh_connection = request.fresh_connection};
    const std::lock_guard lock(state_->mutex);
    state_->sent.push_back(sent);
    return sent;
  }

  static std::string body_of(Body& body) {
    if (!body.streamed()) {
      return body.text();
    }
    if (!body.rewind()) {
      throw std::logic_error("a body that cannot be rewound was sent twice");
    }
    std::string text;
    char buffer[256];
    for (std::size_t count = body.read(buffer, sizeof buffer); count != 0;
         count = body.read(buffer, sizeof buffer)) {
      text.append(buffer, count);
    }
    return text;
  }

  Reply next_reply(const SentRequest& sent) {
    Server server;
    {
      const std::lock_guard lock(state_->mutex);
      if (!state_->script.empty()) {
        Reply next = std::move(state_->script.front());
        state_->script.pop_front();
        return next;
      }
      server = state_->server;
    }
    if (!server) {
      throw std::logic_error("the script is over, and here comes " + sent.method + " " + sent.url);
    }
    return server(sent);
  }

  Exchange play(const Reply& reply, const TransportRequest& request, Interrupt& interrupt) {
    const SteadyTime deadline = request.deadline;
    const SteadyTime began = clock_.now().steady;
    const bool too_late = after(began, reply.takes) >= deadline;
    clock_.advance(too_late ? (std::max)(deadline - began, Duration::zero()) : reply.takes);
    Exchange exchange;
    if (interrupt.cancelled()) {
      exchange.failure = TransportFailure{FailureKind::cancelled, true, {}};
    } else if (too_late) {
      exchange.failure = TransportFailure{FailureKind::deadline, true, {}};
    } else {
      exchange.failure = reply.failure;
      exchange.answer = reply.answer;
    }
    exchange.answered_at = clock_.now().steady;
    const bool opens = request.sink != nullptr && exchange.answer.status >= 200 &&
                       (request.sink->wants_head() || !exchange.answer.body.empty());
    if (opens && request.sink->opens(exchange.answer)) {
      hand_over(std::exchange(exchange.answer.body, {}), reply.piece, request, interrupt, exchange);
    }
    exchange.sent = !exchange.failure || exchange.failure->sent;
    exchange.timing.total =
        std::chrono::duration_cast<std::chrono::microseconds>(exchange.answered_at - began);
    return exchange;
  }

  /// The body goes to the request's sink.
  void hand_over(const std::string& body, std::size_t piece, const TransportRequest& request,
                 Interrupt& interrupt, Exchange& exchange) {
    BodySink& sink = *request.sink;
    for (std::string_view rest = body; !rest.empty();) {
      const std::string_view bytes = rest.substr(0, piece);
      switch (sink.take(bytes)) {
        case BodySink::Flow::more: rest.remove_prefix(bytes.size()); break;
        case BodySink::Flow::complete: return;
        case BodySink::Flow::stopped: return exchange.failure.reset();
        case BodySink::Flow::paused:
          exchange.failure = wait_for(sink, request.deadline, interrupt);
          if (exchange.failure) return;
      }
    }
  }

  /// Until the sink that paused is to be asked again, or why that is never.
  std::optional<TransportFailure> wait_for(BodySink& sink, SteadyTime deadline, Interrupt& interrupt) {
    if (!sink.resumed()) {
      interrupt.wait(clock_, (std::min)(deadline, after(clock_.now().steady, sink.longest_pause())));
      static_cast<void>(sink.resumed());
    }
    if (interrupt.cancelled()) return TransportFailure{FailureKind::cancelled, true, {}};
    if (clock_.now().steady >= deadline) return TransportFailure{FailureKind::deadline, true, {}};
    return std::nullopt;
  }

  std::shared_ptr<State> state_;
  ManualClock clock_;
};

}  // namespace tokenpool::testing
