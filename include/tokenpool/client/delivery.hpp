#pragma once
// An answer's body on its way to the caller's own function, as it comes. What the function throws is kept
// here, so that the exchange ends in order and its lease is settled, and is thrown again afterwards.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tokenpool/base/cancel.hpp"
#include "tokenpool/http/body_flow.hpp"
#include "tokenpool/http/failure.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/quota/verdict.hpp"
#include "tokenpool/retry/attempts.hpp"
#include "tokenpool/transport/body_sink.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool::detail {

/// Hands the bodies of one call's successful answers to the caller. One thread at a time.
class Delivery : public BodySink {
 public:
  /// `closing` is cancelled when the client goes.
  Delivery(const Request& request, CancelToken closing)
      : gate_(request.gate), cancelled_by_caller_(request.cancel), cancelled_by_client_(std::move(closing)) {}
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;
  virtual ~Delivery() = default;

  /// Another request goes out, by a token and an egress whose names outlive it, the call's `attempt`-th;
  /// `on_opened` is called once if an answer comes whose body is for the caller.
  void begin(std::string_view token_id, std::string_view egress_id, std::size_t attempt,
             std::function<void()> on_opened) {
    token_id_ = token_id;
    egress_id_ = egress_id;
    attempt_ = attempt;
    on_opened_ = std::move(on_opened);
    opened_ = false;
    start_over();
  }

  bool opens(const Answer& head) final {
    opened_ = accepts(head);
    if (opened_) {
      on_opened_();
      keep_thrown([&] {
        show({head.status, head.headers, token_id_, egress_id_, attempt_});
        return Flow::more;
      });
    }
    return opened_;
  }

  Flow take(std::string_view bytes) final {
    return thrown_ ? Flow::stopped : keep_thrown([&] { return hand_over(bytes); });
  }

  bool resumed() noexcept final { return gate_ && gate_->take_resume(); }

  /// Without a gate nobody can say when there is room again, so that the consumer is asked now and then.
  [[nodiscard]] Duration longest_pause() const noexcept final {
    return gate_ ? (Duration::max)() : std::chrono::milliseconds(10);
  }

  /// The exchange is over: puts into it what came, and how it ended seen from here.
  void conclude(Exchange& exchange) {
    judge(exchange);
    if (cancelled_) {
      exchange.failure = TransportFailure{FailureKind::cancelled, true, {}};
    }
  }

  /// What an error inside of the body means, if there was one.
  [[nodiscard]] const std::optional<Classification>& error() const noexcept { return error_; }
  /// Whether a body came that was for the caller.
  [[nodiscard]] bool opened() const noexcept { return opened_; }
  /// Whether the caller has seen some of it: then nothing is sent again.
  [[nodiscard]] bool handed_over() const noexcept { return handed_over_; }
  [[nodiscard]] const std::exception_ptr& thrown() const noexcept { return thrown_; }

  /// The Accept of requests that name none.
  [[nodiscard]] virtual std::string_view accept() const noexcept = 0;
  /// The last word on an answer that is about to be delivered: nothing, or why it is none.
  [[nodiscard]] virtual std::optional<Fail> objection(const Response& answer) const = 0;

 protected:
  virtual void start_over() = 0;
  virtual bool accepts(const Answer& head) = 0;
  /// An accepted answer begins.
  virtual void show(const AnswerHead&) {}
  virtual Flow hand_over(std::string_view bytes) = 0;
  virtual void judge(Exchange& exchange) = 0;

  void set_error(Classification meaning) { error_ = std::move(meaning); }
  void forget_error() noexcept { error_.reset(); }

  /// Asks the caller's function and says what that means; `then` is the flow after it took what it was given.
  template <class Ask>
  Flow flow_after(Ask&& ask, Flow then) {
    if (cancelled_by_caller_.cancelled() || cancelled_by_client_.cancelled()) {
      cancelled_ = true;
      return Flow::stopped;
    }
    handed_over_ = true;
    switch (ask()) {
      case BodyAction::take: return then;
      case BodyAction::pause: return Flow::paused;
      case BodyAction::stop: break;
    }
    return Flow::stopped;
  }

 private:
  /// What `step` throws is kept, and ends the exchange.
  template <class Step>
  Flow keep_thrown(Step&& step) noexcept {
    try {
      return step();
    } catch (...) {
      thrown_ = std::current_exception();
      return Flow::stopped;
    }
  }

  std::shared_ptr<BodyGate> gate_;
  CancelToken cancelled_by_caller_;
  CancelToken cancelled_by_client_;
  std::string_view token_id_;
  std::string_view egress_id_;
  std::size_t attempt_ = 0;
  std::function<void()> on_opened_;
  bool opened_ = false;
  bool handed_over_ = false;
  bool cancelled_ = false;
  std::optional<Classification> error_;
  std::exception_ptr thrown_;
};

/// Bytes as they come, for Request::on_body, and before them the head, for Request::on_head.
class RawDelivery final : public Delivery {
 public:
  RawDelivery(const Request& request, CancelToken closing)
      : Delivery(request, std::move(closing)), on_body_(request.on_body), on_head_(request.on_head) {}

  [[nodiscard]] std::string_view accept() const noexcept override { return "application/json"; }
  [[nodiscard]] std::optional<Fail> objection(const Response&) const override { return std::nullopt; }

 private:
  void start_over() override {}
  [[nodiscard]] bool wants_head() const noexcept override { return static_cast<bool>(on_head_); }
  bool accepts(const Answer& head) override { return head.status >= 200 && head.status < 300; }
  void show(const AnswerHead& head) override {
    if (on_head_) {
      flow_after([&] { return on_head_(head), BodyAction::take; }, Flow::more);
    }
  }
  Flow hand_over(std::string_view bytes) override {
    return flow_after([&] { return on_body_(bytes); }, Flow::more);
  }
  void judge(Exchange&) override {}

  const OnBody& on_body_;
  const OnHead& on_head_;
};

}  // namespace tokenpool::detail
