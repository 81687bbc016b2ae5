#pragma once
// One call's state, what it needs of the pool, and the words for each way in which it ends without an answer.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "tokenpool/base/error.hpp"
#include "tokenpool/base/random.hpp"
#include "tokenpool/client/delivery.hpp"
#include "tokenpool/client/ledger_notes.hpp"
#include "tokenpool/client/observer.hpp"
#include "tokenpool/client/options.hpp"
#include "tokenpool/client/record.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/http/timestamp.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/retry/attempts.hpp"

namespace tokenpool::detail {

/// Leave to send, with what a remote ledger keeps for it.
struct Leased {
  Lease lease;
  std::optional<Reservation> reservation{};
};

/// One call's state. `State` is the client's: options, pool, transport, clock. Used by one thread
/// at a time.
template <class State>
class CallEnds {
 public:
  /// How the question for a lease ends: with one, with the answer at hand, or with an Error.
  using Obtained = std::variant<Leased, Deliver, Error>;

  /// Without a delivery of the caller's own the body is collected, unless the request has its on_body.
  CallEnds(State& state, Request& request, std::unique_ptr<Delivery> delivery)
      : state_(state),
        request_(request),
        delivery_(std::move(delivery)),
        random_(state.next_seed()),
        attempts_(state.options().retry, state.budget(), random_, facts(state, with_key(request))) {
    if (!delivery_ && request.on_body) {
      delivery_ = std::make_unique<RawDelivery>(request, state.closing());
    }
  }
  CallEnds(const CallEnds&) = delete;
  CallEnds& operator=(const CallEnds&) = delete;

 protected:
  ~CallEnds() = default;

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
    const std::string text = "no token is left: " + state_.pool().describe_want();
    tell(state_.options().observer.on_exhausted, ExhaustedEvent{text, std::nullopt});
    return record_.error(ErrorCode::no_tokens, text);
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

 protected:
  State& state_;
  Request& request_;
  std::unique_ptr<Delivery> delivery_;  ///< where the body goes as it comes; null: it is collected
  SplitMix64 random_;
  Attempts attempts_;
  CallRecord record_;
};

}  // namespace tokenpool::detail
