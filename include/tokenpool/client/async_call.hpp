#pragma once
// The asynchronous call: the same steps as the blocking one, taken by events on the transport's loop. While
// it waits for a token, a timer or an answer it is a few hundred bytes and no thread.

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tokenpool/base/cancel.hpp"
#include "tokenpool/base/error.hpp"
#include "tokenpool/base/result.hpp"
#include "tokenpool/client/steps.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/waiters.hpp"
#include "tokenpool/retry/attempts.hpp"

namespace tokenpool::detail {

/// Keeps the request of a call, as the first of its bases.
struct OwnedRequest {
  Request request;
};

/// One asynchronous call. Everything but its making, wake() and cancelling happens on the loop's thread.
template <class State>
class AsyncCall final : private OwnedRequest,
                        private CallSteps<State>,
                        public Wakeable,
                        public std::enable_shared_from_this<AsyncCall<State>> {
  using Steps = CallSteps<State>;
  using Steps::attempts_;
  using Steps::now;
  using Steps::record_;
  using Steps::state_;
  using typename Steps::Obtained;

 public:
  using Done = std::function<void(Result<Response>)>;

  /// Makes where the body goes as it comes, out of the request; null: it is collected.
  using MakeDelivery = std::function<std::unique_ptr<Delivery>(const Request&)>;

  AsyncCall(State& state, Request of_caller, Done done, const MakeDelivery& delivery)
      : OwnedRequest{std::move(of_caller)},
        Steps(state, request, delivery ? delivery(request) : nullptr),
        done_(std::move(done)) {
    state_.enter_async();
  }

  /// Begins the call; `done` is called once, on the loop's thread.
  static void begin(State& state, Request request, Done done, const MakeDelivery& delivery = {}) {
    auto call = std::make_shared<AsyncCall>(state, std::move(request), std::move(done), delivery);
    call->post([](AsyncCall& self) { self.enter(); });
  }

  void wake() noexcept override {
    // cppcheck-suppress throwInNoexceptFunction  ; the step runs later, on the loop
    post([](AsyncCall& self) { self.look_at_queue(); });
  }

 private:
  template <class F>
  void post(F step) {
    loop().post([self = this->shared_from_this(), step] { step(*self); });
  }

  auto& loop() { return state_.transport().loop(); }

  void enter() {
    if (auto problem = problem_with(request)) {
      return end(Unexpected(record_.error(ErrorCode::invalid_request, *problem)));
    }
    const auto cancel = [weak = this->weak_from_this()] {
      if (const auto self = weak.lock()) {
        self->post([](AsyncCall& call) { call.cancel(); });
      }
    };
    cancelled_by_caller_.emplace(request.cancel, cancel);
    cancelled_by_client_.emplace(state_.closing(), cancel);
    if (request.gate) {
      resumed_.emplace(*request.gate, [weak = this->weak_from_this()] {
        if (const auto self = weak.lock()) {
          self->post([](AsyncCall& call) { call.loop().resume(call.exchange_); });
        }
      });
    }
    ask_pool();
  }

  void ask_pool() {
    asked_at_ = now().steady;
    patience_ = attempts_.patience(asked_at_);
    waiter_.emplace(Waiter{.request = this->need(), .wakeable = this->shared_from_this()});
    try {
      NotUntil refusal;
      std::optional<Acquired> acquired = state_.pool().acquire_or_join(*waiter_, now(), refusal);
      acquired ? got(std::move(*acquired)) : wait_for(refusal);
    } catch (...) {
      end_with_policy_error();
    }
  }

  /// Served, or woken as the owner of the timer; stale news finds no waiter.
  void look_at_queue() {
    if (!waiter_) {
      return;
    }
    try {
      state_.pool().tick(now());
      if (std::optional<Acquired> acquired = state_.pool().collect(*waiter_)) {
        return got(std::move(*acquired));
      }
    } catch (...) {
      return end_with_policy_error();
    }
    const NotUntil refusal = state_.pool().refusal(*waiter_);
    now().steady >= patience_ ? end(Unexpected(this->exhausted(refusal))) : wait_for(refusal);
  }

  void wait_for(const NotUntil& refusal) {
    if (refusal.when > patience_ && refusal.when != end_of_time) {
      return end(Unexpected(this->exhausted(refusal)));
    }
    set_timer((std::min)(patience_, state_.pool().sleep_until(*waiter_)),
              [](AsyncCall& self) { self.look_at_queue(); });
  }

  void got(Acquired acquired) {
    leave_queue();
    this->waited_for_token(asked_at_);
    if (Lease* lease = std::get_if<Lease>(&acquired)) {
      return send(Leased{std::move(*lease)});
    }
    if (const NotUntil* refusal = std::get_if<NotUntil>(&acquired)) {
      return end(Unexpected(this->queue_is_full(*refusal)));
    }
    if (const Never* reason = std::get_if<Never>(&acquired)) {
      Obtained ending = this->never_ever(*reason);
      const Error* failed = std::get_if<Error>(&ending);
      return failed == nullptr ? end(record_.deliver()) : end(Unexpected(*failed));
    }
    ask_ledger(std::get<Ask>(std::move(acquired)));
  }

  /// Asks the shared ledger on its own thread: it may block. Who is cancelled meanwhile does not wait for it.
  void ask_ledger(Ask ask) {
    const LedgerQuestion question = this->ledger_question(ask);
    std::vector<Claim> claims = ask.claims;
    asking_ = std::make_shared<Ask>(std::move(ask));
    set_timer(attempts_.deadline(), [](AsyncCall& self) {
      self.hear_ledger({.failure = "the ledger did not answer before the deadline"});
    });
    state_.ledger_clerk().reserve(
        question, std::move(claims), asking_, [self = this->shared_from_this()](LedgerReply reply) {
          const auto kept = std::make_shared<LedgerReply>(std::move(reply));
          self->post([kept](AsyncCall& call) { call.hear_ledger(std::move(*kept)); });
        });
  }

  void hear_ledger(LedgerReply reply) {
    if (!asking_) {
      return;
    }
    loop().forget(timer_);
    Ask ask = std::move(*asking_);
    asking_.reset();
    std::optional<Obtained> obtained = this->confirm(std::move(ask), std::move(reply));
    if (!obtained) {
      return ask_pool();
    }
    if (const Error* failed = std::get_if<Error>(&*obtained)) {
      return end(Unexpected(*failed));
    }
    send(std::get<Leased>(*std::move(obtained)));
  }

  void send(Leased leased) {
    try {
      sending_.emplace(this->prepare(std::move(leased)));
    } catch (const Error& unfit) {
      return end(Unexpected(record_.error(unfit.code(), unfit.what())));
    }
    try {
      exchange_ = loop().start(
          this->transport_request(*sending_),
          [self = this->shared_from_this()](Exchange exchange, const std::exception_ptr& thrown) {
            self->answered(std::move(exchange), thrown);
          });
    } catch (...) {
      answered({}, std::current_exception());
    }
  }

  void answered(Exchange exchange, const std::exception_ptr& thrown) {
    try {
      if (thrown) {
        this->give_up(sending_->leased);
        std::rethrow_exception(thrown);
      }
      const NextAction next = this->conclude(*sending_, std::move(exchange));
      sending_.reset();
      go_on(next);
    } catch (const std::exception& by_caller) {
      sending_.reset();
      end(Unexpected(record_.error(ErrorCode::invalid_request,
                                   std::string("the caller's own code threw: ") + by_caller.what())));
    } catch (...) {
      sending_.reset();
      end(Unexpected(record_.error(ErrorCode::invalid_request,
                                   "the caller's own code threw something that is no std::exception")));
    }
  }

  void go_on(const NextAction& next) {
    if (std::holds_alternative<Deliver>(next)) {
      return end(record_.deliver());
    }
    if (const Fail* failed = std::get_if<Fail>(&next)) {
      return end(
          Unexpected(record_.error(failed->code, failed->reason, this->in_wall_time(failed->retry_at))));
    }
    if (cancelled_) {
      return end_cancelled();
    }
    if (const SendAt* later = std::get_if<SendAt>(&next)) {
      paused_at_ = now().steady;
      return set_timer(later->when, [](AsyncCall& self) {
        self.record_.waited(self.now().steady - self.paused_at_);
        self.ask_pool();
      });
    }
    ask_pool();
  }

  void cancel() {
    cancelled_ = true;
    if (sending_) {
      loop().cancel(exchange_);
    } else if (done_) {
      end_cancelled();
    }
  }

  template <class F>
  void set_timer(SteadyTime when, F step) {
    loop().forget(timer_);
    timer_ = loop().at(when, [self = this->shared_from_this(), step] { step(*self); });
  }

  void leave_queue() {
    loop().forget(timer_);
    if (waiter_) {
      static_cast<void>(state_.pool().leave(*waiter_));
      waiter_.reset();
    }
  }

  void end_with_policy_error() { end(Unexpected(this->policy_error())); }
  void end_cancelled() { end(Unexpected(record_.error(ErrorCode::cancelled, "the call was cancelled"))); }

  /// The one end. The caller's function is gone before it is called, so there is no second time.
  void end(Result<Response> result) {
    leave_queue();
    asking_.reset();
    cancelled_by_caller_.reset();
    cancelled_by_client_.reset();
    resumed_.reset();
    if (const Done done = std::exchange(done_, nullptr)) {
      try {
        done(std::move(result));
      } catch (...) {  // nobody is there to whom it could be passed on
      }
      state_.leave_async();
    }
  }

  Done done_;
  std::optional<CancelRegistration> cancelled_by_caller_;
  std::optional<CancelRegistration> cancelled_by_client_;
  std::optional<BodyGate::Listener> resumed_;
  std::optional<Waiter> waiter_;
  std::shared_ptr<Ask> asking_;  ///< while the ledger is asked
  std::optional<Sending> sending_;
  std::uint64_t exchange_ = 0;
  std::pair<SteadyTime, std::uint64_t> timer_{};
  SteadyTime asked_at_{};
  SteadyTime paused_at_{};
  SteadyTime patience_{};
  bool cancelled_ = false;
};

}  // namespace tokenpool::detail
