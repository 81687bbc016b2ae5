#pragma once
// Who may send this request now? Limits and rests admit, the policy chooses among the admitted, the egress
// with the most headroom takes it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/state.hpp"

namespace tokenpool::detail {

/// One search for a token and an egress. Made anew for each; `open` is scratch space that the pool keeps.
class Choice {
 public:
  struct Pair {
    Slot* slot;
    std::uint32_t egress;
  };
  using Result = std::variant<Pair, NotUntil, Never>;

  Choice(PoolState& state, const LeaseRequest& request, std::uint32_t bucket,
         std::vector<std::uint32_t>& open)
      : state_(state), request_(request), bucket_(bucket), now_(state.latest), open_(open) {}

  /// Throws what the policy throws, or Error{invalid_request} when it returns an index out of range.
  Result run() {
    if (state_.roster.usable() == 0) {
      return Never{Never::Reason::no_tokens};
    }
    if (const std::int64_t largest = state_.quotas.largest_cost(); request_.cost > largest) {
      return Never{Never::Reason::cost_too_large, largest};
    }
    find_open_egresses();
    if (open_.empty()) {
      return earliest_;
    }
    const Unhide unhide{state_.roster.available()};
    if (const std::optional<Pair> pair = ask_policy()) {
      return *pair;
    }
    return refusal();
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
    SteadyTime common = state_.service.opens_at();
    Blocker blocker{.scope = LimitScope::service};
    if (const SteadyTime bucket_opens = state_.bucket_places[bucket_].opens_at();
        bucket_ != 0 && bucket_opens > common) {
      common = bucket_opens;
      blocker = {.scope = LimitScope::bucket, .number = bucket_};
    }
    for (std::uint32_t egress = 0; egress < state_.egresses.size(); ++egress) {
      const SteadyTime rested = state_.egress_places[egress].opens_at();
      const SteadyTime gate = state_.quotas.gate_opens_at(place_of(0, 0, egress), request_.cost, now_);
      const SteadyTime opens = (std::max)({common, rested, gate});
      if (opens <= now_) {
        open_.push_back(egress);
      } else {
        offer(opens, opens == common ? blocker : Blocker{LimitScope::egress, egress, rested < gate});
      }
    }
    prefer_headroom();
  }

  /// Most headroom first; equals take turns.
  void prefer_headroom() {
    if (open_.size() < 2) {
      return;
    }
    std::rotate(open_.begin(),
                open_.begin() + static_cast<std::ptrdiff_t>(state_.newest_ticket % open_.size()),
                open_.end());
    std::stable_sort(open_.begin(), open_.end(), [this](std::uint32_t left, std::uint32_t right) {
      return state_.quotas.headroom(left, now_) > state_.quotas.headroom(right, now_);
    });
  }

  std::optional<Pair> ask_policy() {
    AvailableSet& available = state_.roster.available();
    for (int asked = 0; asked < patience && available.size() != 0; ++asked) {
      const std::size_t index = pick();
      Slot& slot = state_.roster[available[index].slot];
      if (const std::optional<std::uint32_t> egress = fit(slot)) {
        return Pair{&slot, *egress};
      }
      available.hide(index);
    }
    for (std::size_t index = available.size(); index-- > 0;) {
      if (!fit(state_.roster[available[index].slot])) {
        available.hide(index);
      }
    }
    if (available.size() == 0) {
      return std::nullopt;
    }
    Slot& slot = state_.roster[available[pick()].slot];
    return Pair{&slot, *fit(slot)};
  }

  std::size_t pick() {
    PickContext context{*state_.random, now_, request_.affinity, request_.bucket, request_.cost};
    const Candidates candidates = state_.roster.available().candidates();
    const std::size_t index = state_.policy.pick(candidates, context);
    if (index >= candidates.size()) {
      throw Error(ErrorCode::invalid_request, "the selection policy returned index " + std::to_string(index) +
                                                  " of " + std::to_string(candidates.size()) +
                                                  " candidates: return an index below candidates.size()");
    }
    return index;
  }

  /// The egress by which an available token can send this request, if there is one.
  std::optional<std::uint32_t> fit(Slot& slot) {
    const SlotNumber number = slot.face.slot;
    if (std::find(request_.asked.begin(), request_.asked.end(), number) != request_.asked.end()) {
      ++asked_;
      return std::nullopt;
    }
    if (const Rest* rest = state_.account_rest(slot); rest != nullptr && !rest->admits(now_)) {
      offer(rest->opens_at(), {LimitScope::account, slot.account});
      return std::nullopt;
    }
    if (const Rest* rest = bucket_ == 0 ? nullptr : slot.rest_of(bucket_);
        rest != nullptr && !rest->admits(now_)) {
      offer(rest->opens_at(), {LimitScope::token, number});
      return std::nullopt;
    }
    if (bucket_ != 0 && state_.bucket_places[bucket_].inferred.spent(number)) {
      return std::nullopt;
    }
    return fitting_egress(slot);
  }

  std::optional<std::uint32_t> fitting_egress(Slot& slot) {
    for (const std::uint32_t egress : open_) {
      if (state_.egress_places[egress].inferred.spent(slot.face.slot)) {
        continue;
      }
      const SteadyTime opens = state_.quotas.pair_opens_at(
          slot, place_of(slot.face.slot, slot.account, egress), request_.cost, now_);
      if (opens <= now_) {
        return egress;
      }
      offer(opens, {LimitScope::token, slot.face.slot, true});
    }
    return std::nullopt;
  }

  [[nodiscard]] Place place_of(SlotNumber token, std::uint32_t account, std::uint32_t egress) const noexcept {
    return {token, account, egress, bucket_};
  }

  [[nodiscard]] Result refusal() {
    if (asked_ != 0 && asked_ >= state_.roster.usable()) {
      return Never{Never::Reason::all_asked};
    }
    if (const SteadyTime wakes = state_.roster.next_wake_up(); wakes != end_of_time) {
      Slot& slot = state_.roster.next_to_wake();
      offer(wakes, {LimitScope::token, slot.face.slot, !slot.rest.active()});
    }
    return earliest_;
  }

  void offer(SteadyTime when, Blocker why) noexcept {
    if (when < earliest_.when || earliest_.why.scope == LimitScope::unknown) {
      earliest_ = {when, why};
    }
  }

  PoolState& state_;
  const LeaseRequest& request_;
  std::uint32_t bucket_;
  SteadyTime now_;
  std::vector<std::uint32_t>& open_;
  NotUntil earliest_{};
  std::size_t asked_ = 0;
};

}  // namespace tokenpool::detail
