#pragma once
// The pool but for the pick: one lock, one queue, and the rules of the files beside it applied in the right
// order: serving.hpp (who gets a lease), settling.hpp (what its end means), changes.hpp (what a person
// changes). Not a template, so that a program with five policies has one pool in it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tokenpool/pool/changes.hpp"
#include "tokenpool/pool/claims.hpp"
#include "tokenpool/pool/events.hpp"
#include "tokenpool/pool/explanation.hpp"
#include "tokenpool/pool/gossip.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/serving.hpp"
#include "tokenpool/pool/settling.hpp"
#include "tokenpool/pool/snapshot_taker.hpp"
#include "tokenpool/pool/state.hpp"
#include "tokenpool/pool/validation.hpp"
#include "tokenpool/pool/waiters.hpp"

namespace tokenpool::detail {

/// A pool of tokens. Thread-safe; does no I/O and reads no clock.
class PoolCore : private LeaseKeeper {
 public:
  PoolCore(PoolOptions options, PolicyPort& policy)
      : max_waiting_(options.max_waiting),
        on_change_(std::move(options.on_change)),
        state_(validated(options), policy),
        serving_(state_, *this) {
    state_.roster.reserve(options.tokens.size());
    for (Token& token : options.tokens) {
      changes_.insert(std::move(token));
    }
  }
  PoolCore(const PoolCore&) = delete;
  PoolCore& operator=(const PoolCore&) = delete;

  /// A lease now, or why not. Throws what the policy throws, Error{invalid_request} for its bad index,
  /// std::bad_alloc; the pool is then as it was.
  Acquired acquire(const LeaseRequest& request, Now now) {
    return locked([&] { return serving_.take(request, now.steady); });
  }

  /// A lease now, or a place in the queue: empty means that `waiter` is served later, by wake(). Never is not
  /// queued for; NotUntil comes back when the queue is as long as it may be.
  std::optional<Acquired> acquire_or_join(Waiter& waiter, Now now, NotUntil& refusal) {
    return locked([&] { return serving_.take_or_join(waiter, now.steady, max_waiting_, refusal); });
  }

  /// What was given to `waiter`, which is then out of the queue; empty while it waits. Throws what the policy
  /// threw.
  std::optional<Acquired> collect(Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    if (waiter.failure) {
      std::rethrow_exception(std::exchange(waiter.failure, nullptr));
    }
    return std::exchange(waiter.granted, std::nullopt);
  }

  /// Takes `waiter` out of the queue, whatever it has got; returns that, so that a lease is not lost
  /// unnoticed.
  std::optional<Acquired> leave(Waiter& waiter) {
    return locked([&] {
      serving_.leave(waiter);
      return std::exchange(waiter.granted, std::nullopt);
    });
  }

  /// Until when `waiter` may sleep: the owner of the timer until time alone can serve somebody, all others
  /// until woken.
  SteadyTime sleep_until(const Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    return serving_.sleep_until(waiter);
  }

  /// Why `waiter` was not served the last time it was looked at.
  NotUntil refusal(const Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    return waiter.line != nullptr ? waiter.line->refusal : NotUntil{};
  }

  /// Time went on: serves those who waited for it.
  void tick(Now now) {
    locked([&] { serving_.serve(now.steady); });
  }

  /// The ledger refused what `ask` asked for: the lease is given back, and the claim's place has no room for
  /// as long as the ledger said; all of them if it was none of them alone.
  void refuse(Ask ask, const LedgerAnswer& answer, Now now) {
    const Grant grant = ask.lease.grant();
    locked([&] {
      state_.advance(now.steady);
      for (std::size_t i = 0; i < ask.claims.size(); ++i) {
        if (i == answer.refused_claim || answer.refused_claim >= ask.claims.size()) {
          close_claim(state_, grant, ask.claims[i], after(now.steady, answer.retry_in));
        }
      }
    });
    const Lease gone = std::move(ask.lease);
  }

  /// What this pool has learnt and those with whom it shares a ledger have not.
  std::vector<LedgerNews> take_news(Now now) {
    const std::lock_guard lock(mutex_);
    return state_.outbox.take(now.steady);
  }

  /// It could not be told.
  void put_back_news(const std::vector<LedgerNews>& news, Now now) {
    const std::lock_guard lock(mutex_);
    state_.outbox.put_back(news, now.steady);
  }

  [[nodiscard]] bool has_news() {
    const std::lock_guard lock(mutex_);
    return !state_.outbox.empty();
  }

  /// What they have learnt. Returns what that changed here.
  std::vector<PoolEvent> hear(const std::vector<LedgerNews>& news, Now now) {
    return locked([&] {
      state_.advance(now.steady);
      Hearsay hearsay(state_);
      std::for_each(news.begin(), news.end(), [&](const LedgerNews& one) { hearsay.hear(one); });
      serving_.serve(state_.latest);
      return std::move(hearsay.events());
    });
  }

  /// Whether nothing that was heard since it was granted stands in the way of `lease`.
  [[nodiscard]] bool admits(const Lease& lease) {
    const std::lock_guard lock(mutex_);
    return Hearsay(state_).admits(lease.grant());
  }

  /// Adds a token. Throws Error{invalid_request} if it is unfit or already in.
  void add(const Token& token) {
    locked([&] {
      check_new(state_.roster, token);
      changes_.insert(token);
      serving_.serve(state_.latest);
    });
    changed(TokenChange::added, id_of(token));
  }

  /// Takes a token out; its leases in flight finish. Returns whether there was one.
  bool remove(std::string_view id) {
    return edit(id, [&](Slot& slot) { changes_.remove(slot); }) && changed(TokenChange::removed, id);
  }

  /// No new leases for a token until enable(). Returns whether there is one.
  bool disable(std::string_view id, const std::string& reason = "disabled") {
    return edit(id, [&](Slot& slot) { changes_.disable(slot, reason); }) &&
           changed(TokenChange::disabled, id, reason);
  }

  /// Brings a token, with its account, back from being disabled, ejected or at rest. What its limits count
  /// stays. Returns whether there is one.
  bool enable(std::string_view id) {
    return edit(id,
                [&](Slot& slot) {
                  changes_.enable(slot);
                  publish_enabled(state_, slot);
                }) &&
           changed(TokenChange::enabled, id);
  }

  /// Changes a token's weight. Throws Error{invalid_request} for one that is unfit. Returns whether there is
  /// one.
  bool set_weight(std::string_view id, double weight) {
    if (auto problem = problem_with_weight(weight, "weight")) {
      refuse_input(*problem);
    }
    return edit(id, [&](Slot& slot) { changes_.set_weight(slot, weight); });
  }

  /// Replaces a token's credential (rotation, a refreshed OAuth token). Its id, counts and rests stay; leases
  /// in flight go on with the old one. Throws Error{invalid_request} for an unfit secret, or that of another
  /// token. Returns whether there is such a token.
  bool set_secret(std::string_view id, const Secret& secret) {
    if (auto problem = problem_with_secret(secret, "token")) {
      refuse_input(*problem);
    }
    return edit(id, [&](Slot& slot) {
      check_secret(state_.roster, slot.face.id, secret, &slot);
      changes_.set_secret(slot, secret);
    });
  }

  /// Makes `tokens` the pool's tokens. Ids that stay keep counts, rests and leases; all others go. Throws
  /// Error{invalid_request} if any is unfit; the pool is then as it was.
  void replace(const std::vector<Token>& tokens) {
    check_tokens(tokens);
    std::vector<std::string> removed;
    std::vector<std::string> added;
    locked([&] {
      changes_.remove_all_but(tokens, removed);
      for (const Token& token : tokens) {
        if (Slot* slot = state_.roster.find(id_of(token))) {
          changes_.renew(*slot, token);
        } else {
          changes_.insert(token);
          added.push_back(id_of(token));
        }
      }
      serving_.serve(state_.latest);
    });
    std::for_each(removed.begin(), removed.end(),
                  [this](const std::string& id) { changed(TokenChange::removed, id); });
    std::for_each(added.begin(), added.end(),
                  [this](const std::string& id) { changed(TokenChange::added, id); });
  }

  PoolSnapshot snapshot(Now now) {
    return locked([&] {
      serving_.serve(now.steady);
      return SnapshotTaker(state_).take(serving_.waiting(), serving_.waits());
    });
  }

  /// The egress of a lease, as configured.
  [[nodiscard]] const Egress& egress(std::uint32_t number) const noexcept { return state_.egresses[number]; }

  /// A refusal in words: whose limit, and what it is about.
  std::string describe(const NotUntil& refusal) {
    const std::lock_guard lock(mutex_);
    return name_of(state_, refusal.why);
  }

  /// Never for want of tokens in words: why nobody is left, by the example of one.
  std::string describe_want() {
    const std::lock_guard lock(mutex_);
    return why_nobody(state_);
  }

 protected:
  ~PoolCore() = default;

 private:
  /// Runs `action` under the lock, then wakes whom it served, after the lock.
  template <class F>
  std::invoke_result_t<F&> locked(F&& action) {
    std::vector<std::shared_ptr<Wakeable>> woken;
    struct WakeAll {
      std::vector<std::shared_ptr<Wakeable>>& woken;
      ~WakeAll() {
        for (const auto& one : woken) {
          one->wake();
        }
      }
    } const wake_all{woken};
    const std::lock_guard lock(mutex_);
    serving_.report_to(woken);
    return action();
  }

  /// Changes the token `id`, if there is one, and serves whom that helps.
  template <class F>
  bool edit(std::string_view id, F&& change) {
    return locked([&] {
      Slot* slot = state_.roster.find(id);
      if (slot != nullptr) {
        change(*slot);
        serving_.serve(state_.latest);
      }
      return slot != nullptr;
    });
  }

  /// Tells of it, outside of the lock. Returns true.
  bool changed(TokenChange change, std::string_view id, const std::string& reason = {}) {
    if (on_change_) {
      on_change_({.kind = PoolEvent::Kind::changed,
                  .token_id = std::string(id),
                  .reason = reason,
                  .change = change});
    }
    return true;
  }

  SettleResult settle(const Grant& grant, const Outcome& outcome, Now now) override {
    return locked([&] {
      state_.advance(now.steady);
      SettleResult result = Settling(state_, grant).settle(outcome);
      if (serving_.waiting() != 0) {
        serving_.serve(state_.latest);
      }
      return result;
    });
  }

  SettleResult answered(const Grant& grant, Now now) override {
    return locked([&] {
      state_.advance(now.steady);
      SettleResult result = Settling(state_, grant).answered();
      serving_.serve(state_.latest);
      return result;
    });
  }

  void give_back(const Grant& grant) noexcept override {
    locked([&] {
      Settling(state_, grant).give_back();
      serving_.serve(state_.latest);
    });
  }

  void count_until(const Grant& grant, SteadyTime answered_at) noexcept override {
    Outcome outcome;
    outcome.meaning.verdict = Verdict::ambiguous;
    outcome.answered_at = answered_at;
    locked([&] {
      Settling(state_, grant).settle(outcome);
      serving_.serve(state_.latest);
    });
  }

  std::size_t max_waiting_;
  std::function<void(const PoolEvent&)> on_change_;
  std::mutex mutex_;
  PoolState state_;
  Serving serving_;
  Changes changes_{state_};
};

}  // namespace tokenpool::detail
