#pragma once
// Who rests for a 429: whom the answer names, else the token or its account; and when several of them were
// refused in one place in a row, that place instead of them (shared_cause.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenpool/pool/ending.hpp"
#include "tokenpool/pool/shared_cause.hpp"

namespace tokenpool::detail {

/// Moves rests between tokens and the places that they share.
class Blame {
 public:
  explicit Blame(Ending& ending) : ending_(ending), state_(ending.state) {}

  /// The answer was a refusal for too many requests.
  void limited() {
    switch (ending_.meaning.scope) {
      case LimitScope::egress: return ending_.refuse(ending_.egress.rest, LimitScope::egress);
      case LimitScope::service: return ending_.refuse(state_.service, LimitScope::service);
      case LimitScope::bucket:
        return bucket() != 0 ? ending_.refuse(ending_.bucket.rest, LimitScope::bucket) : limited_token();
      case LimitScope::account:
      case LimitScope::token:
      case LimitScope::unknown: return limited_token();
    }
  }

  /// The token was accepted: what was suspected here is not so, or is over, and what it met at other egresses
  /// was not its own.
  void accepted() {
    const std::uint64_t ticket = ending_.grant.ticket;
    for (SharedPlace* place : {&ending_.egress, &ending_.bucket}) {
      const bool suspected = place->inferred.active();
      const bool ended = place->rest.succeeded(ticket);
      stand_again(place->inferred.succeeded(ticket, state_.latest));
      if (ended || (suspected && !place->inferred.active())) {
        ending_.recovered(scope_of(*place));
      }
    }
    for (SharedPlace& place : state_.egress_places) {
      if (&place != &ending_.egress) {
        place.inferred.served_elsewhere(ending_.slot.account, bucket(), ticket);
      }
    }
  }

 private:
  [[nodiscard]] LimitScope scope_of(const SharedPlace& place) const noexcept {
    return &place == &ending_.bucket ? LimitScope::bucket : LimitScope::egress;
  }

  [[nodiscard]] std::uint32_t bucket() const noexcept { return ending_.grant.place.bucket; }

  void limited_token() {
    const LimitScope named = ending_.meaning.scope;
    const bool of_account = ending_.account != nullptr && named != LimitScope::token;
    Rests& rests = of_account ? *ending_.account : ending_.slot.more().rests;
    Rest& own = rests.at(bucket(), state_.latest);
    Refusal refusal{ending_.slot.account, bucket(), own.untested(), {}};
    ending_.refuse(own, of_account ? LimitScope::account : LimitScope::token);
    refusal.own = own.untested();
    // An account that nobody named may be that of other tokens, too.
    const bool nobody_known = named == LimitScope::unknown || (named == LimitScope::account && !of_account);
    if (nobody_known && ending_.slot.usable() && (bucket() == 0 || !suspect(ending_.bucket, refusal))) {
      suspect(ending_.egress, refusal);
    }
    rest_whole_after_buckets(rests, of_account ? LimitScope::account : LimitScope::token);
  }

  /// Who is refused in several buckets, one after the other, is most likely refused as a whole.
  void rest_whole_after_buckets(Rests& rests, LimitScope scope) {
    constexpr std::size_t several = 3;
    if (const Rest* own = rests.find(bucket()); own != nullptr && rests.resting_buckets() >= several) {
      const bool is_new = !rests.whole().active();
      rests.whole().refused(ending_.grant.ticket, state_.newest_ticket, state_.latest, own->until(),
                            ending_.meaning.verdict);
      if (is_new) {
        ending_.tell(PoolEvent::Kind::rest, rests.whole().until(), scope);
      }
    }
  }

  /// Notes the refusal as evidence against the place, if the token was well until then: one that is refused
  /// again at the end of its own rest shows that this was too short, and nothing else. Returns whether the
  /// place rests.
  bool suspect(SharedPlace& place, const Refusal& refusal) {
    SharedCause& cause = place.inferred;
    const bool was_active = cause.active();
    if (refusal.before.strikes() == 0) {
      cause.refused(refusal, state_.newest_ticket);
    }
    if (!cause.active()) {
      return false;
    }
    cause.lengthen(ending_.grant.ticket, state_.newest_ticket, state_.latest, state_.roster.usable(),
                   ending_.meaning.rest ? refusal.own.until() : end_of_time, *state_.random);
    std::for_each(cause.asked().begin(), cause.asked().end(),
                  [this](const Refusal& asked) { take_back(asked); });
    ending_.publish(LedgerNews::Kind::rest, cause.rest().until(), ending_.subject(scope_of(place)));
    if (!was_active) {
      ending_.tell(PoolEvent::Kind::shared_limit, cause.rest().until(), scope_of(place));
    }
    return true;
  }

  /// The rest becomes what it was before the refusal, unless something else has lengthened it since.
  void take_back(const Refusal& refusal) {
    Rest& rest = rest_of(refusal);
    if (rest.active() && rest.until() <= refusal.own.until()) {
      rest = refusal.before;
      refresh_owner_of(refusal);
      ending_.publish(LedgerNews::Kind::ended, {}, subject_of(state_, refusal.account, refusal.bucket));
    }
  }

  /// The refusals turned out to be each token's own: their rests go on as if they had never been taken back,
  /// and are no evidence at the other egresses.
  void stand_again(const std::vector<Refusal>& refusals) {
    for (const Refusal& refusal : refusals) {
      Rest& rest = rest_of(refusal);
      if (refusal.account == ending_.slot.account || !refusal.own.active()) {
        continue;
      }
      if (!rest.active() || rest.until() < refusal.own.until()) {
        rest = refusal.own;
        refresh_owner_of(refusal);
        ending_.publish(LedgerNews::Kind::rest, rest.until(),
                        subject_of(state_, refusal.account, refusal.bucket));
      }
      for (SharedPlace& place : state_.egress_places) {
        if (&place != &ending_.egress) {
          place.inferred.forget(refusal.account);
        }
      }
    }
  }

  [[nodiscard]] Rest& rest_of(const Refusal& refusal) {
    return state_.rests_of(refusal.account).at(refusal.bucket, state_.latest);
  }

  /// Whether a token of an account is available does not depend on the account's rest.
  void refresh_owner_of(const Refusal& refusal) noexcept {
    if ((refusal.account & account_of_its_own) != 0) {
      state_.refresh(state_.roster[refusal.account & ~account_of_its_own]);
    }
  }

  Ending& ending_;
  PoolState& state_;
};

}  // namespace tokenpool::detail
