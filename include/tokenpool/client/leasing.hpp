#pragma once
// How a call comes to a lease: at once, after a wait in the pool's queue, or with the word of a remote
// ledger; and what it says when there is none to be had.

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "tokenpool/base/error.hpp"
#include "tokenpool/base/result.hpp"
#include "tokenpool/client/ledger_notes.hpp"
#include "tokenpool/client/observer.hpp"
#include "tokenpool/client/record.hpp"
#include "tokenpool/client/signal.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/http/timestamp.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/waiters.hpp"
#include "tokenpool/retry/attempts.hpp"

namespace tokenpool::detail {

/// Leave to send, with what a remote ledger keeps for it.
struct Leased {
  Lease lease;
  std::optional<Reservation> reservation{};
};

/// Gets the leases of one call. `State` is the client's. Blocks; used by one thread.
template <class State>
class Leasing {
 public:
  /// A lease, the end with the answer at hand, or the end with an Error.
  using Obtained = std::variant<Leased, Deliver, Error>;

  Leasing(State& state, const Request& request, Attempts& attempts, CallRecord& record,
          std::shared_ptr<Signal> signal)
      : state_(state), request_(request), attempts_(attempts), record_(record), signal_(std::move(signal)) {}

  Obtained obtain() {
    for (;;) {
      Result<Acquired> acquired = acquire_and_count_the_wait();
      if (!acquired) {
        return std::move(acquired).error();
      }
      if (Lease* lease = std::get_if<Lease>(&*acquired)) {
        return Leased{std::move(*lease)};
      }
      if (const Never* reason = std::get_if<Never>(&*acquired)) {
        return never_ever(*reason);
      }
      if (const NotUntil* refusal = std::get_if<NotUntil>(&*acquired)) {
        return queue_is_full(*refusal);
      }
      if (std::optional<Obtained> confirmed = ask_ledger(std::get<Ask>(*std::move(acquired)))) {
        return *std::move(confirmed);
      }
    }
  }

 private:
  Result<Acquired> acquire_and_count_the_wait() {
    const SteadyTime began = state_.clock().now().steady;
    Result<Acquired> acquired = acquire();
    const Duration waited = state_.clock().now().steady - began;
    attempts_.waited(waited);
    record_.waited(waited);
    return acquired;
  }

  /// Waits for what is not there yet. A policy that throws ends the call in an Error.
  Result<Acquired> acquire() {
    try {
      Waiter waiter{.request = {.bucket = request_.bucket,
                                .cost = request_.cost,
                                .affinity = request_.affinity,
                                .asked = attempts_.asked()},
                    .wakeable = signal_};
      NotUntil refusal;
      std::optional<Acquired> acquired = state_.pool().acquire_or_join(waiter, state_.clock().now(), refusal);
      return acquired ? Result<Acquired>(std::move(*acquired)) : wait_in_queue(waiter, refusal);
    } catch (const Error& unfit_index) {
      return Unexpected(record_.error(unfit_index.code(), unfit_index.what()));
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& thrown) {
      return policy_threw(thrown.what());
    } catch (...) {
      return policy_threw("something that is no std::exception");
    }
  }

  Unexpected policy_threw(const std::string& what) {
    return Unexpected(record_.error(ErrorCode::invalid_request, "the selection policy threw: " + what));
  }

  Result<Acquired> wait_in_queue(Waiter& waiter, NotUntil refusal) {
    const LeavesQueue leaves{state_.pool(), waiter};
    const SteadyTime patience = attempts_.patience(state_.clock().now().steady);
    for (;;) {
      if (refusal.when > patience && refusal.when != end_of_time) {
        return Unexpected(exhausted(refusal));
      }
      signal_->wait(state_.clock(), (std::min)(patience, state_.pool().sleep_until(waiter)));
      if (signal_->cancelled()) {
        return Unexpected(
            record_.error(ErrorCode::cancelled, "the call was cancelled while it waited for a token"));
      }
      state_.pool().tick(state_.clock().now());
      if (std::optional<Acquired> acquired = state_.pool().collect(waiter)) {
        return std::move(*acquired);
      }
      refusal = state_.pool().refusal(waiter);
      if (state_.clock().now().steady >= patience) {
        return Unexpected(exhausted(refusal));
      }
    }
  }

  /// Whatever ends the wait, the waiter is out of the queue; a lease that came too late is given back.
  struct LeavesQueue {
    typename State::Pool& pool;
    Waiter& waiter;
    ~LeavesQueue() { static_cast<void>(pool.leave(waiter)); }
  };

  /// Asks the remote ledger, outside of the pool's lock. Nothing when it refuses: the pool knows it then, and
  /// is asked again.
  std::optional<Obtained> ask_ledger(Ask ask) {
    try {
      LedgerAnswer answer = state_.ledger_notes().ask(*state_.options().ledger, ask.claims);
      if (answer.granted) {
        return Leased{std::move(ask.lease),
                      Reservation(state_.ledger_notes(), answer.reservation, request_.cost)};
      }
      // A ledger that says "now" to a refusal would be asked without end.
      answer.retry_in = (std::max)(answer.retry_in, std::chrono::milliseconds(1));
      state_.pool().refuse(std::move(ask), answer, state_.clock().now());
      return std::nullopt;
    } catch (const std::exception& thrown) {
      return record_.error(ErrorCode::ledger, std::string("the ledger could not be asked: ") + thrown.what());
    }
  }

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

  State& state_;
  const Request& request_;
  Attempts& attempts_;
  CallRecord& record_;
  std::shared_ptr<Signal> signal_;
};

}  // namespace tokenpool::detail
