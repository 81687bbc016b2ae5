#pragma once
// The asynchronous call: the same steps as the blocking one, taken by events on the transport's loop. While
// it waits for a token, a timer or an answer it is a few hundred bytes and no thread.

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
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
#include "tokenpool/transport/async_transport.hpp"

namespace tokenpool::detail {

/// Keeps the request of a call, as the first of its bases.
struct OwnedRequest {
  Request request;
};

/// One asynchronous call. Everything but its making, wake() and cancelling happens on the loop's thread. It
/// owns itself from its beginning to its end.
template <class State>
class AsyncCall final : private OwnedRequest,
                        private CallSteps<State>,
                        public Wakeable,
                        public LoopTask,
                        public LoopTimer,
                        public ExchangeListener,
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
    state.transport().loop().open();
    auto call = std::make_shared<AsyncCall>(state, std::move(request), std::move(done), delivery);
    call->self_ = call;
    call->hear(begun);
  }

  void wake() noexcept override { hear(woken); }

  /// Looks at the news.
  void run() noexcept override {
    const unsigned news = news_.exchange(0);
    // cppcheck-suppress throwInNoexceptFunction  ; take() catches all
    if ((news & begun) != 0) take([this] { enter(); });
    if ((news & woken) != 0) take([this] { look_at_queue(); });
    if ((news & resumed) != 0) take([this] { resume(); });
    if ((news & cancelled) != 0) take([this] { cancel(); });
  }

  void due() noexcept override { take(std::exchange(at_timer_, nullptr)); }

  void over(Exchange exchange, const std::exception_ptr& thrown) noexcept override {
    exchange_ = nullptr;
    take([&] { answered(std::move(exchange), thrown); });
  }

 private:
  using Loop = std::remove_reference_t<decltype(std::declval<State&>().transport().loop())>;
  using Running = std::remove_pointer_t<decltype(std::declval<Loop&>().start(
      std::declval<const TransportRequest&>(), std::declval<ExchangeListener&>()))>;

  /// What other threads have to tell.
  enum News : unsigned { begun = 1, woken = 2, resumed = 4, cancelled = 8 };

  auto& loop() { return state_.transport().loop(); }

  /// Takes the news to the loop; needs no memory.
  void hear(News news) noexcept {
    if (news_.fetch_or(news) == 0) {
      loop().post(this->shared_from_this());
    }
  }

  /// Takes a step. One in which memory runs out is the last, unless an exchange is under way.
  template <class Step>
  void take(Step step) noexcept {
    const std::shared_ptr<AsyncCall> until_taken = this->shared_from_this();
    try {
      step();
    } catch (...) {
      if (exchange_ == nullptr) {
        sending_.reset();
        end(Unexpected(state_.out_of_memory()));
      }
    }
  }

  void enter() {
    if (auto problem = problem_with(request)) {
      return end(Unexpected(record_.error(ErrorCode::invalid_request, *problem)));
    }
    cancelled_by_caller_.emplace(request.cancel, [this] { hear(cancelled); });
    cancelled_by_client_.emplace(state_.closing(), [this] { hear(cancelled); });
    if (request.gate) {
      resumed_.emplace(*request.gate, [this] { hear(resumed); });
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
    set_timer((std::min)(patience_, state_.pool().sleep_until(*waiter_)), [this] { look_at_queue(); });
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
    set_timer(attempts_.deadline(), [this] {
      hear_ledger(*asking_, {.failure = "the ledger did not answer before the deadline"});
    });
    const auto heard = std::make_shared<LedgerNews>(this->shared_from_this(), asking_);
    state_.ledger_clerk().reserve(question, std::move(claims), asking_, [heard](LedgerReply reply) {
      heard->reply.emplace(std::move(reply));
      heard->call->loop().post(heard);
    });
  }

  /// The ledger's answer on its way to the loop.
  struct LedgerNews final : LoopTask {
    LedgerNews(std::shared_ptr<AsyncCall> of, std::shared_ptr<Ask> to)
        : call(std::move(of)), ask(std::move(to)) {}

    void run() noexcept override {
      call->take([this] { call->hear_ledger(*ask, *std::move(reply)); });
    }

    std::shared_ptr<AsyncCall> call;
    std::shared_ptr<Ask> ask;
    std::optional<LedgerReply> reply{};
  };

  void hear_ledger(const Ask& asked, LedgerReply reply) {
    if (asking_.get() != &asked) {
      return;
    }
    loop().forget(*this);
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
      exchange_ = loop().start(this->transport_request(*sending_), *this);
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
      return set_timer(later->when, [this] {
        record_.waited(now().steady - paused_at_);
        ask_pool();
      });
    }
    ask_pool();
  }

  void resume() {
    if (exchange_ != nullptr) {
      loop().resume(*exchange_);
    }
  }

  void cancel() {
    cancelled_ = true;
    if (exchange_ != nullptr) {
      loop().cancel(*exchange_);
    } else if (done_) {
      end_cancelled();
    }
  }

  /// Takes `step`, which captures nothing but this call, at `when`.
  void set_timer(SteadyTime when, std::function<void()> step) {
    at_timer_ = std::move(step);
    loop().set(*this, when);
  }

  void leave_queue() {
    loop().forget(*this);
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
      self_.reset();
    }
  }

  std::shared_ptr<AsyncCall> self_;
  std::atomic<unsigned> news_{0};
  Done done_;
  std::optional<CancelRegistration> cancelled_by_caller_;
  std::optional<CancelRegistration> cancelled_by_client_;
  std::optional<BodyGate::Listener> resumed_;
  std::optional<Waiter> waiter_;
  std::shared_ptr<Ask> asking_;  ///< while the ledger is asked
  std::optional<Sending> sending_;
  Running* exchange_ = nullptr;  ///< while it is under way
  std::function<void()> at_timer_;
  SteadyTime asked_at_{};
  SteadyTime paused_at_{};
  SteadyTime patience_{};
  bool cancelled_ = false;
};

}  // namespace tokenpool::detail
