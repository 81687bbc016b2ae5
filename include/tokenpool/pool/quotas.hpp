#pragma once
// All limits of a pool together. They are asked at three moments: which tokens are available at all, which
// egresses are open for a request, and whether this token leaving by that egress has room.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "tokenpool/pool/slot.hpp"
#include "tokenpool/quota/meter.hpp"

namespace tokenpool::detail {

/// The pool's meters; those of one token alone lie in its slot. Not thread-safe.
class Quotas {
 public:
  Quotas(const std::vector<Limit>& limits, const std::vector<std::vector<Limit>>& of_egresses) {
    for (const Limit& limit : limits) {
      meters_.emplace_back(limit);
    }
    for (const std::vector<Limit>& of_one : of_egresses) {
      egress_meters_.emplace_back();
      for (Limit limit : of_one) {
        limit.scope = limit.scope | Scope::egress;
        egress_meters_.back().emplace_back(limit);
      }
    }
  }

  /// When the token has room for anything at all, by the limits that count it alone.
  [[nodiscard]] SteadyTime token_opens_at(Slot& slot, SteadyTime now) noexcept {
    SteadyTime when = now;
    each_of_token(slot, [&](Meter& meter) {
      if (meter.limit().scope == Scope::token) {
        when = (std::max)(when, meter.room_at({.token = slot.face.slot}, 1, now));
      }
    });
    return when;
  }

  /// When the egress has room for the request, by the limits that no token has a part in.
  [[nodiscard]] SteadyTime gate_opens_at(const Place& place, std::int64_t cost, SteadyTime now) noexcept {
    SteadyTime when = now;
    each_of_egress(place.egress, [&](Meter& meter) {
      if (!has(meter.limit().scope, Scope::token | Scope::account)) {
        when = (std::max)(when, meter.room_at(place, cost, now));
      }
    });
    return when;
  }

  /// When this token has room for the request together with this egress, bucket and account; availability is
  /// presumed.
  [[nodiscard]] SteadyTime pair_opens_at(Slot& slot, const Place& place, std::int64_t cost,
                                         SteadyTime now) noexcept {
    SteadyTime when = now;
    each(slot, place.egress, [&](Meter& meter) {
      const Limit& limit = meter.limit();
      const bool told_by_availability = limit.scope == Scope::token && limit.unit != Unit::cost;
      if (has(limit.scope, Scope::token | Scope::account) && !told_by_availability) {
        when = (std::max)(when, meter.room_at(place, cost, now));
      }
    });
    return when;
  }

  /// The share of its limits that an egress has left, 1 when it has none.
  [[nodiscard]] double headroom(std::uint32_t egress, SteadyTime now) noexcept {
    double least = 1;
    each_of_egress(egress, [&](Meter& meter) {
      if (meter.limit().scope != Scope::egress) {
        return;
      }
      if (Window* window = meter.find({.egress = egress})) {
        const auto used = static_cast<double>(window->used(now));
        least = (std::min)(least, 1 - used / static_cast<double>(meter.limit().amount));
      }
    });
    return least;
  }

  /// The smallest limit on cost that every request meets; the largest number when there is none.
  [[nodiscard]] std::int64_t largest_cost() const noexcept {
    std::int64_t largest = (std::numeric_limits<std::int64_t>::max)();
    for (const Meter& meter : meters_) {
      if (meter.limit().unit == Unit::cost) {
        largest = (std::min)(largest, meter.limit().amount);
      }
    }
    return largest;
  }

  /// Takes the request's units from all limits or, when memory is out, from none.
  void reserve(Slot& slot, const Place& place, std::int64_t cost) {
    std::size_t taken = 0;
    try {
      each(slot, place.egress, [&](Meter& meter) {
        meter.reserve(place, cost);
        ++taken;
      });
    } catch (...) {
      each(slot, place.egress, [&](Meter& meter) {
        if (taken != 0) {
          meter.refund(place, cost);
          --taken;
        }
      });
      throw;
    }
  }

  void refund(Slot& slot, const Grant& grant) noexcept {
    each(slot, grant.place.egress, [&](Meter& meter) {
      if (meter.counts(grant.ticket)) {
        meter.refund(grant.place, grant.cost);
      }
    });
  }

  /// The request truly took `cost` and was answered at `answered`.
  void settle(Slot& slot, const Grant& grant, std::int64_t cost, SteadyTime answered) noexcept {
    each(slot, grant.place.egress, [&](Meter& meter) {
      if (meter.counts(grant.ticket)) {
        meter.settle(grant.place, grant.cost, cost, answered, answered);
      }
    });
  }

  void forget_token(SlotNumber slot) noexcept {
    for (Meter& meter : meters_) {
      meter.forget_token(slot);
    }
    for (auto& meters : egress_meters_) {
      for (Meter& meter : meters) {
        meter.forget_token(slot);
      }
    }
  }

  void sweep(SteadyTime now) {
    for (Meter& meter : meters_) {
      meter.sweep(now);
    }
  }

  template <class F>
  void each_of_token(Slot& slot, F&& visit) {
    std::for_each(meters_.begin(), meters_.end(), std::ref(visit));
    std::for_each(slot.own_meters.begin(), slot.own_meters.end(), std::ref(visit));
  }

  template <class F>
  void each_of_egress(std::uint32_t egress, F&& visit) {
    std::for_each(meters_.begin(), meters_.end(), std::ref(visit));
    std::for_each(egress_meters_[egress].begin(), egress_meters_[egress].end(), std::ref(visit));
  }

  template <class F>
  void each(Slot& slot, std::uint32_t egress, F&& visit) {
    std::for_each(meters_.begin(), meters_.end(), std::ref(visit));
    std::for_each(slot.own_meters.begin(), slot.own_meters.end(), std::ref(visit));
    std::for_each(egress_meters_[egress].begin(), egress_meters_[egress].end(), std::ref(visit));
  }

 private:
  std::vector<Meter> meters_;
  std::vector<std::vector<Meter>> egress_meters_;
};

}  // namespace tokenpool::detail
