#pragma once
// The blocking call, from its entry to its one end: it gets leases from the pool, exchanges from the
// transport and the next step from the attempt machine. It decides nothing itself.

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "tokenpool/base/cancel.hpp"
#include "tokenpool/base/error.hpp"
#include "tokenpool/base/result.hpp"
#include "tokenpool/client/signal.hpp"
#include "tokenpool/client/steps.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/waiters.hpp"
#include "tokenpool/retry/attempts.hpp"

namespace tokenpool::detail {

/// A blocking call. `State` is the client's: options, pool, transport, clock.
template <class State>
class Call : private CallSteps<State> {
  using Steps = CallSteps<State>;
  using Steps::attempts_;
  using Steps::now;
  using Steps::record_;
  using Steps::request_;
  using Steps::state_;
  using typename Steps::Obtained;

 public:
  /// `delivery` is where the body goes as it comes; null: it is collected.
  Call(State& state, Request& request, std::unique_ptr<Delivery> delivery = {})
      : Steps(state, request, std::move(delivery)),
        signal_(std::make_shared<Signal>()),
        cancelled_by_caller_(request.cancel, [signal = signal_.get()] { signal->cancel(); }),
        cancelled_by_client_(state.closing(), [signal = signal_.get()] { signal->cancel(); }) {
    if (request.gate) {
      resumed_.emplace(*request.gate, [signal = signal_.get()] { signal->notify(); });
    }
  }

  /// Throws only what the caller's own code (body, consumer, classifier, cost_of) threw, or std::bad_alloc.
  Result<Response> run() {
    if (auto problem = problem_with(request_)) {
      return Unexpected(record_.error(ErrorCode::invalid_request, *problem));
    }
    while (!signal_->cancelled()) {
      Obtained obtained = obtain();
      if (Error* failed = std::get_if<Error>(&obtained)) {
        return Unexpected(std::move(*failed));
      }
      Leased* leased = std::get_if<Leased>(&obtained);
      const NextAction next = leased == nullptr ? Deliver{} : attempt(std::move(*leased));
      if (std::holds_alternative<Deliver>(next)) {
        return record_.deliver();
      }
      if (const Fail* failed = std::get_if<Fail>(&next)) {
        return Unexpected(record_.error(failed->code, failed->reason, this->in_wall_time(failed->retry_at)));
      }
      pause_before(next);
    }
    return Unexpected(record_.error(ErrorCode::cancelled, "the call was cancelled"));
  }

 private:
  Obtained obtain() {
    for (;;) {
      Result<Acquired> acquired = acquire();
      if (!acquired) {
        return std::move(acquired).error();
      }
      if (Lease* lease = std::get_if<Lease>(&*acquired)) {
        return Leased{std::move(*lease)};
      }
      if (const Never* reason = std::get_if<Never>(&*acquired)) {
        return this->never_ever(*reason);
      }
      if (const NotUntil* refusal = std::get_if<NotUntil>(&*acquired)) {
        return this->queue_is_full(*refusal);
      }
      if (std::optional<Obtained> confirmed = ask_ledger(std::get<Ask>(*std::move(acquired)))) {
        return *std::move(confirmed);
      }
    }
  }

  /// Waits for what is not there yet. A policy that throws ends the call in an Error.
  Result<Acquired> acquire() {
    try {
      Waiter waiter{.request = this->need(), .wakeable = signal_};
      NotUntil refusal;
      const Now asked = now();
      if (std::optional<Acquired> acquired = state_.pool().acquire_or_join(waiter, asked, refusal)) {
        return std::move(*acquired);
      }
      Result<Acquired> acquired = wait_in_queue(waiter, refusal);
      this->waited_for_token(asked.steady);
      return acquired;
    } catch (...) {
      return Unexpected(this->policy_error());
    }
  }

  Result<Acquired> wait_in_queue(Waiter& waiter, NotUntil refusal) {
    const LeavesQueue leaves{state_.pool(), waiter};
    const SteadyTime patience = attempts_.patience(now().steady);
    for (;;) {
      if (refusal.when > patience && refusal.when != end_of_time) {
        return Unexpected(this->exhausted(refusal));
      }
      signal_->wait(state_.clock(), (std::min)(patience, state_.pool().sleep_until(waiter)));
      if (signal_->cancelled()) {
        return Unexpected(
            record_.error(ErrorCode::cancelled, "the call was cancelled while it waited for a token"));
      }
      state_.pool().tick(now());
      if (std::optional<Acquired> acquired = state_.pool().collect(waiter)) {
        return std::move(*acquired);
      }
      refusal = state_.pool().refusal(waiter);
      if (now().steady >= patience) {
        return Unexpected(this->exhausted(refusal));
      }
    }
  }

  /// Whatever ends the wait, the waiter is out of the queue; a lease that came too late is given back.
  struct LeavesQueue {
    typename State::Pool& pool;
    Waiter& waiter;
    ~LeavesQueue() { static_cast<void>(pool.leave(waiter)); }
  };

  /// Asks the shared ledger, outside of the pool's lock and on this thread.
  std::optional<Obtained> ask_ledger(Ask ask) {
    LedgerReply reply = state_.ledger_desk().reserve(this->ledger_question(ask));
    return this->confirm(std::move(ask), std::move(reply));
  }

  /// Sends once, and says what is next.
  NextAction attempt(Leased&& leased) {
    std::optional<Sending> sending;
    try {
      sending.emplace(this->prepare(std::move(leased)));
    } catch (const Error& unfit) {
      return Fail{unfit.code(), unfit.what(), {}};
    }
    return this->conclude(*sending, exchange(*sending));
  }

  Exchange exchange(Sending& sending) {
    try {
      return state_.transport().perform(this->transport_request(sending), *signal_);
    } catch (...) {
      this->give_up(sending.leased);
      throw;
    }
  }

  /// Waits out the back-off, or until cancelled.
  void pause_before(const NextAction& next) {
    if (const SendAt* later = std::get_if<SendAt>(&next)) {
      const SteadyTime began = now().steady;
      while (!signal_->cancelled() && now().steady < later->when) {
        signal_->wait(state_.clock(), later->when);
      }
      record_.waited(now().steady - began);
    }
  }

  std::shared_ptr<Signal> signal_;
  CancelRegistration cancelled_by_caller_;
  CancelRegistration cancelled_by_client_;
  std::optional<BodyGate::Listener> resumed_;
};

}  // namespace tokenpool::detail
