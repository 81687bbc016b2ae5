#pragma once
// The steps of a call that every kind of call takes alike, blocking or not: what goes over the wire, what
// came back, and what it means for the pool. Nothing here waits.

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "tokenpool/client/ends.hpp"
#include "tokenpool/client/ledger_desk.hpp"
#include "tokenpool/client/observer.hpp"
#include "tokenpool/client/wire.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/quota/attempt.hpp"
#include "tokenpool/quota/dialects.hpp"
#include "tokenpool/retry/attempts.hpp"
#include "tokenpool/retry/classify.hpp"
#include "tokenpool/retry/classify_failure.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool::detail {

/// A request on its way: what the transport is told, and what has to live for as long as it is told so.
struct Sending {
  Leased leased;
  Wire wire;
  const Egress& egress;
  std::optional<std::string> proxy;
  Now started;
};

/// The steps of one call. `State` is the client's: options, pool, transport, clock. Used by one thread at a
/// time.
template <class State>
class CallSteps : protected CallEnds<State> {
 protected:
  using Ends = CallEnds<State>;
  using Ends::attempts_;
  using Ends::delivery_;
  using Ends::Ends;
  using Ends::record_;
  using Ends::request_;
  using Ends::state_;

  ~CallSteps() = default;

  using typename Ends::Obtained;

  /// What a shared ledger is asked for the sake of `ask`, which must stay where it is.
  [[nodiscard]] LedgerQuestion ledger_question(const Ask& ask) {
    using std::chrono::milliseconds;
    const LedgerOptions& options = state_.options().ledger_options;
    const Duration left =
        (std::max)(attempts_.deadline() - this->now().steady, Duration(std::chrono::milliseconds(1)));
    const auto lingers = std::chrono::ceil<milliseconds>(state_.linger().length());
    milliseconds fresh_for = options.republish_within;
    if (options.on_fresh == OnFresh::wait_window) {
      for (const Claim& claim : ask.claims) {
        fresh_for = (std::max)(fresh_for, claim.limit.window + lingers);
      }
    }
    return {.claims = ask.claims,
            .lives_for = std::chrono::ceil<milliseconds>(left) + lingers,
            .fresh_for = fresh_for,
            .patience = std::chrono::ceil<milliseconds>(left)};
  }

  /// The lease, confirmed; or the end of the call. Nothing when the ledger refuses, or has told of something
  /// that stands in the way: the pool knows it then, and is asked again.
  std::optional<Obtained> confirm(Ask ask, LedgerReply reply) {
    if (!reply.failure.empty()) {
      return this->record_.error(ErrorCode::ledger, reply.failure);
    }
    if (reply.reservation) {
      state_.ledger_clerk().look(false);
      if (!state_.pool().admits(ask.lease)) {
        return std::nullopt;
      }
      return Leased{std::move(ask.lease), std::move(reply.reservation)};
    }
    // A ledger that says "now" to a refusal would be asked without end.
    reply.refusal.retry_in = (std::max)(reply.refusal.retry_in, std::chrono::milliseconds(1));
    state_.pool().refuse(std::move(ask), reply.refusal, this->now());
    return std::nullopt;
  }

  /// The lease and all that goes over the wire. Throws Error{invalid_request}, or Error{deadline_exceeded}
  /// when a ledger or the caller left no time for it; the lease is then given back.
  Sending prepare(Leased leased) {
    const ClientOptions& options = state_.options();
    const Now started = this->now();
    if (started.steady >= attempts_.deadline()) {
      throw Error(ErrorCode::deadline_exceeded, "the deadline passed before the request was sent");
    }
    Wire wire = wire_for(options, state_.base(), leased.lease.credential(), request_,
                         delivery_ ? delivery_->accept() : "application/json");
    const Egress& egress = state_.pool().egress(leased.lease.egress());
    return {std::move(leased), std::move(wire), egress,
            options.egress.empty() ? std::nullopt : std::optional(egress.proxy), started};
  }

  /// What the transport is told; valid while `sending` stays where it is.
  [[nodiscard]] TransportRequest transport_request(Sending& sending) {
    const ClientOptions& options = state_.options();
    if (delivery_) {
      // A long stream does not hold up those who wait to see whether the token is well again.
      delivery_->begin(sending.leased.lease.credential().token_id, sending.egress.id, record_.attempts() + 1,
                       [this, &sending] { opened_ = sending.leased.lease.answered(this->now()); });
    }
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
            options.retry.replay == Replay::never,
            delivery_.get()};
  }

  /// The exchange is over: record, pool and observer hear of it. Throws what the caller's own code
  /// (classifier, cost_of, what takes the body) threw, the lease then counted.
  NextAction conclude(Sending& sending, Exchange&& exchange) {
    const Now ended = this->now();
    Outcome outcome;
    try {
      if (delivery_) {
        delivery_->conclude(exchange);
      }
      outcome = understand(exchange, sending, ended);
    } catch (...) {
      give_up(sending.leased);
      throw;
    }
    NextAction next = settle(sending.leased, exchange, outcome, ended);
    if (delivery_ && delivery_->thrown()) {
      std::rethrow_exception(delivery_->thrown());
    }
    return next;
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
    tell_all(std::exchange(opened_, {}), now);
  }

 private:
  /// Reads the exchange and writes it into the record.
  Outcome understand(Exchange& exchange, const Sending& sending, Now ended) {
    const Credential& credential = sending.leased.lease.credential();
    const std::string_view secret = credential.secret.reveal();
    Outcome outcome;
    outcome.sent = exchange.sent;
    outcome.answered = !exchange.failure;
    outcome.answered_at = exchange.answered_at;
    outcome.latency = (std::max)(exchange.answered_at - sending.started.steady, Duration::zero());
    // An interim answer such as 100 shows that the server has the request, not that it has counted it.
    if (exchange.answer.status >= 200) {
      state_.linger().answered(outcome.latency);
    } else {
      outcome.answered_at = after(exchange.answered_at, state_.linger().length());
    }
    if (exchange.failure) {
      exchange.failure->detail = masked(std::move(exchange.failure->detail), secret);
      outcome.meaning = classify(*exchange.failure);
    } else {
      outcome.meaning = delivery_ && delivery_->error()
                            ? *delivery_->error()
                            : classify_with(state_.options().classify, exchange.answer, ended.wall);
      outcome.meaning.reason = masked(std::move(outcome.meaning.reason), secret);
    }
    outcome.status = has_response(exchange) ? exchange.answer.status : 0;
    note_attempt(exchange, outcome, sending, ended);
    if (has_response(exchange)) {
      outcome.facts = limit_facts(exchange.answer.headers, ended.wall);
      Response& response = record_.answered();
      response.status = exchange.answer.status;
      response.headers = std::move(exchange.answer.headers);
      response.body = std::move(exchange.answer.body);
      response.token_id = credential.token_id;
      response.egress_id = sending.egress.id;
      response.timing = exchange.timing;
      outcome.cost = state_.options().cost_of ? state_.options().cost_of(record_.last()) : std::nullopt;
    }
    return outcome;
  }

  /// Whether there is something to show: a whole answer, or what came of one that the caller takes as it
  /// comes.
  [[nodiscard]] bool has_response(const Exchange& exchange) const {
    return !exchange.failure || (delivery_ && delivery_->opened());
  }

  void note_attempt(const Exchange& exchange, const Outcome& outcome, const Sending& sending, Now ended) {
    const Duration on_the_wire = ended.steady - sending.started.steady;
    Attempt& attempt = record_.add();
    attempt.token_id = sending.leased.lease.credential().token_id;
    attempt.egress_id = sending.egress.id;
    attempt.status = outcome.status;
    attempt.verdict = outcome.meaning.verdict;
    attempt.reason = outcome.meaning.reason;
    attempt.started = sending.started.wall;
    attempt.duration = std::chrono::duration_cast<std::chrono::microseconds>(on_the_wire);
    attempt.resent = exchange.resent;
  }

  NextAction settle(Leased& leased, const Exchange& exchange, const Outcome& outcome, Now now) {
    const SlotNumber slot = leased.lease.slot();
    const bool shared = leased.reservation.has_value();
    if (shared) {
      leased.reservation->ended(outcome.sent, outcome.cost, outcome.answered_at, outcome.arrived_by);
    }
    const SettleResult settled = leased.lease.settle(outcome, now);
    if (shared) {
      // Only now: nobody else may test a rest before he hears that it was lengthened.
      leased.reservation.reset();
      state_.ledger_clerk().look(!settled.events.empty());
    }
    attempts_.set_repeatable_body(request_.body.repeatable());
    attempts_.set_handed_over(delivery_ && delivery_->handed_over());
    NextAction next = exchange.failure
                          ? attempts_.failed(*exchange.failure, now.steady)
                          : attempts_.answered(outcome.meaning, slot, settled.endpoint_at_fault, now.steady);
    if (delivery_ && std::holds_alternative<Deliver>(next)) {
      if (std::optional<Fail> objection = delivery_->objection(record_.last())) {
        next = *std::move(objection);
      }
    }
    tell_observer(settled, next, now);
    return next;
  }

  void tell_observer(const SettleResult& settled, const NextAction& next, Now now) {
    const Observer& observer = state_.options().observer;
    tell(observer.on_attempt, AttemptEvent{record_.newest()});
    tell_all(std::exchange(opened_, {}), now);
    tell_all(settled, now);
    if (const SendAt* later = std::get_if<SendAt>(&next)) {
      tell(observer.on_retry, RetryEvent{record_.newest(), later->when - now.steady});
    } else if (std::holds_alternative<SendNext>(next)) {
      tell(observer.on_retry, RetryEvent{record_.newest(), Duration::zero()});
    }
  }

  void tell_all(const SettleResult& step, Now now) {
    for (const PoolEvent& event : step.events) {
      tell(state_.options().observer, event, now);
    }
  }

  SettleResult opened_;  ///< what the beginning of a stream's answer led to
};

}  // namespace tokenpool::detail
