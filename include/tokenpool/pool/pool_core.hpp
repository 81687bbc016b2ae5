#pragma once
// The pool but for the pick: one lock, one queue, and the rules of the files beside it applied in the right
// order. Not a template, so that a program with five policies has one pool in it.

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "tokenpool/pool/choosing.hpp"
#include "tokenpool/pool/claims.hpp"
#include "tokenpool/pool/consequences.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/snapshot.hpp"
#include "tokenpool/pool/state.hpp"
#include "tokenpool/pool/validation.hpp"
#include "tokenpool/pool/waiters.hpp"

namespace tokenpool::detail {

/// A pool of tokens. Thread-safe; does no I/O and reads no clock.
///
/// The invariant of the queue: after every change nobody waits who could be served. So a newcomer only has to
/// look whether somebody with the same needs waits; whatever else it takes could not have served anyone in
/// the queue.
class PoolCore : private LeaseKeeper {
 public:
  PoolCore(PoolOptions options, PolicyPort& policy) : state_(validated(options), policy) {
    for (const Token& token : options.tokens) {
      insert(token);
    }
  }
  PoolCore(const PoolCore&) = delete;
  PoolCore& operator=(const PoolCore&) = delete;

  /// A lease now, or why not. Throws what the policy throws, Error{invalid_request} for its bad index,
  /// std::bad_alloc; the pool is then as it was.
  Acquired acquire(const LeaseRequest& request, Now now) {
    return locked([&] { return take(request, now.steady); });
  }

  /// A lease now, or a place in the queue: empty means that `waiter` is served later, by wake(). Never is not
  /// queued for.
  std::optional<Acquired> acquire_or_join(Waiter& waiter, Now now, NotUntil& refusal) {
    return locked([&]() -> std::optional<Acquired> {
      Acquired acquired = take(waiter.request, now.steady);
      if (const NotUntil* until = std::get_if<NotUntil>(&acquired)) {
        refusal = *until;
        queue_.join(waiter, *until);
        return std::nullopt;
      }
      return acquired;
    });
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
      if (waiter.line != nullptr) {
        queue_.leave(waiter);
        wake_first();
      }
      return std::exchange(waiter.granted, std::nullopt);
    });
  }

  /// Until when `waiter` may sleep: the owner of the timer until time alone can serve somebody, all others
  /// until woken.
  SteadyTime sleep_until(const Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    return queue_.first() == &waiter ? queue_.timer() : end_of_time;
  }

  /// Why `waiter` was not served the last time it was looked at.
  NotUntil refusal(const Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    return waiter.line != nullptr ? waiter.line->refusal : NotUntil{};
  }

  /// Time went on: serves those who waited for it.
  void tick(Now now) {
    locked([&] { serve(now.steady); });
  }

  /// The ledger refused what `ask` asked for: the lease is given back, and the claim's place has no room for
  /// as long as the ledger said.
  void refuse(Ask ask, const LedgerAnswer& answer, Now now) {
    const Grant grant = ask.lease.grant();
    locked([&] {
      state_.advance(now.steady);
      close_claim(state_, grant, answer.refused_claim, after(now.steady, answer.retry_in));
    });
    const Lease gone = std::move(ask.lease);
  }

  /// Adds a token. Throws Error{invalid_request} if it is unfit or already in.
  void add(const Token& token) {
    locked([&] {
      check_new(state_.roster, token);
      insert(token);
      serve(state_.latest);
    });
  }

  /// Takes a token out; its leases in flight finish. Returns whether there was one.
  bool remove(std::string_view id) {
    return edit(id, [&](Slot& slot) { drop(slot); });
  }

  /// No new leases for a token until enable(). Returns whether there is one.
  bool disable(std::string_view id, std::string reason = "disabled") {
    return edit(id, [&](Slot& slot) {
      state_.roster.change(slot, [](Slot& off) { off.disabled = true; });
      slot.note = std::move(reason);
    });
  }

  /// Brings a token back from being disabled, ejected or at rest. Its counts stay. Returns whether there is
  /// one.
  bool enable(std::string_view id) {
    return edit(id, [&](Slot& slot) {
      state_.roster.change(slot, [](Slot& on) { on.disabled = on.ejected = false; });
      slot.rest.end();
      slot.bucket_rests.clear();
      slot.forbidden_in_a_row = slot.bare_refusals = 0;
      slot.note.clear();
    });
  }

  /// Changes a token's weight. Throws Error{invalid_request} for one that is not above 0. Returns whether
  /// there is one.
  bool set_weight(std::string_view id, double weight) {
    if (!(weight > 0)) {
      throw Error(ErrorCode::invalid_request,
                  "weight is " + std::to_string(weight) + ": give a weight above 0, or disable the token");
    }
    return edit(id, [&](Slot& slot) {
      state_.roster.withdraw(slot);
      slot.face.weight = weight;
    });
  }

  /// Replaces a token's credential (rotation, a refreshed OAuth token). Its id, counts and rests stay; leases
  /// in flight go on with the old one. Throws Error{invalid_request} for an unfit secret. Returns whether
  /// there is such a token.
  bool set_secret(std::string_view id, const Secret& secret) {
    if (auto problem = problem_with_secret(secret, "token")) {
      throw Error(ErrorCode::invalid_request, *problem);
    }
    return edit(id, [&](Slot& slot) {
      Credential renewed = *slot.credential;
      renewed.secret = secret;
      state_.roster.set_credential(slot, std::make_shared<const Credential>(std::move(renewed)));
    });
  }

  /// Makes `tokens` the pool's tokens. Ids that stay keep counts, rests and leases; all others go. Throws
  /// Error{invalid_request} if any is unfit; the pool is then as it was.
  void replace(const std::vector<Token>& tokens) {
    check_tokens(tokens);
    locked([&] {
      drop_all_but(tokens);
      for (const Token& token : tokens) {
        if (Slot* slot = state_.roster.find(id_of(token))) {
          renew(*slot, token);
        } else {
          insert(token);
        }
      }
      serve(state_.latest);
    });
  }

  PoolSnapshot snapshot(Now now) {
    return locked([&] {
      serve(now.steady);
      return SnapshotTaker(state_).take(queue_.size());
    });
  }

  /// The egress of a lease, as configured.
  [[nodiscard]] const Egress& egress(std::uint32_t number) const noexcept { return state_.egresses[number]; }

  /// A refusal in words: whose limit, and what it is about.
  std::string describe(const NotUntil& refusal) {
    const std::lock_guard lock(mutex_);
    switch (refusal.why.scope) {
      case LimitScope::egress: return "egress " + state_.egresses[refusal.why.number].id;
      case LimitScope::bucket: return "bucket " + std::string(state_.buckets.name(refusal.why.number));
      case LimitScope::account:
        return "account " + std::string(state_.roster.accounts().name(refusal.why.number));
      case LimitScope::service: return "the service";
      case LimitScope::token:
        return state_.roster.usable() == 1
                   ? "token " + std::string(state_.roster[refusal.why.number].face.id)
                   : "every one of " + std::to_string(state_.roster.usable()) + " tokens";
      case LimitScope::unknown: break;
    }
    return "the pool";
  }

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
    woken_ = &woken;
    return action();
  }

  /// Changes the token `id`, if there is one, and serves whom that helps.
  template <class F>
  bool edit(std::string_view id, F&& change) {
    return locked([&] {
      Slot* slot = state_.roster.find(id);
      if (slot == nullptr) {
        return false;
      }
      change(*slot);
      if (slot->present) {
        state_.refresh(*slot);
      }
      serve(state_.latest);
      return true;
    });
  }

  Acquired take(const LeaseRequest& request, SteadyTime now) {
    serve(now);
    if (const WaitLine* line = queue_.line_of(request)) {
      return line->refusal;
    }
    return choose(request);
  }

  Acquired choose(const LeaseRequest& request) {
    const std::uint32_t bucket = state_.bucket_number(request.bucket);
    Choice::Result chosen = Choice(state_, request, bucket, open_).run();
    if (const auto* pair = std::get_if<Choice::Pair>(&chosen)) {
      return grant(*pair->slot,
                   {{pair->slot->face.slot, pair->slot->account, pair->egress, bucket}, request.cost, 0});
    }
    if (const auto* refusal = std::get_if<NotUntil>(&chosen)) {
      return *refusal;
    }
    return std::get<Never>(chosen);
  }

  Acquired grant(Slot& slot, Grant grant) {
    std::vector<Claim> claims = state_.ask_ledger ? claims_of(state_, slot, grant) : std::vector<Claim>();
    state_.quotas.reserve(slot, grant.place, grant.cost);
    grant.ticket = ++state_.newest_ticket;
    ++slot.face.in_flight;
    ++slot.face.granted;
    ++state_.egress_places[grant.place.egress].in_flight;
    start_probes(slot, grant);
    state_.policy.on_granted(slot.face);
    state_.refresh(slot);
    Lease lease(*this, grant, slot.credential);
    if (state_.ask_ledger) {
      return Ask{std::move(lease), std::move(claims)};
    }
    return lease;
  }

  void start_probes(Slot& slot, const Grant& grant) noexcept {
    slot.rest.granted(grant.ticket);
    if (Rest* rest = slot.rest_of(grant.place.bucket)) {
      rest->granted(grant.ticket);
    }
    if (Rest* rest = state_.account_rest(slot)) {
      rest->granted(grant.ticket);
    }
    for (SharedPlace* place :
         {&state_.egress_places[grant.place.egress], &state_.bucket_places[grant.place.bucket]}) {
      place->rest.granted(grant.ticket);
      place->inferred.granted(grant.ticket);
    }
    state_.service.granted(grant.ticket);
  }

  /// Serves the queue as far as it goes, in the order of coming.
  void serve(SteadyTime now) {
    state_.advance(now);
    if (queue_.empty()) {
      return;
    }
    queue_.unblock();
    while (Waiter* waiter = queue_.next()) {
      serve_one(*waiter);
    }
    wake_first();
  }

  void serve_one(Waiter& waiter) {
    woken_->push_back(waiter.wakeable);
    try {
      Acquired acquired = choose(waiter.request);
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
    queue_.leave(waiter);
  }

  /// The first in the queue owns the timer; when that is somebody new, or its time has changed, it has to
  /// know.
  void wake_first() {
    Waiter* first = queue_.empty() ? nullptr : queue_.first();
    const SteadyTime timer = first == nullptr ? end_of_time : queue_.timer();
    if (first != nullptr && (first != timer_owner_ || timer < timer_)) {
      woken_->push_back(first->wakeable);
    }
    timer_owner_ = first;
    timer_ = timer;
  }

  SettleResult settle(const Grant& grant, const Outcome& outcome, Now now) override {
    return locked([&] {
      state_.advance(now.steady);
      Slot& slot = state_.roster[grant.place.token];
      release(slot, grant);
      if (outcome.sent) {
        state_.quotas.settle(slot, grant, outcome.cost.value_or(grant.cost), outcome.answered_at);
      } else {
        state_.quotas.refund(slot, grant);
      }
      tell_policy(slot, outcome);
      SettleResult result = Consequences(state_, grant, outcome).apply();
      finish(slot);
      return result;
    });
  }

  void tell_policy(Slot& slot, const Outcome& outcome) noexcept {
    const bool success =
        outcome.meaning.verdict == Verdict::success || outcome.meaning.verdict == Verdict::caller_error;
    if (outcome.answered) {
      constexpr int smoothing = 8;
      slot.face.latency = slot.face.latency == Duration::zero()
                              ? outcome.latency
                              : slot.face.latency + (outcome.latency - slot.face.latency) / smoothing;
    }
    state_.policy.on_settled(slot.face, {success, outcome.answered, outcome.latency, state_.latest});
  }

  void give_back(const Grant& grant) noexcept override {
    end_unsettled(
        grant, [&](Slot& slot) { state_.quotas.refund(slot, grant); }, false);
  }

  void count_until(const Grant& grant, SteadyTime answered_at) noexcept override {
    end_unsettled(
        grant, [&](Slot& slot) { state_.quotas.settle(slot, grant, grant.cost, answered_at); }, true);
  }

  template <class F>
  void end_unsettled(const Grant& grant, F&& account, bool sent) noexcept {
    locked([&] {
      Slot& slot = state_.roster[grant.place.token];
      release(slot, grant);
      account(slot);
      Outcome outcome;
      outcome.sent = sent;
      outcome.meaning.verdict = Verdict::ambiguous;
      state_.policy.on_settled(slot.face, {false, false, {}, state_.latest});
      Consequences(state_, grant, outcome).apply();
      finish(slot);
    });
  }

  void release(Slot& slot, const Grant& grant) noexcept {
    --slot.face.in_flight;
    --state_.egress_places[grant.place.egress].in_flight;
  }

  void finish(Slot& slot) {
    if (slot.present) {
      state_.refresh(slot);
    } else if (slot.face.in_flight == 0) {
      vacate(slot);
    }
    serve(state_.latest);
  }

  void vacate(Slot& slot) noexcept {
    state_.quotas.forget_token(slot.face.slot);
    state_.roster.vacate(slot);
  }

  void drop(Slot& slot) noexcept {
    state_.roster.remove(slot);
    if (slot.face.in_flight == 0) {
      vacate(slot);
    }
  }

  void drop_all_but(const std::vector<Token>& tokens) {
    std::unordered_set<std::string> staying;
    for (const Token& token : tokens) {
      staying.insert(id_of(token));
    }
    for (SlotNumber number = 0; number < state_.roster.size(); ++number) {
      Slot& slot = state_.roster[number];
      if (slot.present && staying.count(std::string(slot.face.id)) == 0) {
        drop(slot);
      }
    }
  }

  void insert(const Token& token) {
    Slot& slot = state_.roster.add(token);
    state_.account_rests.resize((std::max)(state_.account_rests.size(), state_.roster.accounts().size()));
    state_.endpoints.resize((std::max)(state_.endpoints.size(), state_.roster.endpoint_count()));
    state_.refresh(slot);
  }

  /// A token that stays gets what its new description says; what it has counted stays.
  void renew(Slot& slot, const Token& token) {
    state_.roster.set_credential(slot, std::make_shared<const Credential>(Credential{
                                           id_of(token), token.secret, token.base_url, token.headers}));
    state_.roster.withdraw(slot);
    slot.face.weight = token.weight;
    slot.face.priority = token.priority;
    slot.own_meters = renewed_meters(slot, token);
    state_.refresh(slot);
  }

  [[nodiscard]] std::vector<Meter> renewed_meters(const Slot& slot, const Token& token) const {
    std::vector<Meter> meters;
    for (Limit limit : token.limits) {
      limit.scope = limit.scope | Scope::token;
      const auto same = std::find_if(slot.own_meters.begin(), slot.own_meters.end(),
                                     [&](const Meter& meter) { return meter.limit() == limit; });
      meters.push_back(same != slot.own_meters.end() ? *same : Meter(limit, Scope::pool, state_.newest_ticket));
    }
    return meters;
  }

  std::mutex mutex_;
  PoolState state_;
  WaitQueue queue_;
  Waiter* timer_owner_ = nullptr;
  SteadyTime timer_ = end_of_time;
  std::vector<std::shared_ptr<Wakeable>>* woken_ = nullptr;
  std::vector<std::uint32_t> open_;  ///< scratch of Choice
};

}  // namespace tokenpool::detail
