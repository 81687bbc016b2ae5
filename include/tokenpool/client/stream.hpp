#pragma once
// A stream of events as a call sees it: each event goes to the caller as soon as it is whole, an error in the
// stream is judged like the status it stands for, and a stream without its end is no success.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tokenpool/client/delivery.hpp"
#include "tokenpool/client/options.hpp"
#include "tokenpool/http/sse.hpp"
#include "tokenpool/http/text_reader.hpp"
#include "tokenpool/retry/classify.hpp"
#include "tokenpool/retry/evidence.hpp"
#include "tokenpool/retry/stream_end.hpp"

namespace tokenpool {

/// What takes the events of a stream: `on_event(const ServerSentEvent&)` that returns nothing, or false to
/// stop, or a BodyAction.
template <class F>
concept EventConsumer = std::invocable<F&, const ServerSentEvent&> &&
    (std::is_void_v<std::invoke_result_t<F&, const ServerSentEvent&>> ||
     std::same_as<std::invoke_result_t<F&, const ServerSentEvent&>, bool> ||
     std::same_as<std::invoke_result_t<F&, const ServerSentEvent&>, BodyAction>);

namespace detail {

template <EventConsumer OnEvent>
BodyAction ask(OnEvent& on_event, const ServerSentEvent& event) {
  using Word = std::invoke_result_t<OnEvent&, const ServerSentEvent&>;
  if constexpr (std::is_void_v<Word>) {
    on_event(event);
    return BodyAction::take;
  } else if constexpr (std::is_same_v<Word, bool>) {
    return on_event(event) ? BodyAction::take : BodyAction::stop;
  } else {
    return on_event(event);
  }
}

/// Whether the body of an answer with this head is a stream of events. Without a Content-Type it may be one.
inline bool is_event_stream(int status, const Headers& headers) {
  constexpr int no_content = 204;
  constexpr int reset_content = 205;
  if (status < 200 || status >= 300 || status == no_content || status == reset_content) return false;
  const std::string_view type = headers.get("Content-Type").value_or("text/event-stream");
  return equal_ignoring_case(trimmed(type.substr(0, type.find(';'))), "text/event-stream");
}

/// Events for Client::stream and stream_async.
class EventDelivery final : public Delivery {
 public:
  using OnEvent = std::function<BodyAction(const ServerSentEvent&)>;
  using Classify = std::function<Classification(const Answer&)>;

  /// How much of a stream's text is kept for the Response: its end.
  static constexpr std::size_t kept_bytes = std::size_t{64} << 10U;

  /// `max_event_bytes` bounds what is kept of an event that is not whole.
  EventDelivery(const Request& request, CancelToken closing, OnEvent on_event, Classify classify,
                std::size_t max_event_bytes)
      : Delivery(request, std::move(closing)),
        on_event_(std::move(on_event)),
        classify_(std::move(classify)),
        max_event_bytes_(max_event_bytes),
        parser_(max_event_bytes) {}

  [[nodiscard]] std::string_view accept() const noexcept override { return "text/event-stream"; }

  [[nodiscard]] std::optional<Fail> objection(const Response& answer) const override {
    if (error()) {
      return Fail{ErrorCode::http_status, error()->reason, {}};
    }
    if (!opened() && answer.ok() && !answer.body.empty()) {
      return Fail{
          ErrorCode::protocol, "the server sent no event stream: the answer has another Content-Type", {}};
    }
    return std::nullopt;
  }

 private:
  void start_over() override {
    parser_ = SseParser(max_event_bytes_);
    end_ = StreamEnd();
    read_ahead_ = 0;
    whole_ = false;
    pending_.reset();
    text_.clear();
    forget_error();
  }

  bool accepts(const Answer& head) override {
    status_ = head.status;
    headers_ = head.headers;
    return is_event_stream(head.status, head.headers);
  }

  /// What was read before a pause comes once more, and more behind it.
  Flow hand_over(std::string_view bytes) override {
    const std::size_t begin = (std::min)(read_ahead_, bytes.size());
    std::string_view rest = bytes.substr(begin);
    Flow flow = Flow::more;
    while (flow == Flow::more && has_event(rest)) {
      flow = offer(*pending_);
      if (flow != Flow::paused) pending_.reset();
    }
    const std::size_t read = bytes.size() - rest.size();
    keep(bytes.substr(begin, read - begin));
    read_ahead_ = flow == Flow::paused ? (std::max)(read_ahead_, read)
                                       : read_ahead_ - (std::min)(read_ahead_, bytes.size());
    whole_ = whole_ || flow == Flow::complete;
    return parser_.status() == SseStatus::too_large ? Flow::stopped : flow;
  }

  bool has_event(std::string_view& bytes) {
    if (!pending_) pending_ = parser_.next(bytes);
    return pending_.has_value();
  }

  Flow offer(const ServerSentEvent& event) {
    if (may_be_error(event) && is_error(event)) return Flow::stopped;
    const StreamSign sign = end_.read(event);
    if (sign == StreamSign::end) return Flow::complete;
    const Flow then = sign == StreamSign::last_event ? Flow::complete : Flow::more;
    const Flow flow = flow_after([&] { return on_event_(event); }, then);
    stopped_ = flow == Flow::stopped;
    return flow;
  }

  /// Judges what looks like an error as if it were the whole answer. One that nobody knows stands for no
  /// status that would be worth a repetition.
  bool is_error(const ServerSentEvent& event) {
    const Answer answer{status_, headers_, event.data};
    Classification meaning = classify_(answer);
    if (meaning.verdict == Verdict::success) {
      if (!is_named_error(event) && !gather(answer, default_dialects()).is_error_in_success) return false;
      meaning = {.verdict = Verdict::server_error,
                 .scope = LimitScope::service,
                 .reason = "the stream reported an error"};
    }
    set_error(std::move(meaning));
    error_data_ = event.data;
    return true;
  }

  void keep(std::string_view bytes) {
    text_ += bytes;
    if (text_.size() > 2 * kept_bytes) text_.erase(0, text_.size() - kept_bytes);
  }

  void judge(Exchange& exchange) override {
    if (!opened()) {
      const bool empty = exchange.answer.body.empty();
      if (!exchange.failure && empty && is_event_stream(exchange.answer.status, exchange.answer.headers)) {
        exchange.failure = cut();
      }
      return;
    }
    if (text_.size() > kept_bytes) text_.erase(0, text_.size() - kept_bytes);
    exchange.answer.body = std::move(text_);
    judge_stream(exchange);
  }

  void judge_stream(Exchange& exchange) {
    if (whole_ || stopped_ || thrown()) {
      exchange.failure.reset();
    } else if (error()) {
      exchange.failure.reset();
      exchange.answer.body = std::move(error_data_);
    } else if (parser_.status() == SseStatus::too_large) {
      exchange.failure = TransportFailure{
          FailureKind::too_large, true,
          "an event is larger than max_response_bytes (" + std::to_string(max_event_bytes_) + ")"};
    } else if (!exchange.failure && !end_.may_end() && !is_bare_error(exchange.answer)) {
      exchange.failure = cut();
    }
  }

  /// An error without the form of an event, as gateways send it.
  bool is_bare_error(const Answer& answer) {
    if (handed_over() || !begins_like_an_error(answer.body)) return false;
    Classification meaning = classify_(answer);
    const bool is_one = meaning.verdict != Verdict::success;
    if (is_one) set_error(std::move(meaning));
    return is_one;
  }

  [[nodiscard]] TransportFailure cut() const {
    return {FailureKind::lost, true,
            handed_over() ? "the stream was cut: it ended without " + std::string(end_.promised())
                          : "the stream ended before its first event"};
  }

  OnEvent on_event_;
  Classify classify_;
  std::size_t max_event_bytes_;
  SseParser parser_;
  StreamEnd end_;
  int status_ = 0;
  Headers headers_;
  std::optional<ServerSentEvent> pending_;
  std::size_t read_ahead_ = 0;  ///< bytes that the parser has and that will be offered again
  bool whole_ = false;          ///< the mark of the end came and was taken
  bool stopped_ = false;        ///< the caller has enough
  std::string text_;
  std::string error_data_;
};

/// The delivery of one stream call of the client that `state` is of, which outlives it.
template <class State>
std::unique_ptr<Delivery> event_delivery(State& state, const Request& request,
                                         EventDelivery::OnEvent on_event) {
  const ClientOptions& options = state.options();
  return std::make_unique<EventDelivery>(
      request, state.closing(), std::move(on_event),
      [&state](const Answer& answer) {
        return classify_with(state.options().classify, answer, state.clock().now().wall);
      },
      request.max_response_bytes.value_or(options.http.max_response_bytes));
}

}  // namespace detail

}  // namespace tokenpool
