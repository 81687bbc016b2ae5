#pragma once
// What processes that share a ledger tell each other: rests and ejections. News is kept as instants until
// somebody travels to the ledger; what others have learnt is applied as if it had been learnt here.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/pool/changes.hpp"
#include "tokenpool/pool/events.hpp"
#include "tokenpool/pool/slot.hpp"
#include "tokenpool/pool/state.hpp"
#include "tokenpool/quota/ledger.hpp"

namespace tokenpool::detail {

/// Takes in the news of others. Not thread-safe.
class Hearsay {
 public:
  explicit Hearsay(PoolState& state) : state_(state) {}

  /// What the news changed here, for those who listen.
  [[nodiscard]] std::vector<PoolEvent>& events() noexcept { return events_; }

  /// A subject that this pool does not have is none of its business.
  void hear(const LedgerNews& news) {
    const std::string_view subject = news.subject;
    const std::size_t sign = subject.find('=');
    const std::string_view kind = subject.substr(0, sign);
    const std::string_view name = sign == std::string_view::npos ? "" : subject.substr(sign + 1);
    if (kind == "token") {
      with_bucket(name,
                  [&](std::string_view id, std::string_view bucket) { return token(news, id, bucket); });
    } else if (kind == "account") {
      with_bucket(name,
                  [&](std::string_view id, std::string_view bucket) { return account(news, id, bucket); });
    } else if (kind == "egress") {
      for (std::size_t i = 0; i < state_.egresses.size(); ++i) {
        if (state_.egresses[i].id == name) {
          apply(news, state_.egress_places[i].rest,
                {.scope = LimitScope::egress, .scope_id = std::string(name)});
        }
      }
    } else if (kind == "bucket") {
      apply(news, state_.bucket_places[state_.bucket_number(name)].rest,
            {.scope = LimitScope::bucket, .scope_id = std::string(name)});
    } else if (subject == "pool") {
      apply(news, state_.service, {.scope = LimitScope::service});
    }
  }

  /// Whether nothing that was heard stands in the way of a lease that was granted before.
  [[nodiscard]] bool admits(const Grant& grant) {
    Slot& slot = state_.roster[grant.place.token];
    const std::uint32_t bucket = grant.place.bucket;
    const auto rests = [&](const Rest& rest) { return rest.active() && rest.until() > state_.latest; };
    const auto all_rest = [&](Rests* of) {
      return of != nullptr &&
             (rests(of->whole()) || (of->find(bucket) != nullptr && rests(*of->find(bucket))));
    };
    return slot.usable() && !all_rest(slot.particulars ? &slot.particulars->rests : nullptr) &&
           !all_rest(state_.account_rests_of(slot)) &&
           !rests(state_.egress_places[grant.place.egress].rest) &&
           !rests(state_.bucket_places[bucket].rest) && !rests(state_.service);
  }

 private:
  /// "a bucket=b" is bucket b of a, unless somebody is called so. `apply` returns whether there is one.
  template <class F>
  static void with_bucket(std::string_view name, F&& apply) {
    constexpr std::string_view between = " bucket=";
    if (apply(name, std::string_view())) {
      return;
    }
    for (std::size_t at = name.find(between); at != std::string_view::npos; at = name.find(between, at + 1)) {
      if (apply(name.substr(0, at), name.substr(at + between.size()))) {
        return;
      }
    }
  }

  bool token(const LedgerNews& news, std::string_view id, std::string_view bucket) {
    Slot* slot = state_.roster.find(id);
    if (slot == nullptr) {
      return false;
    }
    const PoolEvent about{.token_id = std::string(id), .bucket = std::string(bucket)};
    switch (news.kind) {
      case LedgerNews::Kind::enabled:
        if (slot->ejected || slot->particulars) {
          if (slot->ejected || !slot->particulars->rests.idle()) {
            tell(PoolEvent::Kind::changed, about, news).change = TokenChange::enabled;
          }
          state_.roster.change(*slot, [](Slot& back) { back.ejected = false; });
          Changes::end_rests(*slot);
        }
        break;
      case LedgerNews::Kind::ejected:
        if (!slot->ejected) {
          tell(PoolEvent::Kind::ejected, about, news);
        }
        slot->more().note = news.reason;
        state_.roster.change(*slot, [](Slot& gone) { gone.ejected = true; });
        state_.forget_refusals(*slot);
        break;
      case LedgerNews::Kind::rest:
      case LedgerNews::Kind::ended:
        apply(news, slot->more().rests.at(state_.bucket_number(bucket), state_.latest), about);
        break;
    }
    state_.refresh(*slot);
    return true;
  }

  bool account(const LedgerNews& news, std::string_view name, std::string_view bucket) {
    const std::uint32_t number = state_.roster.accounts().find(name);
    if (number == 0 || number >= state_.account_rests.size()) {
      return false;
    }
    Rests& rests = state_.account_rests[number];
    news.kind == LedgerNews::Kind::enabled
        ? rests.end()
        : apply(news, rests.at(state_.bucket_number(bucket), state_.latest),
                {.scope = LimitScope::account, .scope_id = std::string(name), .bucket = std::string(bucket)});
    return true;
  }

  /// `about` says what rests, for those who listen.
  void apply(const LedgerNews& news, Rest& rest, const PoolEvent& about) {
    if (news.kind != LedgerNews::Kind::rest) {
      if (rest.active()) {
        tell(PoolEvent::Kind::recovered, about, news);
      }
      return rest.end();
    }
    const SteadyTime until = after(state_.latest, news.left);
    // A millisecond is how far off a rest may come back that was told by this pool itself.
    if (!rest.active() || after(rest.until(), std::chrono::milliseconds(2)) < until) {
      rest.refused(state_.newest_ticket + 1, state_.newest_ticket, state_.latest, until, news.cause);
      tell(PoolEvent::Kind::rest, about, news).until = until;
    }
  }

  PoolEvent& tell(PoolEvent::Kind kind, PoolEvent about, const LedgerNews& news) {
    about.kind = kind;
    about.cause = news.cause;
    about.reason = news.reason;
    return events_.emplace_back(std::move(about));
  }

  PoolState& state_;
  std::vector<PoolEvent> events_;
};

}  // namespace tokenpool::detail
