#pragma once
// One call from its entry to its one end: it gets leases from the pool, exchanges from the transport and the
// next step from the attempt machine, and writes the trail. It decides nothing itself.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/base/result.hpp"
#include "tokenpool/client/signal.hpp"
#include "tokenpool/client/wire.hpp"
#include "tokenpool/http/timestamp.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/quota/attempt.hpp"
#include "tokenpool/retry/attempts.hpp"
#include "tokenpool/retry/classify.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool::detail {

/// What a failed exchange says of token and egress.
inline Classification meaning_of(const TransportFailure& failure) {
  const bool on_the_way = failure.kind == FailureKind::connect || failure.kind == FailureKind::proxy ||
                          failure.kind == FailureKind::tls ||
                          (failure.kind == FailureKind::lost && !failure.sent);
  Classification meaning;
  meaning.verdict = on_the_way ? Verdict::network_error : Verdict::ambiguous;
  meaning.reason = failure.detail;
  return meaning;
}

/// A blocking call. `State` is the client's: options, pool, transport, clock.
template <class State>
class Call {
 public:
  Call(State& state, Request& request)
      : state_(state),
        request_(request),
        entered_(state.clock().now()),
        random_(state.next_seed()),
        attempts_(state.options().retry, state.budget(), random_, facts()),
        signal_(std::make_shared<Signal>()),
        cancelled_by_caller_(request.cancel, [signal = signal_] { signal->cancel(); }),
        cancelled_by_client_(state.closing(), [signal = signal_] { signal->cancel(); }) {}

  /// Throws only what the caller's own code (body, classifier) threw.
  Result<Response> run() {
    if (auto problem = problem_with(request_)) {
      return error(ErrorCode::invalid_request, *problem);
    }
    for (;;) {
      Obtained obtained = obtain();
      if (Error* failed = std::get_if<Error>(&obtained)) {
        return Unexpected(std::move(*failed));
      }
      Lease* lease = std::get_if<Lease>(&obtained);
      const NextAction next = lease == nullptr ? Deliver{} : attempt(*lease);
      if (std::holds_alternative<Deliver>(next)) {
        last_->attempts = std::move(trail_);
        return std::move(*last_);
      }
      if (const Fail* failed = std::get_if<Fail>(&next)) {
        return error(failed->code, failed->reason, failed->retry_at);
      }
      if (!pause_before(next)) {
        return error(ErrorCode::cancelled, "the call was cancelled");
      }
    }
  }

 private:
  /// A lease, the end with the answer at hand, or the end with an Error.
  using Obtained = std::variant<Lease, Deliver, Error>;

  [[nodiscard]] CallFacts facts() const {
    const std::chrono::milliseconds total = state_.options().timeouts.total;
    const SteadyTime latest = total.count() == 0 ? end_of_time : after(entered_.steady, total);
    const SteadyTime own = request_.deadline ? after(entered_.steady, *request_.deadline) : end_of_time;
    return {.safe_to_repeat = is_idempotent(request_.method) || !request_.idempotency_key.empty() ||
                              state_.options().retry.replay == Replay::always,
            .repeatable_body = request_.body.repeatable(),
            .entered = entered_.steady,
            .deadline = (std::min)(latest, own)};
  }

  Obtained obtain() {
    for (;;) {
      const SteadyTime began = state_.clock().now().steady;
      Result<Acquired> acquired = acquire();
      const Duration waited = state_.clock().now().steady - began;
      attempts_.waited(waited);
      waited_ += waited;
      if (!acquired) {
        return std::move(acquired).error();
      }
      if (Lease* lease = std::get_if<Lease>(&*acquired)) {
        return std::move(*lease);
      }
      if (const Never* reason = std::get_if<Never>(&*acquired)) {
        return never_ever(*reason);
      }
      Result<Lease> confirmed = ask_ledger(std::get<Ask>(std::move(*acquired)));
      if (confirmed) {
        return *std::move(confirmed);
      }
      if (confirmed.error().code() == ErrorCode::ledger) {
        return std::move(confirmed).error();
      }
    }
  }

  /// Never NotUntil: that is waited for, or becomes the Error.
  Result<Acquired> acquire() {
    try {
      Waiter waiter{.request = {request_.bucket, request_.cost, request_.affinity, attempts_.asked()},
                    .wakeable = signal_};
      NotUntil refusal;
      std::optional<Acquired> acquired = state_.pool().acquire_or_join(waiter, state_.clock().now(), refusal);
      return acquired ? Result<Acquired>(std::move(*acquired)) : wait_in_queue(waiter, refusal);
    } catch (const Error& policy_error) {
      return error(policy_error.code(), policy_error.what());
    } catch (const std::exception& thrown) {
      return error(ErrorCode::invalid_request, std::string("the selection policy threw: ") + thrown.what());
    }
  }

  Result<Acquired> wait_in_queue(Waiter& waiter, NotUntil refusal) {
    const LeavesQueue leaves{state_.pool(), waiter};
    const SteadyTime patience = attempts_.patience(state_.clock().now().steady);
    for (;;) {
      if (refusal.when > patience && refusal.when != end_of_time) {
        return exhausted(refusal);
      }
      signal_->wait(state_.clock(), (std::min)(patience, state_.pool().sleep_until(waiter)));
      if (signal_->cancelled()) {
        return error(ErrorCode::cancelled, "the call was cancelled while it waited for a token");
      }
      state_.pool().tick(state_.clock().now());
      if (std::optional<Acquired> acquired = state_.pool().collect(waiter)) {
        return std::move(*acquired);
      }
      refusal = state_.pool().refusal(waiter);
      if (state_.clock().now().steady >= patience) {
        return exhausted(refusal);
      }
    }
  }

  /// Whatever ends the wait, the waiter is out of the queue; a lease that came too late is given back.
  struct LeavesQueue {
    typename State::Pool& pool;
    Waiter& waiter;
    ~LeavesQueue() { static_cast<void>(pool.leave(waiter)); }
  };

  /// Asks the remote ledger outside of the pool's lock. A refusal is Error{exhausted}: the caller tries the
  /// pool again.
  Result<Lease> ask_ledger(Ask ask) {
    try {
      const LedgerAnswer answer = state_.options().ledger->reserve(ask.claims, {});
      if (answer.granted) {
        return std::move(ask.lease);
      }
      state_.pool().refuse(std::move(ask), answer, state_.clock().now());
      return error(ErrorCode::exhausted, "the ledger has no room");
    } catch (const std::exception& thrown) {
      return error(ErrorCode::ledger, std::string("the ledger could not be asked: ") + thrown.what());
    }
  }

  Obtained never_ever(const Never& never_reason) {
    switch (never_reason.reason) {
      case Never::Reason::cost_too_large:
        return make_error(ErrorCode::invalid_request, "cost is " + std::to_string(request_.cost) +
                                                          ", but a limit holds at most " +
                                                          std::to_string(never_reason.amount) +
                                                          ": make the request smaller or raise the limit");
      case Never::Reason::all_asked: return Deliver{};
      case Never::Reason::no_tokens: break;
    }
    return make_error(ErrorCode::no_tokens,
                      "no token is left: all are ejected or disabled; enable() brings one back");
  }

  /// Sends once, and says what is next.
  NextAction attempt(Lease& lease) {
    const ClientOptions& options = state_.options();
    const Egress& egress = state_.pool().egress(lease.egress());
    std::optional<Wire> wire;
    try {
      wire = wire_for(options, lease.credential(), request_);
    } catch (const Error& unfit) {
      return Fail{unfit.code(), unfit.what(), {}};
    }
    const std::optional<std::string> proxy =
        options.egress.empty() ? std::nullopt : std::optional(egress.proxy);
    const Now started = state_.clock().now();
    const TransportRequest request{request_.method,
                                   wire->url,
                                   wire->headers,
                                   request_.body,
                                   egress.source,
                                   proxy,
                                   options.timeouts,
                                   options.tls,
                                   options.http,
                                   attempts_.deadline(),
                                   request_.max_response_bytes.value_or(options.http.max_response_bytes),
                                   options.retry.replay == Replay::never};
    try {
      return settle(lease, egress, state_.transport().perform(request, *signal_), started);
    } catch (...) {
      give_up(lease);
      throw;
    }
  }

  /// The caller's own code threw: the request may have gone out, so it counts.
  void give_up(Lease& lease) {
    const Now now = state_.clock().now();
    Outcome outcome;
    outcome.meaning.verdict = Verdict::ambiguous;
    outcome.answered_at = now.steady;
    lease.settle(outcome, now);
  }

  NextAction settle(Lease& lease, const Egress& egress, Exchange exchange, Now started) {
    const Now now = state_.clock().now();
    const std::string_view secret = lease.credential().secret.reveal();
    Classification meaning;
    if (exchange.failure) {
      exchange.failure->detail = masked(std::move(exchange.failure->detail), secret);
      meaning = meaning_of(*exchange.failure);
    } else {
      meaning = classified(exchange.answer, now.wall);
    }
    note_attempt(lease, egress, exchange, meaning, started, now);
    remember_response(lease, egress, exchange);
    const SlotNumber slot = lease.slot();
    const Outcome outcome = outcome_of(exchange, meaning, started);
    const SettleResult settled = lease.settle(outcome, now);
    const NextAction next = exchange.failure
                                ? attempts_.failed(*exchange.failure, now.steady)
                                : attempts_.answered(meaning, slot, settled.endpoint_at_fault, now.steady);
    tell_observer(settled, next, now);
    return next;
  }

  Classification classified(const Answer& answer, WallTime now) const {
    for (const Classifier& classifier : state_.options().classify) {
      if (std::optional<Classification> opinion = classifier(answer, now)) {
        return *std::move(opinion);
      }
    }
    return classify(answer, now);
  }

  Outcome outcome_of(const Exchange& exchange, const Classification& meaning, Now started) const {
    Outcome outcome;
    outcome.sent = exchange.sent;
    outcome.meaning = meaning;
    outcome.answered = !exchange.failure;
    outcome.answered_at = exchange.answered_at;
    outcome.latency = (std::max)(exchange.answered_at - started.steady, Duration::zero());
    if (!exchange.failure && state_.options().cost_of) {
      outcome.cost = state_.options().cost_of(*last_);
    }
    return outcome;
  }

  void note_attempt(const Lease& lease, const Egress& egress, const Exchange& exchange,
                    const Classification& meaning, Now started, Now now) {
    Attempt attempt;
    attempt.token_id = lease.credential().token_id;
    attempt.egress_id = egress.id;
    attempt.status = exchange.failure ? 0 : exchange.answer.status;
    attempt.verdict = meaning.verdict;
    attempt.reason = meaning.reason;
    attempt.started = started.wall;
    attempt.duration = std::chrono::duration_cast<std::chrono::microseconds>(now.steady - started.steady);
    attempt.waited =
        std::chrono::duration_cast<std::chrono::microseconds>(std::exchange(waited_, Duration::zero()));
    attempt.resent = exchange.resent;
    trail_.push_back(std::move(attempt));
  }

  void remember_response(const Lease& lease, const Egress& egress, Exchange& exchange) {
    if (exchange.answer.status == 0) {
      return;
    }
    last_.emplace(Response{exchange.answer.status,
                           std::move(exchange.answer.headers),
                           std::move(exchange.answer.body),
                           lease.credential().token_id,
                           egress.id,
                           {},
                           exchange.timing});
  }

  void tell_observer(const SettleResult& settled, const NextAction& next, Now now) {
    const Observer& observer = state_.options().observer;
    tell(observer.on_attempt, AttemptEvent{trail_.back()});
    for (const PoolEvent& event : settled.events) {
      tell(observer, event, now);
    }
    if (const SendAt* later = std::get_if<SendAt>(&next)) {
      tell(observer.on_retry, RetryEvent{trail_.back(), later->when - now.steady});
    } else if (std::holds_alternative<SendNext>(next)) {
      tell(observer.on_retry, RetryEvent{trail_.back(), Duration::zero()});
    }
  }

  /// Waits out the back-off; false when cancelled.
  bool pause_before(const NextAction& next) {
    if (const SendAt* later = std::get_if<SendAt>(&next)) {
      const SteadyTime began = state_.clock().now().steady;
      while (!signal_->cancelled() && state_.clock().now().steady < later->when) {
        signal_->wait(state_.clock(), later->when);
      }
      waited_ += state_.clock().now().steady - began;
    }
    return !signal_->cancelled();
  }

  Unexpected exhausted(const NotUntil& refusal) {
    const std::string what = state_.pool().describe(refusal);
    const Now now = state_.clock().now();
    std::optional<SteadyTime> retry_at;
    std::string text = what + " exhausted: all are in use and none came free in time";
    if (refusal.when != end_of_time) {
      retry_at = refusal.when;
      text = what + " exhausted until " + to_rfc3339(to_wall(refusal.when, now));
    }
    tell(state_.options().observer.on_exhausted,
         ExhaustedEvent{text, retry_at ? std::optional(to_wall(*retry_at, now)) : std::nullopt});
    return error(ErrorCode::exhausted, text, retry_at);
  }

  Unexpected error(ErrorCode code, const std::string& reason, std::optional<SteadyTime> retry_at = {}) {
    return Unexpected(make_error(code, reason, retry_at));
  }

  Error make_error(ErrorCode code, const std::string& reason, std::optional<SteadyTime> retry_at = {}) {
    auto details = std::make_shared<ErrorDetails>();
    if (retry_at) {
      details->retry_at = to_wall(*retry_at, state_.clock().now());
    }
    details->attempts = trail_;
    details->response = last_;
    std::string text = reason;
    if (last_ && code == ErrorCode::http_status) {
      text = "the server answered " + std::to_string(last_->status) + ": " + reason;
    }
    return Error(code, text, std::move(details));
  }

  State& state_;
  Request& request_;
  Now entered_;
  SplitMix64 random_;
  Attempts attempts_;
  std::shared_ptr<Signal> signal_;
  CancelRegistration cancelled_by_caller_;
  CancelRegistration cancelled_by_client_;
  std::vector<Attempt> trail_;
  std::optional<Response> last_;
  Duration waited_{};
};

}  // namespace tokenpool::detail
