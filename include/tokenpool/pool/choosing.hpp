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
#include "tokenpool/pool/explanation.hpp"
#include "tokenpool/pool/gates.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/need.hpp"
#include "tokenpool/pool/state.hpp"
#include "tokenpool/pool/waiters.hpp"
#include "tokenpool/quota/attempt.hpp"

namespace tokenpool::detail {

/// One search for a token and an egress. Made anew for each; `open` is scratch space that the pool keeps.
class Choice {
 public:
  struct Pair {
    Slot* slot = nullptr;
    std::uint32_t egress = 0;
    bool is_test = false;  ///< of a guess: not the policy's choice
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
    Gates(state_, need_).find_open(open_, obstacle_);
    if (!open_.empty()) {
      const Unhide unhide{state_.roster.available()};
      if (const Pair pair = find_pair(); pair.slot != nullptr) {
        return pair;
      }
    }
    return refusal(any_available);
  }

  /// Every token but the chosen one, and why it was passed over. After run(), before the lease takes its
  /// units.
  [[nodiscard]] std::vector<Skipped> passed_over(const Pair& chosen) {
    std::vector<Skipped> skipped;
    for (SlotNumber number = 0; number < state_.roster.size(); ++number) {
      if (Slot& slot = state_.roster[number]; slot.present && &slot != chosen.slot) {
        skipped.push_back({std::string(slot.face.id), why_passed_over(slot, chosen)});
      }
    }
    return skipped;
  }

 private:
  /// A policy that throws must leave the pool as it was.
  struct Unhide {
    AvailableSet& available;
    ~Unhide() { available.unhide(); }
  };

  /// So many unfit picks are hidden one by one; then the pool looks at all candidates itself.
  static constexpr int patience = 8;

  /// A guess that a place is limited is tested with a token that was not asked there since, if there is one:
  /// best with the one that served there last, for what it meets shows most. Else the policy chooses.
  Pair find_pair() {
    const OpenEgress& first = open_.front();
    SharedPlace& bucket = state_.bucket_places[need_.bucket];
    const SharedPlace& place = bucket.inferred.active() ? bucket : state_.egress_places[first.number];
    if (place.inferred.active() && place.served_last < state_.roster.size()) {
      Slot& slot = state_.roster[place.served_last];
      if (slot.available && !need_.has_asked(slot.face.slot) && fit(slot) == &first) {
        return Pair{&slot, first.number, true};
      }
    }
    Pair pair = ask_policy();
    if (pair.slot == nullptr && asked_before_) {
      state_.roster.available().unhide();
      again_ = true;
      pair = ask_policy();
    }
    return pair;
  }

  /// The pair that the policy takes; no slot when nobody is fit.
  Pair ask_policy() {
    AvailableSet& available = state_.roster.available();
    for (int asked = 0; asked < patience && available.size() != 0; ++asked) {
      const std::size_t index = pick();
      fetch_rest_of_slot(available[index]);
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

  /// In a large pool the slot lies in no cache: its second line comes at the same time as its first, the
  /// candidate, which has to be read to find it.
  static void fetch_rest_of_slot([[maybe_unused]] const Candidate& face) noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(&face + 1);
#endif
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
      return nullptr;
    }
    if (const SteadyTime opens = need_.token_opens_at(state_, slot); opens > now_) {
      obstacle_.meet(opens, blocker_of(slot, opens));
      return nullptr;
    }
    for (const OpenEgress& egress : open_) {
      if (const SteadyTime opens = need_.pair_opens_at(state_, slot, egress.number); opens > now_) {
        obstacle_.meet(opens, blocker_of(slot, egress.number, opens));
      } else if (!again_ && was_refused_here(slot, egress.number)) {
        asked_before_ = true;
      } else if (queue_.empty() || !kept_for_earlier(slot, egress.number)) {
        return &egress;
      }
    }
    return nullptr;
  }

  [[nodiscard]] std::string why_passed_over(Slot& slot, const Pair& chosen) {
    if (std::string reason = why_not(state_, need_, slot, chosen.egress); !reason.empty()) {
      return reason;
    }
    if (chosen.is_test) {
      return "another tests whether the limit was its own";
    }
    if (!again_ && was_refused_here(slot, chosen.egress)) {
      return "refused here before, others are asked first";
    }
    const bool kept = !queue_.empty() && kept_for_earlier(slot, chosen.egress);
    return kept ? "kept for a call that came earlier" : "the policy chose another";
  }

  [[nodiscard]] bool was_refused_here(const Slot& slot, std::uint32_t egress) const noexcept {
    const auto asked = [&slot](const SharedPlace& place) {
      return place.inferred.active() && place.inferred.has_asked(slot.account);
    };
    return asked(state_.egress_places[egress]) || asked(state_.bucket_places[need_.bucket]);
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
    return state_.egress_places[egress].inferred.opens_at_for(slot.account) == opens
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
      obstacle_.meet(waiting->refusal.when, waiting->refusal.why);
    }
    return waiting != nullptr;
  }

  [[nodiscard]] Result refusal(bool any_available) {
    const std::int64_t largest = largest_cost_by_token();
    if (nobody_is_left() || (request_.cost > largest && !request_.asked.empty())) {
      return Never{Never::Reason::all_asked};
    }
    if (request_.cost > largest) {
      return Never{Never::Reason::cost_too_large, largest};
    }
    if (const SteadyTime wakes = state_.roster.next_wake_up(); wakes != end_of_time) {
      Slot& slot = state_.roster.next_to_wake();
      const Blocker blocker{LimitScope::token, slot.face.slot, slot.opens_at() <= now_};
      if (!open_.empty()) {
        obstacle_.meet(wakes, blocker);
      } else if (!any_available && wakes > obstacle_.refusal.when) {
        obstacle_.refusal = {wakes, blocker};
      }
    }
    return obstacle_.refusal;
  }

  /// This call has asked every token, be it available or not.
  [[nodiscard]] bool nobody_is_left() noexcept {
    const auto is_usable = [this](SlotNumber number) { return state_.roster[number].usable(); };
    const auto asked = std::count_if(request_.asked.begin(), request_.asked.end(), is_usable);
    return asked != 0 && static_cast<std::size_t>(asked) >= state_.roster.usable();
  }

  /// The largest cost that the own limits of any token left let a request have.
  [[nodiscard]] std::int64_t largest_cost_by_token() noexcept {
    if (request_.cost <= state_.smallest_own_cost_limit) {
      return request_.cost;
    }
    std::int64_t largest = 0;
    for (SlotNumber number = 0; number < state_.roster.size(); ++number) {
      if (const Slot& slot = state_.roster[number]; slot.usable() && !need_.has_asked(number)) {
        largest = (std::max)(largest, Quotas::largest_cost_of(slot));
      }
    }
    return largest;
  }

  PoolState& state_;
  const LeaseRequest& request_;
  Need need_;
  SteadyTime now_;
  WaitQueue& queue_;
  std::uint64_t order_;
  std::vector<OpenEgress>& open_;
  Obstacle obstacle_;
  bool asked_before_ = false;  ///< there are tokens that a guess keeps back for others who were not asked
  bool again_ = false;         ///< there were no others
};

}  // namespace tokenpool::detail
