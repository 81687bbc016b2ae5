#pragma once
// Who may send this request now? Limits and rests admit, the policy chooses among the admitted, the egress
// with the most headroom takes it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/need.hpp"
#include "tokenpool/pool/state.hpp"
#include "tokenpool/pool/waiters.hpp"

namespace tokenpool::detail {

/// An egress that is open for a request.
struct OpenEgress {
  double headroom = 1;
  std::uint32_t number = 0;
};

/// One search for a token and an egress. Made anew for each; `open` is scratch space that the pool keeps.
class Choice {
 public:
  struct Pair {
    Slot* slot = nullptr;
    std::uint32_t egress = 0;
  };
  using Result = std::variant<Pair, NotUntil, Never>;

  /// `order` is the request's place in the queue; those before it in `queue` come first.
  Choice(PoolState& state, const LeaseRequest& request, std::uint32_t bucket, WaitQueue& queue,
         std::uint64_t order, std::vector<OpenEgress>& open)
      : state_(state),
        request_(request),
        need_{bucket, request.cost, request.asked},
        now_(state.latest),
        queue_(queue),
        order_(order),
        open_(open) {}

  /// Throws what the policy throws, Error{invalid_request} when it returns an index out of range, or
  /// std::bad_alloc.
  Result run() {
    if (state_.roster.usable() == 0) {
      return Never{Never::Reason::no_tokens};
    }
    if (const std::int64_t largest = state_.quotas.largest_cost(); request_.cost > largest) {
      return Never{Never::Reason::cost_too_large, largest};
    }
    const bool any_available = state_.roster.available().size() != 0;
    find_open_egresses();
    if (!open_.empty()) {
      const Unhide unhide{state_.roster.available()};
      if (const Pair pair = ask_policy(); pair.slot != nullptr) {
        return pair;
      }
    }
    return refusal(any_available);
  }

 private:
  /// A policy that throws must leave the pool as it was.
  struct Unhide {
    AvailableSet& available;
    ~Unhide() { available.unhide(); }
  };

  /// So many unfit picks are hidden one by one; then the pool looks at all candidates itself.
  static constexpr int patience = 8;

  void find_open_egresses() {
    open_.clear();
    const bool behind_is_quiet = !state_.service.active() && state_.bucket_places[need_.bucket].quiet();
    const std::size_t usable = state_.roster.usable();
    const SteadyTime service = state_.service.opens_at();
    const SteadyTime bucket = state_.bucket_places[need_.bucket].opens_at(usable);
    for (std::uint32_t egress = 0; egress < state_.egresses.size(); ++egress) {
      const SharedPlace& place = state_.egress_places[egress];
      if (behind_is_quiet && place.quiet() && !state_.quotas.shared()) {
        open_.push_back({1, egress});
        continue;
      }
      const SteadyTime rested = place.opens_at(usable);
      const GateRoom gate = state_.quotas.gate({.egress = egress, .bucket = need_.bucket}, need_.cost, now_);
      const SteadyTime opens = (std::max)({service, bucket, rested, gate.opens_at});
      if (opens <= now_) {
        open_.push_back({1, egress});
      } else if (opens == service) {
        offer(opens, {LimitScope::service});
      } else if (opens == bucket) {
        offer(opens, {LimitScope::bucket, need_.bucket});
      } else if (opens == rested) {
        offer(opens, {LimitScope::egress, egress});
      } else {
        offer(opens, blocker_of(gate.scope, egress));
      }
    }
    if (open_.size() > 1) {
      prefer_headroom();
    }
  }

  [[nodiscard]] Blocker blocker_of(Scope scope, std::uint32_t egress) const noexcept {
    if (has(scope, Scope::egress)) {
      return {LimitScope::egress, egress, true};
    }
    return has(scope, Scope::bucket) ? Blocker{LimitScope::bucket, need_.bucket, true}
                                     : Blocker{LimitScope::unknown, 0, true};
  }

  /// Most headroom first; equals take turns. An insertion sort: there are few, and nothing is allocated.
  void prefer_headroom() noexcept {
    const auto turn = static_cast<std::ptrdiff_t>(state_.newest_ticket % open_.size());
    std::rotate(open_.begin(), open_.begin() + turn, open_.end());
    for (std::size_t i = 0; i < open_.size(); ++i) {
      open_[i].headroom = state_.quotas.headroom(open_[i].number, now_);
      for (std::size_t j = i; j != 0 && open_[j - 1].headroom < open_[j].headroom; --j) {
        std::swap(open_[j - 1], open_[j]);
      }
    }
  }

  /// The pair that the policy takes; no slot when nobody is fit.
  Pair ask_policy() {
    AvailableSet& available = state_.roster.available();
    for (int asked = 0; asked < patience && available.size() != 0; ++asked) {
      const std::size_t index = pick();
      Slot& slot = state_.roster[available[index].slot];
      if (const OpenEgress* egress = fit(slot)) {
        return Pair{&slot, egress->number};
      }
      available.hide(index);
    }
    for (std::size_t index = available.size(); index-- > 0;) {
      if (!fit(state_.roster[available[index].slot])) {
        available.hide(index);
      }
    }
    if (available.size() == 0) {
      return {};
    }
    Slot& slot = state_.roster[available[pick()].slot];
    return Pair{&slot, fit(slot)->number};
  }

  std::size_t pick() {
    PickContext context{*state_.random, now_, request_.affinity, request_.bucket, request_.cost};
    const Candidates candidates = state_.roster.available().candidates();
    const std::size_t index = state_.policy.pick(candidates, context);
    if (index >= candidates.size()) {
      refuse_index(index, candidates.size());
    }
    return index;
  }

  [[noreturn]] static void refuse_index(std::size_t index, std::size_t size) {
    throw Error(ErrorCode::invalid_request, "the selection policy returned index " + std::to_string(index) +
                                                " of " + std::to_string(size) +
                                                " candidates: return an index below candidates.size()");
  }

  /// The egress by which an available token can send this request; null if there is none.
  const OpenEgress* fit(Slot& slot) {
    const SlotNumber number = slot.face.slot;
    if (nothing_to_check(slot)) {
      return &open_.front();
    }
    if (need_.has_asked(number)) {
      ++asked_;
      return nullptr;
    }
    if (const SteadyTime opens = need_.token_opens_at(state_, slot); opens > now_) {
      offer(opens, blocker_of(slot, opens));
      return nullptr;
    }
    for (const OpenEgress& egress : open_) {
      if (const SteadyTime opens = need_.pair_opens_at(state_, slot, egress.number); opens > now_) {
        offer(opens, blocker_of(slot, egress.number, opens));
      } else if (queue_.empty() || !kept_for_earlier(slot, egress.number)) {
        return &egress;
      }
    }
    return nullptr;
  }

  /// As with most requests: no limit, no rest, no queue, no suspicion.
  [[nodiscard]] bool nothing_to_check(const Slot& slot) const noexcept {
    return state_.quotas.unlimited(slot) && need_.asked.empty() && queue_.empty() &&
           state_.account_rests_of(slot) == nullptr && state_.bucket_places[need_.bucket].quiet() &&
           state_.egress_places[open_.front().number].quiet();
  }

  [[nodiscard]] Blocker blocker_of(const Slot& slot, SteadyTime opens) const noexcept {
    Rests* account = state_.account_rests_of(slot);
    return account != nullptr && account->opens_at(need_.bucket) == opens
               ? Blocker{LimitScope::account, slot.account}
               : Blocker{LimitScope::token, slot.face.slot};
  }

  [[nodiscard]] Blocker blocker_of(const Slot& slot, std::uint32_t egress, SteadyTime opens) const noexcept {
    return state_.egress_places[egress].inferred.opens_at_for(slot.face.slot) == opens
               ? Blocker{LimitScope::egress, egress}
               : Blocker{LimitScope::token, slot.face.slot, true};
  }

  /// An earlier waiter that only lacks room for its larger cost must not be starved by smaller ones, which
  /// would take each unit that becomes free.
  bool kept_for_earlier(Slot& slot, std::uint32_t egress) {
    const WaitLine* waiting = queue_.find_before(order_, [&](const WaitLine& line) {
      const std::uint32_t bucket = state_.buckets.find(line.bucket);
      if (line.cost <= need_.cost || bucket == Names::unknown) {
        return false;
      }
      const Need as_small{bucket, need_.cost, line.asked};
      return !as_small.has_asked(slot.face.slot) &&
             line.cost <= state_.quotas.largest_cost_of(slot, egress) &&
             as_small.token_opens_at(state_, slot) <= now_ &&
             as_small.gate_opens_at(state_, egress) <= now_ &&
             as_small.pair_opens_at(state_, slot, egress) <= now_;
    });
    if (waiting != nullptr) {
      offer(waiting->refusal.when, waiting->refusal.why);
    }
    return waiting != nullptr;
  }

  [[nodiscard]] Result refusal(bool any_available) {
    if (asked_ != 0 && asked_ >= state_.roster.usable()) {
      return Never{Never::Reason::all_asked};
    }
    if (const std::int64_t largest = largest_cost_by_token(); request_.cost > largest) {
      return Never{Never::Reason::cost_too_large, largest};
    }
    if (const SteadyTime wakes = state_.roster.next_wake_up(); wakes != end_of_time) {
      Slot& slot = state_.roster.next_to_wake();
      const Blocker blocker{LimitScope::token, slot.face.slot, slot.opens_at() <= now_};
      if (!open_.empty()) {
        offer(wakes, blocker);
      } else if (!any_available && wakes > refused_.when) {
        refused_ = {wakes, blocker};
      }
    }
    return refused_;
  }

  /// The largest cost that any token's own limits let a request have.
  [[nodiscard]] std::int64_t largest_cost_by_token() noexcept {
    if (request_.cost <= state_.smallest_own_cost_limit) {
      return request_.cost;
    }
    std::int64_t largest = 0;
    for (SlotNumber number = 0; number < state_.roster.size(); ++number) {
      if (const Slot& slot = state_.roster[number]; slot.usable()) {
        largest = (std::max)(largest, Quotas::largest_cost_of(slot));
      }
    }
    return largest;
  }

  void offer(SteadyTime when, Blocker why) noexcept {
    if (!offered_ || when < refused_.when) {
      refused_ = {when, why};
      offered_ = true;
    }
  }

  PoolState& state_;
  const LeaseRequest& request_;
  Need need_;
  SteadyTime now_;
  WaitQueue& queue_;
  std::uint64_t order_;
  std::vector<OpenEgress>& open_;
  NotUntil refused_{};
  bool offered_ = false;
  std::size_t asked_ = 0;
};

}  // namespace tokenpool::detail
