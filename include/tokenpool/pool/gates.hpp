#pragma once
// The first question of a search: by which egresses may the request leave now, whatever its token? And what
// the search keeps of all that stood in its way: the earliest time at which another try can succeed.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/need.hpp"
#include "tokenpool/pool/state.hpp"

namespace tokenpool::detail {

/// An egress that is open for a request.
struct OpenEgress {
  double headroom = 1;
  std::uint32_t number = 0;
};

/// The earliest of the obstacles that a search met.
struct Obstacle {
  NotUntil refusal{};
  bool met = false;

  void meet(SteadyTime until, Blocker why) noexcept {
    if (!met || until < refusal.when) {
      refusal = {until, why};
      met = true;
    }
  }
};

/// Looks at every egress for one request.
class Gates {
 public:
  Gates(PoolState& state, const Need& need) : state_(state), need_(need) {}

  /// Writes the egresses that are open to `open`, that with most headroom first, equals in turn. The others
  /// are obstacles. Throws std::bad_alloc.
  void find_open(std::vector<OpenEgress>& open, Obstacle& obstacle) {
    open.clear();
    const bool behind_is_quiet = state_.service.idle() && state_.bucket_places[need_.bucket].quiet();
    for (std::uint32_t egress = 0; egress < state_.egresses.size(); ++egress) {
      const bool quiet = behind_is_quiet && state_.egress_places[egress].quiet() && !state_.quotas.shared();
      if (quiet || is_open(egress, obstacle)) {
        open.push_back({1, egress});
      }
    }
    if (open.size() > 1) {
      prefer_headroom(open);
    }
  }

 private:
  bool is_open(std::uint32_t egress, Obstacle& obstacle) noexcept {
    const std::size_t usable = state_.roster.usable();
    const SteadyTime service = state_.service.opens_at();
    const SteadyTime bucket = state_.bucket_places[need_.bucket].opens_at(usable);
    const SteadyTime rested = state_.egress_places[egress].opens_at(usable);
    const GateRoom gate =
        state_.quotas.gate({.egress = egress, .bucket = need_.bucket}, need_.cost, state_.latest);
    const SteadyTime opens = (std::max)({service, bucket, rested, gate.opens_at});
    if (opens <= state_.latest) {
      return true;
    }
    obstacle.meet(opens, opens == service  ? Blocker{LimitScope::service}
                         : opens == bucket ? Blocker{LimitScope::bucket, need_.bucket}
                         : opens == rested ? Blocker{LimitScope::egress, egress}
                                           : blocker_of(gate.scope, egress));
    return false;
  }

  [[nodiscard]] Blocker blocker_of(Scope scope, std::uint32_t egress) const noexcept {
    if (has(scope, Scope::egress)) {
      return {LimitScope::egress, egress, true};
    }
    return has(scope, Scope::bucket) ? Blocker{LimitScope::bucket, need_.bucket, true}
                                     : Blocker{LimitScope::unknown, 0, true};
  }

  /// An insertion sort: there are few, and nothing is allocated.
  void prefer_headroom(std::vector<OpenEgress>& open) noexcept {
    const auto turn = static_cast<std::ptrdiff_t>(state_.newest_ticket % open.size());
    std::rotate(open.begin(), open.begin() + turn, open.end());
    for (std::size_t i = 0; i < open.size(); ++i) {
      open[i].headroom = state_.quotas.headroom(open[i].number, state_.latest);
      for (std::size_t j = i; j != 0 && open[j - 1].headroom < open[j].headroom; --j) {
        std::swap(open[j - 1], open[j]);
      }
    }
  }

  PoolState& state_;
  const Need& need_;
};

}  // namespace tokenpool::detail
