#pragma once
// Who gets a lease when: a request that comes, and those who wait, first come first served.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "tokenpool/pool/granting.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/snapshot.hpp"
#include "tokenpool/pool/state.hpp"
#include "tokenpool/pool/waiters.hpp"

namespace tokenpool::detail {

/// The queue of a pool and what serves it. Not thread-safe.
///
/// Its invariant: after every change nobody waits who could be served. So a newcomer only has to look whether
/// somebody with the same needs waits; whatever else it takes could not have served anyone in the queue.
class Serving {
 public:
  using Woken = std::vector<std::shared_ptr<Wakeable>>;

  Serving(PoolState& state, LeaseKeeper& keeper) : state_(state), grant_(state, queue_, keeper) {}

  /// From here on those who have to know of what is done are written to `woken`.
  void report_to(Woken& woken) noexcept { woken_ = &woken; }

  /// A lease now, or why not. Throws what Granting throws.
  Acquired take(const LeaseRequest& request, SteadyTime now) {
    serve(now);
    if (!queue_.empty()) {
      if (const WaitLine* line = queue_.line_of(request)) {
        return line->refusal;
      }
    }
    return grant_(request);
  }

  /// The same, but who could be served later gets a place in the queue if it is shorter than `longest` (0: no
  /// bound): empty then, and `refusal` says why not now.
  std::optional<Acquired> take_or_join(Waiter& waiter, SteadyTime now, std::size_t longest,
                                       NotUntil& refusal) {
    Acquired acquired = take(waiter.request, now);
    const bool full = longest != 0 && queue_.size() >= longest;
    const NotUntil* until = std::get_if<NotUntil>(&acquired);
    if (until == nullptr || full) {
      return acquired;
    }
    refusal = *until;
    queue_.join(waiter, *until);
    waiter.since = state_.latest;
    wake_first(&waiter);
    return std::nullopt;
  }

  /// `waiter` waits no longer, whatever it has got.
  void leave(Waiter& waiter) {
    if (waiter.line != nullptr) {
      end_wait(waiter);
      serve(state_.latest);
    }
  }

  /// Time or something else went on: serves the queue as far as it goes, in the order of coming.
  void serve(SteadyTime now) {
    state_.advance(now);
    if (!queue_.empty()) {
      serve_queue();
    }
  }

  [[nodiscard]] std::size_t waiting() const noexcept { return queue_.size(); }
  [[nodiscard]] const WaitTotals& waits() const noexcept { return waits_; }

  /// Until when `waiter` may sleep: the owner of the timer until time alone can serve somebody, all others
  /// until woken.
  [[nodiscard]] SteadyTime sleep_until(const Waiter& waiter) noexcept {
    return queue_.first() == &waiter ? queue_.timer() : end_of_time;
  }

 private:
  void serve_queue() {
    queue_.unblock();
    while (Waiter* waiter = queue_.next()) {
      serve_one(*waiter);
    }
    wake_first();
  }

  void serve_one(Waiter& waiter) {
    woken_->push_back(waiter.wakeable);
    try {
      Acquired acquired = grant_(waiter.request, waiter.order);
      if (const NotUntil* refusal = std::get_if<NotUntil>(&acquired)) {
        waiter.line->refusal = *refusal;
        waiter.line->blocked = true;
        woken_->pop_back();
        return;
      }
      waiter.granted.emplace(std::move(acquired));
    } catch (...) {
      waiter.failure = std::current_exception();
    }
    end_wait(waiter);
  }

  void end_wait(Waiter& waiter) noexcept {
    queue_.leave(waiter);
    const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(state_.latest - waiter.since);
    ++waits_.count;
    waits_.total += waited;
    waits_.longest = (std::max)(waits_.longest, waited);
  }

  /// The first in the queue owns the timer; when that is somebody new, or its time comes earlier, it has to
  /// know, unless it is `asking`, who looks at the timer next anyway.
  void wake_first(const Waiter* asking = nullptr) {
    Waiter* first = queue_.first();
    const SteadyTime timer = queue_.timer();
    if (first != nullptr && first != asking && (first != timer_owner_ || timer < timer_)) {
      woken_->push_back(first->wakeable);
    }
    timer_owner_ = first;
    timer_ = timer;
  }

  PoolState& state_;
  WaitQueue queue_;
  Granting grant_;
  Waiter* timer_owner_ = nullptr;
  SteadyTime timer_ = end_of_time;
  Woken* woken_ = nullptr;
  WaitTotals waits_;
};

}  // namespace tokenpool::detail
