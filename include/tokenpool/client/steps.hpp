#pragma once
// The steps of a call that every kind of call takes alike, blocking or not: what goes over the wire, what
// came back, what it means for the pool, and the words of each end. Nothing here waits.

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "tokenpool/base/error.hpp"
#include "tokenpool/client/ledger_notes.hpp"
#include "tokenpool/client/observer.hpp"
#include "tokenpool/client/record.hpp"
#include "tokenpool/client/wire.hpp"
#include "tokenpool/http/timestamp.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/quota/attempt.hpp"
#include "tokenpool/quota/dialects.hpp"
#include "tokenpool/retry/attempts.hpp"
#include "tokenpool/retry/classify.hpp"
#include "tokenpool/retry/classify_failure.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool::detail {

/// Leave to send, with what a remote ledger keeps for it.
struct Leased {
  Lease lease;
  std::optional<Reservation> reservation{};
};

/// A request on its way: what the transport is told, and what has to live for as long as it is told so.
struct Sending {
  Leased leased;
  Wire wire;
  const Egress& egress;
  std::optional<std::string> proxy;
  Now started;
};

/// One call's state and steps. `State` is the client's: options, pool, transport, clock. Used by one thread
/// at a time.
template <class State>
class CallSteps {
 public:
  /// How the question for a lease ends: with one, with the answer at hand, or with an Error.
  using Obtained = std::variant<Leased, Deliver, Error>;

  CallSteps(State& state, Request& request)
      : state_(state),
        request_(request),
        random_(state.next_seed()),
        attempts_(state.options().retry, state.budget(), random_, facts(state, with_key(request))) {}
  CallSteps(const CallSteps&) = delete;
  CallSteps& operator=(const CallSteps&) = delete;

 protected:
  ~CallSteps() = default;

  [[nodiscard]] Now now() const { return state_.clock().now(); }

  [[nodiscard]] LeaseRequest need() {
    return {.bucket = request_.bucket,
            .cost = request_.cost,
            .affinity = request_.affinity,
            .asked = attempts_.asked(),
            .skipped = state_.options().explain ? &record_.skipped() : nullptr};
  }

  /// The time from `began` on was a wait for a token.
  void waited_for_token(SteadyTime began) {
    const Duration waited = now().steady - began;
    attempts_.waited(waited);
    record_.waited(waited);
  }

  /// The pool can never serve this call.
  Obtained never_ever(const Never& never_reason) {
    switch (never_reason.reason) {
      case Never::Reason::cost_too_large:
        return record_.error(ErrorCode::invalid_request, "cost is " + std::to_string(request_.cost) +
                                                             ", but a limit holds at most " +
                                                             std::to_string(never_reason.amount) +
                                                             ": make the request smaller or raise the limit");
      case Never::Reason::all_asked: return Deliver{};
      case Never::Reason::no_tokens: break;
    }
    return record_.error(ErrorCode::no_tokens,
                         "no token is left: all are ejected or disabled; enable() brings one back");
  }

  Error queue_is_full(const NotUntil& refusal) {
    return exhausted_error(std::to_string(state_.options().max_waiting) +
                               " calls wait already: raise max_waiting or call less often",
                           refusal.when);
  }

  Error exhausted(const NotUntil& refusal) {
    const std::string what = state_.pool().describe(refusal);
    return refusal.when == end_of_time
               ? exhausted_error(what + " exhausted: all is in use and nothing came free in time",
                                 end_of_time)
               : exhausted_error(
                     what + " exhausted until " + to_rfc3339(to_wall(refusal.when, state_.clock().now())),
                     refusal.when);
  }

  Error exhausted_error(const std::string& text, SteadyTime when) {
    const std::optional<WallTime> retry_at =
        when == end_of_time ? std::nullopt : std::optional(to_wall(when, state_.clock().now()));
    tell(state_.options().observer.on_exhausted, ExhaustedEvent{text, retry_at});
    return record_.error(ErrorCode::exhausted, text, retry_at);
  }

  /// What the policy threw, told inside of a catch block; memory that ran out is passed on.
  Error policy_error() {
    try {
      throw;
    } catch (const Error& unfit_index) {
      return record_.error(unfit_index.code(), unfit_index.what());
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& thrown) {
      return record_.error(ErrorCode::invalid_request,
                           std::string("the selection policy threw: ") + thrown.what());
    } catch (...) {
      return record_.error(ErrorCode::invalid_request,
                           "the selection policy threw something that is no std::exception");
    }
  }

  /// What a remote ledger is asked for the sake of `ask`, which must stay where it is.
  [[nodiscard]] LedgerQuestion ledger_question(const Ask& ask) {
    const Duration left = attempts_.deadline() - now().steady;
    return {.reservation = state_.new_reservation(),
            .claims = ask.claims,
            .lives_for = std::chrono::ceil<std::chrono::milliseconds>(left) + std::chrono::seconds(1)};
  }

  /// The lease and all that goes over the wire. Throws Error{invalid_request}, the lease then given back.
  Sending prepare(Leased leased) {
    const ClientOptions& options = state_.options();
    Wire wire = wire_for(options, state_.base(), leased.lease.credential(), request_);
    const Egress& egress = state_.pool().egress(leased.lease.egress());
    return {std::move(leased), std::move(wire), egress,
            options.egress.empty() ? std::nullopt : std::optional(egress.proxy), now()};
  }

  /// What the transport is told; valid while `sending` stays where it is.
  [[nodiscard]] TransportRequest transport_request(const Sending& sending) {
    const ClientOptions& options = state_.options();
    return {request_.method,
            sending.wire.url,
            sending.wire.headers,
            request_.body,
            sending.egress.source,
            sending.proxy,
            options.timeouts,
            options.tls,
            options.http,
            attempts_.deadline(),
            request_.max_response_bytes.value_or(options.http.max_response_bytes),
            state_.settings(),
            options.retry.replay == Replay::never};
  }

  /// The exchange is over: record, pool and observer hear of it. Throws what the caller's own code
  /// (classifier, cost_of) threw, the lease then counted.
  NextAction conclude(Sending& sending, Exchange exchange) {
    Outcome outcome;
    try {
      outcome = understand(exchange, sending.leased.lease, sending.egress, sending.started);
    } catch (...) {
      give_up(sending.leased);
      throw;
    }
    return settle(sending.leased, exchange, outcome);
  }

  /// The caller's own code threw: the request may have gone out, so it counts.
  void give_up(Leased& leased) {
    const Now now = state_.clock().now();
    Outcome outcome;
    outcome.meaning.verdict = Verdict::ambiguous;
    outcome.answered_at = after(now.steady, state_.linger().length());
    if (leased.reservation) {
      leased.reservation->ended(true, std::nullopt, outcome.answered_at, outcome.arrived_by);
    }
    leased.lease.settle(outcome, now);
  }

  [[nodiscard]] std::optional<WallTime> in_wall_time(std::optional<SteadyTime> instant) const {
    return instant ? std::optional(to_wall(*instant, state_.clock().now())) : std::nullopt;
  }

 private:
  /// The request with a key of its own, where that is wanted and it has none; 128 bits, as unique as a random
  /// UUID.
  Request& with_key(Request& request) {
    const bool wanted = state_.options().retry.make_idempotency_keys && request.idempotency_key.empty();
    if (wanted && !is_idempotent(request.method)) {
      for (int half = 0; half < 2; ++half) {
        std::uint64_t bits = random_.bits();
        for (int digit = 0; digit < 16; ++digit, bits >>= 4U) {
          request.idempotency_key += "0123456789abcdef"[bits & 0xfU];
        }
      }
    }
    return request;
  }

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

  /// Reads the exchange and writes it into the record.
  Outcome understand(Exchange& exchange, const Lease& lease, const Egress& egress, Now started) {
    const Now now = state_.clock().now();
    const std::string_view secret = lease.credential().secret.reveal();
    Outcome outcome;
    outcome.sent = exchange.sent;
    outcome.answered = !exchange.failure;
    outcome.answered_at = exchange.answered_at;
    outcome.latency = (std::max)(exchange.answered_at - started.steady, Duration::zero());
    if (exchange.answer.status != 0) {
      state_.linger().answered(outcome.latency);
    } else {
      outcome.answered_at = after(exchange.answered_at, state_.linger().length());
    }
    if (exchange.failure) {
      exchange.failure->detail = masked(std::move(exchange.failure->detail), secret);
      outcome.meaning = classify(*exchange.failure);
    } else {
      outcome.meaning = classify_with(state_.options().classify, exchange.answer, now.wall);
      outcome.meaning.reason = masked(std::move(outcome.meaning.reason), secret);
    }
    note_attempt(exchange, outcome.meaning, lease, egress, started, now);
    if (!exchange.failure) {
      outcome.facts = limit_facts(exchange.answer.headers, now.wall);
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
      leased.reservation->ended(outcome.sent, outcome.cost, outcome.answered_at, outcome.arrived_by);
    }
    const SettleResult settled = leased.lease.settle(outcome, now);
    attempts_.set_repeatable_body(request_.body.repeatable());
    NextAction next = exchange.failure
                          ? attempts_.failed(*exchange.failure, now.steady)
                          : attempts_.answered(outcome.meaning, slot, settled.endpoint_at_fault, now.steady);
    tell_observer(settled, next, now);
    return next;
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

 protected:
  State& state_;
  Request& request_;
  SplitMix64 random_;
  Attempts attempts_;
  CallRecord record_;
};

}  // namespace tokenpool::detail
