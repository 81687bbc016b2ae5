#pragma once
// The asynchronous call: the same steps as the blocking one, taken by events on the transport's loop. While
// it waits for a token, a timer or an answer it is a kilobyte and no thread.

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/base/result.hpp"
#include "tokenpool/client/async_events.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/waiters.hpp"
#include "tokenpool/retry/attempts.hpp"

namespace tokenpool::detail {

/// One asynchronous call. Used on the loop's thread alone.
template <class State>
class AsyncCall final : public AsyncEvents<State> {
  using Events = AsyncEvents<State>;
  using Events::attempts_;
  using Events::exchange_;
  using Events::loop;
  using Events::now;
  using Events::record_;
  using Events::request_;
  using Events::state_;
  using typename Events::Obtained;

 public:
  using Done = std::function<void(Result<Response>)>;
  using typename Events::MakeDelivery;

  AsyncCall(State& state, Request&& request, Done&& done, const MakeDelivery& delivery)
      : Events(state, std::move(request), delivery), done_(std::move(done)) {}

  /// Begins a call; `done` is called once, on the loop's thread.
  static void begin(State& state, Request&& request, Done&& done, const MakeDelivery& delivery = {}) {
    state.transport().loop().open();
    std::make_shared<AsyncCall>(state, std::move(request), std::move(done), delivery)->Events::begin();
  }

 private:
  using Nothing = std::monostate;
  using Asking = std::shared_ptr<Ask>;

  void enter() override {
    if (auto problem = problem_with(request_)) {
      return end(Unexpected(record_.error(ErrorCode::invalid_request, *problem)));
    }
    this->listen();
    ask_pool();
  }

  void ask_pool() {
    const Now asked = now();
    asked_at_ = asked.steady;
    patience_ = attempts_.patience(asked_at_);
    Waiter& waiter = stage_.template emplace<Waiter>(
        Waiter{.request = this->need(), .wakeable = this->shared_from_this()});
    try {
      NotUntil refusal;
      std::optional<Acquired> acquired = state_.pool().acquire_or_join(waiter, asked, refusal);
      acquired ? got(std::move(*acquired)) : wait_for(waiter, refusal);
    } catch (...) {
      end_with_policy_error();
    }
  }

  /// Served, or woken as the owner of the timer; stale news finds no waiter.
  void look_at_queue() override {
    Waiter* const waiter = std::get_if<Waiter>(&stage_);
    if (waiter == nullptr) {
      return;
    }
    try {
      state_.pool().tick(now());
      if (std::optional<Acquired> acquired = state_.pool().collect(*waiter)) {
        this->waited_for_token(asked_at_);
        return got(std::move(*acquired));
      }
    } catch (...) {
      return end_with_policy_error();
    }
    const NotUntil refusal = state_.pool().refusal(*waiter);
    now().steady >= patience_ ? end(Unexpected(this->exhausted(refusal))) : wait_for(*waiter, refusal);
  }

  void wait_for(const Waiter& waiter, const NotUntil& refusal) {
    if (refusal.when > patience_ && refusal.when != end_of_time) {
      return end(Unexpected(this->exhausted(refusal)));
    }
    set_timer((std::min)(patience_, state_.pool().sleep_until(waiter)), &AsyncCall::look_at_queue);
  }

  void got(Acquired&& acquired) {
    leave_queue();
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
    const Asking asking = std::make_shared<Ask>(std::move(ask));
    stage_ = asking;
    set_timer(attempts_.deadline(), &AsyncCall::miss_ledger);
    const auto heard =
        std::make_shared<LedgerNews>(std::static_pointer_cast<AsyncCall>(this->shared_from_this()), asking);
    state_.ledger_clerk().reserve(question, std::move(claims), asking, [heard](LedgerReply reply) {
      heard->reply.emplace(std::move(reply));
      heard->call->loop().post(heard);
    });
  }

  /// The ledger's answer on its way to the loop.
  struct LedgerNews final : LoopTask {
    LedgerNews(std::shared_ptr<AsyncCall> of, Asking to) : call(std::move(of)), ask(std::move(to)) {}

    void run() noexcept override {
      call->take([this] { call->hear_ledger(*ask, *std::move(reply)); });
    }

    std::shared_ptr<AsyncCall> call;
    Asking ask;
    std::optional<LedgerReply> reply{};
  };

  void miss_ledger() {
    hear_ledger(*std::get<Asking>(stage_), {.failure = "the ledger did not answer before the deadline"});
  }

  void hear_ledger(const Ask& asked, LedgerReply reply) {
    const Asking* const asking = std::get_if<Asking>(&stage_);
    if (asking == nullptr || asking->get() != &asked) {
      return;
    }
    loop().forget(*this);
    Ask ask = std::move(**asking);
    stage_.template emplace<Nothing>();
    std::optional<Obtained> obtained = this->confirm(std::move(ask), std::move(reply));
    if (!obtained) {
      return ask_pool();
    }
    if (const Error* failed = std::get_if<Error>(&*obtained)) {
      return end(Unexpected(*failed));
    }
    send(std::get<Leased>(*std::move(obtained)));
  }

  void send(Leased&& leased) {
    try {
      stage_.template emplace<Sending>(this->prepare(std::move(leased)));
    } catch (const Error& unfit) {
      return end(Unexpected(record_.error(unfit.code(), unfit.what())));
    }
    try {
      exchange_ = loop().start(this->transport_request(std::get<Sending>(stage_)), *this);
    } catch (...) {
      answered({}, std::current_exception());
    }
  }

  void answered(Exchange&& exchange, const std::exception_ptr& thrown) override {
    try {
      Sending& sending = std::get<Sending>(stage_);
      if (thrown) {
        this->give_up(sending.leased);
        std::rethrow_exception(thrown);
      }
      const NextAction next = this->conclude(sending, std::move(exchange));
      stage_.template emplace<Nothing>();
      go_on(next);
    } catch (const std::exception& by_caller) {
      end(Unexpected(record_.error(ErrorCode::invalid_request,
                                   std::string("the caller's own code threw: ") + by_caller.what())));
    } catch (...) {
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
      return set_timer(later->when, &AsyncCall::end_pause);
    }
    ask_pool();
  }

  void end_pause() {
    record_.waited(now().steady - paused_at_);
    ask_pool();
  }

  void resume() override {
    if (exchange_ != nullptr) {
      loop().resume(*exchange_);
    }
  }

  void cancel() override {
    cancelled_ = true;
    if (exchange_ != nullptr) {
      loop().cancel(*exchange_);
    } else if (done_) {
      end_cancelled();
    }
  }

  /// Takes `step` at `when`.
  void set_timer(SteadyTime when, void (AsyncCall::*step)()) {
    at_timer_ = step;
    loop().set(*this, when);
  }
  void time_is_up() override { (this->*at_timer_)(); }

  /// Whatever else the call was about is over by this, too: a lease is given back, or counted.
  void leave_queue() {
    loop().forget(*this);
    if (Waiter* waiter = std::get_if<Waiter>(&stage_)) {
      static_cast<void>(state_.pool().leave(*waiter));
    }
    stage_.template emplace<Nothing>();
  }

  void end_with_policy_error() { end(Unexpected(this->policy_error())); }
  void end_cancelled() { end(Unexpected(record_.error(ErrorCode::cancelled, "the call was cancelled"))); }

  void memory_ran_out() override { end(Unexpected(state_.out_of_memory())); }

  /// The one end. The caller's function is gone before it is called, so there is no second time.
  template <class Ending>
  void end(Ending&& ending) {
    leave_queue();
    this->stop_listening();
    if (const Done done = std::exchange(done_, nullptr)) {
      try {
        done(std::forward<Ending>(ending));
      } catch (...) {  // nobody is there to whom it could be passed on
      }
      this->finish();
    }
  }

  Done done_;
  std::variant<Nothing, Waiter, Asking, Sending> stage_;  ///< in the queue, at the ledger, or on the wire
  void (AsyncCall::*at_timer_)() = nullptr;
  SteadyTime asked_at_{};
  SteadyTime paused_at_{};
  SteadyTime patience_{};
  bool cancelled_ = false;
};

}  // namespace tokenpool::detail
