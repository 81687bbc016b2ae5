#pragma once
// One call from its entry to its one end: it gets leases from the pool, exchanges from the transport and the
// next step from the attempt machine, and writes the record. It decides nothing itself.

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "tokenpool/base/cancel.hpp"
#include "tokenpool/base/error.hpp"
#include "tokenpool/base/result.hpp"
#include "tokenpool/client/leasing.hpp"
#include "tokenpool/client/observer.hpp"
#include "tokenpool/client/record.hpp"
#include "tokenpool/client/signal.hpp"
#include "tokenpool/client/wire.hpp"
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
        random_(state.next_seed()),
        attempts_(state.options().retry, state.budget(), random_, facts(state, request)),
        signal_(std::make_shared<Signal>()),
        cancelled_by_caller_(request.cancel, [signal = signal_] { signal->cancel(); }),
        cancelled_by_client_(state.closing(), [signal = signal_] { signal->cancel(); }),
        leasing_(state, request, attempts_, record_, signal_) {}

  /// Throws only what the caller's own code (body, classifier, cost_of) threw, or std::bad_alloc.
  Result<Response> run() {
    if (auto problem = problem_with(request_)) {
      return Unexpected(record_.error(ErrorCode::invalid_request, *problem));
    }
    while (!signal_->cancelled()) {
      auto obtained = leasing_.obtain();
      if (Error* failed = std::get_if<Error>(&obtained)) {
        return Unexpected(std::move(*failed));
      }
      Leased* leased = std::get_if<Leased>(&obtained);
      const NextAction next = leased == nullptr ? Deliver{} : attempt(*leased);
      if (std::holds_alternative<Deliver>(next)) {
        return record_.deliver();
      }
      if (const Fail* failed = std::get_if<Fail>(&next)) {
        return Unexpected(record_.error(failed->code, failed->reason, in_wall_time(failed->retry_at)));
      }
      pause_before(next);
    }
    return Unexpected(record_.error(ErrorCode::cancelled, "the call was cancelled"));
  }

 private:
  [[nodiscard]] static CallFacts facts(const State& state, const Request& request) {
    const ClientOptions& options = state.options();
    const SteadyTime entered = state.clock().now().steady;
    const bool no_total = options.timeouts.total.count() == 0;
    const SteadyTime latest = no_total ? end_of_time : after(entered, options.timeouts.total);
    const SteadyTime own = request.deadline ? after(entered, *request.deadline) : end_of_time;
    return {.safe_to_repeat = is_idempotent(request.method) || !request.idempotency_key.empty() ||
                              options.retry.replay == Replay::always,
            .repeatable_body = request.body.repeatable(),
            .deadline = (std::min)(latest, own)};
  }

  [[nodiscard]] std::optional<WallTime> in_wall_time(std::optional<SteadyTime> instant) const {
    return instant ? std::optional(to_wall(*instant, state_.clock().now())) : std::nullopt;
  }

  /// Sends once, and says what is next.
  NextAction attempt(Leased& leased) {
    std::optional<Wire> wire;
    try {
      wire = wire_for(state_.options(), state_.base(), leased.lease.credential(), request_);
    } catch (const Error& unfit) {
      return Fail{unfit.code(), unfit.what(), {}};
    }
    const Egress& egress = state_.pool().egress(leased.lease.egress());
    const Now started = state_.clock().now();
    Exchange exchange;
    Outcome outcome;
    try {
      exchange = perform(*wire, egress);
      outcome = understand(exchange, leased.lease, egress, started);
    } catch (...) {
      give_up(leased);
      throw;
    }
    return settle(leased, exchange, outcome);
  }

  Exchange perform(const Wire& wire, const Egress& egress) {
    const ClientOptions& options = state_.options();
    const std::optional<std::string> proxy =
        options.egress.empty() ? std::nullopt : std::optional(egress.proxy);
    const TransportRequest request{request_.method,
                                   wire.url,
                                   wire.headers,
                                   request_.body,
                                   egress.source,
                                   proxy,
                                   options.timeouts,
                                   options.tls,
                                   options.http,
                                   attempts_.deadline(),
                                   request_.max_response_bytes.value_or(options.http.max_response_bytes),
                                   state_.settings(),
                                   options.retry.replay == Replay::never};
    return state_.transport().perform(request, *signal_);
  }

  /// Reads the exchange and writes it into the record.
  Outcome understand(Exchange& exchange, const Lease& lease, const Egress& egress, Now started) {
    const Now now = state_.clock().now();
    const std::string_view secret = lease.credential().secret.reveal();
    Outcome outcome;
    outcome.sent = exchange.sent;
    outcome.answered = !exchange.failure;
    outcome.answered_at = exchange.answered_at;
    outcome.latency = (std::max)(exchange.answered_at - started.steady, Duration::zero());
    if (exchange.failure) {
      exchange.failure->detail = masked(std::move(exchange.failure->detail), secret);
      outcome.meaning = meaning_of(*exchange.failure);
    } else {
      outcome.meaning = classified(exchange.answer, now.wall);
      outcome.meaning.reason = masked(std::move(outcome.meaning.reason), secret);
    }
    note_attempt(exchange, outcome.meaning, lease, egress, started, now);
    if (!exchange.failure) {
      record_.answered({.status = exchange.answer.status,
                        .headers = std::move(exchange.answer.headers),
                        .body = std::move(exchange.answer.body),
                        .token_id = lease.credential().token_id,
                        .egress_id = egress.id,
                        .attempts = {},
                        .timing = exchange.timing});
      outcome.cost = state_.options().cost_of ? state_.options().cost_of(record_.last()) : std::nullopt;
    }
    return outcome;
  }

  Classification classified(const Answer& answer, WallTime now) const {
    for (const Classifier& classifier : state_.options().classify) {
      if (std::optional<Classification> opinion = classifier(answer, now)) {
        return *std::move(opinion);
      }
    }
    return classify(answer, now);
  }

  void note_attempt(const Exchange& exchange, const Classification& meaning, const Lease& lease,
                    const Egress& egress, Now started, Now now) {
    Attempt attempt;
    attempt.token_id = lease.credential().token_id;
    attempt.egress_id = egress.id;
    attempt.status = exchange.failure ? 0 : exchange.answer.status;
    attempt.verdict = meaning.verdict;
    attempt.reason = meaning.reason;
    attempt.started = started.wall;
    attempt.duration = std::chrono::duration_cast<std::chrono::microseconds>(now.steady - started.steady);
    attempt.resent = exchange.resent;
    record_.add(std::move(attempt));
  }

  NextAction settle(Leased& leased, const Exchange& exchange, const Outcome& outcome) {
    const Now now = state_.clock().now();
    const SlotNumber slot = leased.lease.slot();
    if (leased.reservation) {
      leased.reservation->ended(outcome.sent, outcome.cost);
    }
    const SettleResult settled = leased.lease.settle(outcome, now);
    attempts_.set_repeatable_body(request_.body.repeatable());
    const NextAction next =
        exchange.failure ? attempts_.failed(*exchange.failure, now.steady)
                         : attempts_.answered(outcome.meaning, slot, settled.endpoint_at_fault, now.steady);
    tell_observer(settled, next, now);
    return next;
  }

  /// The caller's own code threw: the request may have gone out, so it counts.
  void give_up(Leased& leased) {
    const Now now = state_.clock().now();
    Outcome outcome;
    outcome.meaning.verdict = Verdict::ambiguous;
    outcome.answered_at = now.steady;
    if (leased.reservation) {
      leased.reservation->ended(true, std::nullopt);
    }
    leased.lease.settle(outcome, now);
  }

  void tell_observer(const SettleResult& settled, const NextAction& next, Now now) {
    const Observer& observer = state_.options().observer;
    tell(observer.on_attempt, AttemptEvent{record_.newest()});
    for (const PoolEvent& event : settled.events) {
      tell(observer, event, now);
    }
    if (const SendAt* later = std::get_if<SendAt>(&next)) {
      tell(observer.on_retry, RetryEvent{record_.newest(), later->when - now.steady});
    } else if (std::holds_alternative<SendNext>(next)) {
      tell(observer.on_retry, RetryEvent{record_.newest(), Duration::zero()});
    }
  }

  /// Waits out the back-off, or until cancelled.
  void pause_before(const NextAction& next) {
    if (const SendAt* later = std::get_if<SendAt>(&next)) {
      const SteadyTime began = state_.clock().now().steady;
      while (!signal_->cancelled() && state_.clock().now().steady < later->when) {
        signal_->wait(state_.clock(), later->when);
      }
      record_.waited(state_.clock().now().steady - began);
    }
  }

  State& state_;
  Request& request_;
  SplitMix64 random_;
  Attempts attempts_;
  CallRecord record_;
  std::shared_ptr<Signal> signal_;
  CancelRegistration cancelled_by_caller_;
  CancelRegistration cancelled_by_client_;
  Leasing<State> leasing_;
};

}  // namespace tokenpool::detail
