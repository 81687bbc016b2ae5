#pragma once
// A search that found somebody becomes a lease: units are taken, rests that are over are put to the test.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tokenpool/pool/choosing.hpp"
#include "tokenpool/pool/claims.hpp"
#include "tokenpool/pool/lease.hpp"
#include "tokenpool/pool/state.hpp"
#include "tokenpool/pool/waiters.hpp"

namespace tokenpool::detail {

/// Grants leases out of a pool's state. Not thread-safe.
class Granting {
 public:
  Granting(PoolState& state, WaitQueue& queue, LeaseKeeper& keeper)
      : state_(state), queue_(queue), keeper_(keeper) {}

  /// A lease for `request`, which has the place `order` in the queue, or why there is none. Throws what the
  /// policy throws, Error{invalid_request} for its bad index or a negative cost, std::bad_alloc; nothing has
  /// changed then.
  Acquired operator()(const LeaseRequest& request, std::uint64_t order = WaitQueue::newcomer) {
    if (request.cost < 0) {
      throw Error(ErrorCode::invalid_request,
                  "cost is " + std::to_string(request.cost) + ": give an estimate of at least 0");
    }
    const std::uint32_t bucket = state_.bucket_number(request.bucket);
    Choice choice(state_, request, bucket, queue_, order, open_);
    const Choice::Result chosen = choice.run();
    if (const auto* pair = std::get_if<Choice::Pair>(&chosen)) {
      Slot& slot = *pair->slot;
      if (request.skipped != nullptr) {
        *request.skipped = choice.passed_over(*pair);
      }
      Grant grant{{slot.face.slot, slot.account, pair->egress, bucket},
                  request.cost,
                  0,
                  state_.latest,
                  slot.credential.get()};
      return this->grant(slot, grant);
    }
    if (const auto* refusal = std::get_if<NotUntil>(&chosen)) {
      return *refusal;
    }
    return std::get<Never>(chosen);
  }

 private:
  Acquired grant(Slot& slot, Grant& grant) {
    std::vector<Claim> claims = state_.ask_ledger ? claims_of(state_, slot, grant) : std::vector<Claim>();
    state_.quotas.reserve(slot, grant.place, grant.cost);
    grant.ticket = ++state_.newest_ticket;
    ++slot.face.in_flight;
    ++slot.face.granted;
    ++state_.egress_places[grant.place.egress].in_flight;
    ++state_.bucket_places[grant.place.bucket].in_flight;
    if (!state_.nothing_rests(slot, grant.place)) {
      put_to_the_test(slot, grant);
    }
    const TokenRoom room = state_.measure(slot);
    state_.policy.on_granted(slot.face);
    state_.place(slot, room);
    if (state_.ask_ledger) {
      return Ask{Lease(keeper_, grant), std::move(claims)};
    }
    return Acquired(std::in_place_type<Lease>, keeper_, grant);
  }

  /// Whatever rests and admits this request has it as the one that shows whether it rested long enough.
  void put_to_the_test(Slot& slot, const Grant& grant) noexcept {
    if (slot.particulars) {
      slot.particulars->rests.granted(grant.place.bucket, grant.ticket, grant.at);
    }
    if (Rests* account = state_.account_rests_of(slot)) {
      account->granted(grant.place.bucket, grant.ticket, grant.at);
    }
    for (SharedPlace* place :
         {&state_.egress_places[grant.place.egress], &state_.bucket_places[grant.place.bucket]}) {
      place->rest.granted(grant.ticket, grant.at);
      place->inferred.granted(grant.ticket, grant.at);
    }
    state_.service.granted(grant.ticket, grant.at);
  }

  PoolState& state_;
  WaitQueue& queue_;
  LeaseKeeper& keeper_;
  std::vector<OpenEgress> open_;  ///< scratch of Choice
};

}  // namespace tokenpool::detail
