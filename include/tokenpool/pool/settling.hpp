#pragma once
// A lease ends: its units are counted or given back, the policy hears of it, and the answer has its
// consequences.

#include <algorithm>
#include <cstdint>
#include <new>

#include "tokenpool/pool/consequences.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/state.hpp"

namespace tokenpool::detail {

/// Ends one lease in a pool's state. Not thread-safe.
class Settling {
 public:
  Settling(PoolState& state, const Grant& grant)
      : state_(state), grant_(grant), slot_(state.roster[grant.place.token]) {}

  SettleResult settle(const Outcome& outcome) {
    release();
    if (outcome.sent) {
      const std::int64_t cost = (std::max)(outcome.cost.value_or(grant_.cost), std::int64_t{0});
      state_.quotas.settle(slot_, grant_, cost, arrival(outcome), answer(outcome));
    } else {
      state_.quotas.refund(slot_, grant_);
    }
    hear(outcome);
    record(outcome);
    const TokenRoom room = tell_policy(outcome);
    SettleResult result = consequences(outcome);
    finish(room);
    return result;
  }

  /// The answer has begun, and it is none that refuses.
  SettleResult answered() {
    state_.quotas.settle_requests(slot_, grant_, state_.latest);
    SettleResult result = Consequences(state_, grant_, {}).accept();
    if (slot_.present) {
      state_.refresh(slot_);
    }
    return result;
  }

  /// Nothing was sent, and nobody learns anything.
  void give_back() noexcept {
    release();
    state_.quotas.refund(slot_, grant_);
    const TokenRoom room = tell_policy({});
    Consequences(state_, grant_, {}).release_probes();
    finish(room);
  }

 private:
  /// What the lease was told of its arrival, but not before it was granted, whatever a server's header says.
  [[nodiscard]] SteadyTime arrival(const Outcome& outcome) const noexcept {
    return (std::max)(outcome.arrived_by.value_or(outcome.answered_at), grant_.at);
  }

  /// Not before it was granted: a transport may read another clock than the client.
  [[nodiscard]] SteadyTime answer(const Outcome& outcome) const noexcept {
    return (std::max)(outcome.answered_at, grant_.at);
  }

  // Where memory runs out the answer teaches less, but it is still delivered, and the token goes on.

  /// What the server said of its own counts.
  void hear(const Outcome& outcome) noexcept {
    try {
      if (!outcome.facts.empty()) {
        slot_.more().server.heard(outcome.facts, grant_.place.bucket, grant_.ticket, state_.latest,
                                  state_.max_rest);
      }
    } catch (const std::bad_alloc&) {  // it will be said again
    }
  }

  SettleResult consequences(const Outcome& outcome) noexcept {
    try {
      return Consequences(state_, grant_, outcome).apply();
    } catch (const std::bad_alloc&) {
      Consequences(state_, grant_, outcome).release_probes();
      return {};
    }
  }

  void release() noexcept {
    slot_.release(grant_.credential);
    --state_.egress_places[grant_.place.egress].in_flight;
    --state_.bucket_places[grant_.place.bucket].in_flight;
  }

  /// A refusal comes fast and would make its token look quick: the times are those of accepting answers.
  void record(const Outcome& outcome) noexcept {
    SharedPlace& egress = state_.egress_places[grant_.place.egress];
    if (!is_acceptance(outcome.meaning.verdict)) {
      slot_.record.refused(outcome.meaning, outcome.status, state_.latest);
      egress.record.refused(outcome.meaning, outcome.status, state_.latest);
      return;
    }
    const Duration latency = outcome.answered ? outcome.latency : Duration::zero();
    slot_.record.accepted(latency);
    egress.record.accepted(latency);
    if (latency != Duration::zero()) {
      slot_.face.latency = moved_average(slot_.face.latency, latency);
      egress.latency = moved_average(egress.latency, latency);
    }
  }

  /// Returns the room that the token has now.
  TokenRoom tell_policy(const Outcome& outcome) noexcept {
    const bool success = outcome.answered && is_acceptance(outcome.meaning.verdict);
    const TokenRoom room = state_.measure(slot_);
    state_.policy.on_settled(slot_.face, {success, outcome.answered, outcome.latency, state_.latest});
    return room;
  }

  void finish(const TokenRoom& room) noexcept {
    if (slot_.present) {
      state_.place(slot_, room);
    } else if (slot_.face.in_flight == 0) {
      state_.vacate(slot_);
    }
  }

  PoolState& state_;
  const Grant& grant_;
  Slot& slot_;
};

}  // namespace tokenpool::detail
