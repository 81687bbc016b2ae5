#pragma once
// All limits of a pool together. They are asked at three moments: which tokens are available at all, which
// egresses are open for a request, and whether this token leaving by that egress has room.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "tokenpool/pool/slot.hpp"
#include "tokenpool/quota/meter.hpp"

namespace tokenpool::detail {

/// What a token's own limits say of it.
struct TokenRoom {
  SteadyTime opens_at{};  ///< when there is room for anything at all
  double headroom = 1;    ///< the share of the limits left
};

/// When an egress has room, and by whose limit not before.
struct GateRoom {
  SteadyTime opens_at{};
  Scope scope = Scope::pool;
};

/// The pool's meters; those of one token alone lie in its slot. Not thread-safe.
class Quotas {
 public:
  Quotas(const std::vector<Limit>& limits, const std::vector<std::vector<Limit>>& of_egresses) {
    for (const Limit& limit : limits) {
      meters_.emplace_back(limit);
    }
    for (const std::vector<Limit>& of_one : of_egresses) {
      egress_meters_.push_back(meters_of_one(of_one, Scope::egress, 0));
      largest_cost_ = (std::max)(largest_cost_, largest_cost(egress_meters_.back()));
    }
    largest_cost_ = (std::min)(largest_cost_, largest_cost(meters_));
    shared_ = !meters_.empty() || std::any_of(egress_meters_.begin(), egress_meters_.end(),
                                              [](const auto& meters) { return !meters.empty(); });
  }

  /// Meters for the limits of one token or egress, which count from the ticket after `since`.
  static std::vector<Meter> meters_of_one(const std::vector<Limit>& limits, Scope owner,
                                          std::uint64_t since) {
    std::vector<Meter> meters;
    for (Limit limit : limits) {
      limit.scope = limit.scope | owner;
      meters.emplace_back(limit, owner, since);
    }
    return meters;
  }

  /// There are limits that many tokens meet.
  [[nodiscard]] bool shared() const noexcept { return shared_; }

  /// Neither limit nor rest has a part in this token's requests: the way of most pools is short.
  [[nodiscard]] bool unlimited(const Slot& slot) const noexcept { return !shared_ && !slot.particulars; }

  /// The room of a token by the limits that count it alone.
  [[nodiscard]] TokenRoom room_of(Slot& slot, SteadyTime now) noexcept {
    TokenRoom room{now, 1};
    if (unlimited(slot)) {
      return room;
    }
    each_of_token(slot, [&](Meter& meter) {
      Window* window = meter.limit().scope == Scope::token ? meter.find({.token = slot.face.slot}) : nullptr;
      if (window != nullptr) {
        room.opens_at = (std::max)(room.opens_at, window->room_at(meter.limit(), 1, now));
        room.headroom = (std::min)(room.headroom, share_left(meter.limit(), *window, now));
      }
    });
    return room;
  }

  /// When the egress has room for the request, by the limits that no token has a part in.
  [[nodiscard]] GateRoom gate(const Place& place, std::int64_t cost, SteadyTime now) noexcept {
    GateRoom room{now, Scope::pool};
    if (!shared_) {
      return room;
    }
    each_of_egress(place.egress, [&](Meter& meter) {
      if (has(meter.limit().scope, Scope::token | Scope::account)) {
        return;
      }
      if (const SteadyTime opens = meter.room_at(place, cost, now); opens > room.opens_at) {
        room = {opens, meter.limit().scope};
      }
    });
    return room;
  }

  /// When this token has room for the request together with this egress, bucket and account; availability is
  /// presumed.
  [[nodiscard]] SteadyTime pair_opens_at(Slot& slot, const Place& place, std::int64_t cost,
                                         SteadyTime now) noexcept {
    SteadyTime when = now;
    if (unlimited(slot)) {
      return when;
    }
    each(slot, place.egress, [&](Meter& meter) {
      const Limit& limit = meter.limit();
      const bool told_by_availability = limit.scope == Scope::token && limit.unit != Unit::cost;
      if (has(limit.scope, Scope::token | Scope::account) && !told_by_availability) {
        when = (std::max)(when, meter.room_at(place, cost, now));
      }
    });
    return when;
  }

  /// The share of its own limits that an egress has left, 1 when it has none.
  [[nodiscard]] double headroom(std::uint32_t egress, SteadyTime now) noexcept {
    double least = 1;
    each_of_egress(egress, [&](Meter& meter) {
      Window* window = meter.limit().scope == Scope::egress ? meter.find({.egress = egress}) : nullptr;
      if (window != nullptr) {
        least = (std::min)(least, share_left(meter.limit(), *window, now));
      }
    });
    return least;
  }

  /// The largest cost that the limits let one request have, by those that every token meets on the egress
  /// that allows most.
  [[nodiscard]] std::int64_t largest_cost() const noexcept { return largest_cost_; }

  /// The largest cost by the limits of this token alone.
  [[nodiscard]] static std::int64_t largest_cost_of(const Slot& slot) noexcept {
    return slot.particulars ? largest_cost(slot.particulars->meters) : no_limit;
  }

  /// The largest cost of a request by this token and this egress.
  [[nodiscard]] std::int64_t largest_cost_of(const Slot& slot, std::uint32_t egress) const noexcept {
    return (std::min)({largest_cost(meters_), largest_cost(egress_meters_[egress]), largest_cost_of(slot)});
  }

  /// Takes the request's units from all limits or, when memory is out, from none.
  void reserve(Slot& slot, const Place& place, std::int64_t cost) {
    if (unlimited(slot)) {
      return;
    }
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
    if (unlimited(slot)) {
      return;
    }
    each(slot, grant.place.egress, [&](Meter& meter) {
      if (holds(meter, grant)) {
        meter.refund(grant.place, grant.cost);
      }
    });
  }

  /// The request truly took `cost`, had arrived by `arrived_by` and was answered at `answered`.
  void settle(Slot& slot, const Grant& grant, std::int64_t cost, SteadyTime arrived_by,
              SteadyTime answered) noexcept {
    if (unlimited(slot)) {
      return;
    }
    each(slot, grant.place.egress, [&](Meter& meter) {
      if (holds(meter, grant)) {
        meter.settle(grant.place, grant.cost, cost, arrived_by, answered);
      }
    });
  }

  /// The answer began at `answered` and goes on: what counts requests knows all of this one.
  void settle_requests(Slot& slot, const Grant& grant, SteadyTime answered) noexcept {
    if (unlimited(slot)) {
      return;
    }
    each(slot, grant.place.egress, [&](Meter& meter) {
      if (meter.limit().unit == Unit::requests && holds(meter, grant)) {
        meter.settle(grant.place, grant.cost, grant.cost, answered, answered);
      }
    });
  }

  void forget_token(SlotNumber slot) noexcept {
    each_shared([slot](Meter& meter) { meter.forget_token(slot); });
  }

  /// Drops what is no longer counted, and calls `visit(place)` for each place that is.
  template <class F>
  void sweep(SteadyTime now, F&& visit) {
    each_shared([&](Meter& meter) {
      meter.sweep(now);
      meter.each_place(visit);
    });
  }

  /// The same for the limits of one token.
  template <class F>
  static void sweep(Slot& slot, SteadyTime now, F&& visit) {
    if (slot.particulars) {
      for (Meter& meter : slot.particulars->meters) {
        meter.sweep(now);
        meter.each_place(visit);
      }
    }
  }

  template <class F>
  void each_of_token(Slot& slot, F&& visit) {
    std::for_each(meters_.begin(), meters_.end(), std::ref(visit));
    if (slot.particulars) {
      std::for_each(slot.particulars->meters.begin(), slot.particulars->meters.end(), std::ref(visit));
    }
  }

  template <class F>
  void each_of_egress(std::uint32_t egress, F&& visit) {
    std::for_each(meters_.begin(), meters_.end(), std::ref(visit));
    std::for_each(egress_meters_[egress].begin(), egress_meters_[egress].end(), std::ref(visit));
  }

  template <class F>
  void each(Slot& slot, std::uint32_t egress, F&& visit) {
    each_of_token(slot, visit);
    std::for_each(egress_meters_[egress].begin(), egress_meters_[egress].end(), std::ref(visit));
  }

 private:
  static constexpr std::int64_t no_limit = (std::numeric_limits<std::int64_t>::max)();

  /// Whether the meter has something of this lease that is still open.
  [[nodiscard]] static bool holds(const Meter& meter, const Grant& grant) noexcept {
    return meter.counts(grant.ticket) && !(grant.answered && meter.limit().unit == Unit::requests);
  }

  [[nodiscard]] static double share_left(const Limit& limit, Window& window, SteadyTime now) noexcept {
    return 1 - static_cast<double>(window.used(now)) / static_cast<double>(limit.amount);
  }

  [[nodiscard]] static std::int64_t largest_cost(const std::vector<Meter>& meters) noexcept {
    std::int64_t largest = no_limit;
    for (const Meter& meter : meters) {
      if (meter.limit().unit == Unit::cost) {
        largest = (std::min)(largest, meter.limit().amount);
      }
    }
    return largest;
  }

  template <class F>
  void each_shared(F&& visit) {
    std::for_each(meters_.begin(), meters_.end(), std::ref(visit));
    for (std::vector<Meter>& meters : egress_meters_) {
      std::for_each(meters.begin(), meters.end(), std::ref(visit));
    }
  }

  std::vector<Meter> meters_;
  std::vector<std::vector<Meter>> egress_meters_;  ///< by egress number
  std::int64_t largest_cost_ = 0;
  bool shared_ = false;
};

}  // namespace tokenpool::detail
