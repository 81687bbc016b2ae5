#pragma once
// A ledger in memory: the reference of what a store has to do, with the store's time handed in. A client
// keeps one of what it spent itself, to go on from when the store is out of reach or was emptied.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tokenpool/quota/ledger.hpp"

namespace tokenpool {

/// Counts, rests and ejections. Times are milliseconds of one clock that does not go back. Not thread-safe.
class LedgerBook {
 public:
  /// A store of that epoch which began to count at `born`, in milliseconds of its clock.
  explicit LedgerBook(std::uint64_t epoch = 1, std::int64_t born = 0) noexcept : epoch_(epoch), born_(born) {}

  /// Works a question through at `now`, in milliseconds of the store's clock.
  LedgerAnswer ask(const LedgerQuestion& question, std::int64_t now) {
    LedgerAnswer answer{.granted = false, .refused_claim = question.claims.size(), .epoch = epoch_};
    if (question.epoch != 0 && question.epoch != epoch_) {
      return answer;
    }
    forget_the_dead(now);
    for (const LedgerSpent& spent : question.spent) {
      enter(spent.reservation, spent.claim, now + spent.expires_in.count());
    }
    std::for_each(question.notes.begin(), question.notes.end(),
                  [&](const LedgerNote& note) { end(note, now); });
    std::for_each(question.news.begin(), question.news.end(),
                  [&](const LedgerNews& news) { hear(news, question.heard, now); });
    reserve(question, now, answer);
    tell(question.heard, now, answer);
    return answer;
  }

  /// What is counted in `place` at `now`.
  [[nodiscard]] LedgerCount read(const Claim& place, std::int64_t now) {
    const auto found = places_.find(ledger_key(place));
    if (found == places_.end() || found->second.used(now) == 0) {
      return {};
    }
    return {found->second.used(now), std::chrono::milliseconds(found->second.entries.rbegin()->first - now)};
  }

  /// Whether any lease or count still matters at `now`.
  [[nodiscard]] bool counts_anything(std::int64_t now) const {
    return std::any_of(places_.begin(), places_.end(),
                       [now](const auto& place) { return !is_over(place.second, now); });
  }

  /// Everything that is counted, as another store has to be told of it.
  [[nodiscard]] std::vector<LedgerSpent> spent(std::int64_t now) {
    forget_the_dead(now);
    std::vector<LedgerSpent> all;
    const auto add = [&](const Claim& claim, std::int64_t units, std::int64_t expires, std::uint64_t open) {
      if (units > 0 && expires > now) {
        all.push_back({claim, std::chrono::milliseconds(expires - now), open});
        all.back().claim.units = units;
      }
    };
    auto settled = places_;
    for (const auto& [reservation, entered] : open_) {
      for (const Entered& one : entered) {
        add(one.claim, one.claim.units, one.expires, reservation);
        settled[ledger_key(one.claim)].entries[one.expires] -= one.claim.units;
      }
    }
    for (auto& [key, place] : settled) {
      for (const auto& [expires, units] : place.entries) {
        add(place.claim, units, expires, 0);
      }
    }
    return all;
  }

  /// A lease ended. Returns whether it was known.
  bool end(const LedgerNote& note, std::int64_t now) {
    const auto found = open_.find(note.reservation);
    if (found == open_.end()) {
      return false;
    }
    for (const Entered& one : found->second) {
      const Limit& limit = one.claim.limit;
      add(one.claim, one.expires, -one.claim.units);
      dies_.erase({one.expires, note.reservation});
      const std::int64_t expires = ledger::expiry(limit, now - ledger::counted_ago(limit, note));
      if (expires > now) {
        add(one.claim, expires, ledger::true_units(limit, note, one.claim.units));
      }
    }
    open_.erase(found);
    return true;
  }

 private:
  /// The counts of one limit in one place.
  struct Counts {
    Claim claim;
    std::map<std::int64_t, std::int64_t> entries;  ///< units by the time when they expire
    std::int64_t sum = 0;

    std::int64_t used(std::int64_t now) {
      while (!entries.empty() && entries.begin()->first <= now) {
        sum -= entries.begin()->second;
        entries.erase(entries.begin());
      }
      return sum;
    }

    void add(std::int64_t expires, std::int64_t units) {
      sum += units;
      if (units != 0 && (entries[expires] += units) == 0) {
        entries.erase(expires);
      }
    }
  };

  static bool is_over(const Counts& counts, std::int64_t now) {
    return counts.entries.empty() || counts.entries.rbegin()->first <= now;
  }

  struct Entered {
    Claim claim;
    std::int64_t expires = 0;
  };

  /// What is known of a subject of news.
  struct Fact {
    LedgerNews::Kind kind = LedgerNews::Kind::rest;
    std::int64_t until = 0;
    Verdict cause = Verdict::success;
    std::string reason;
    std::uint64_t version = 0;
  };

  void enter(std::uint64_t reservation, const Claim& claim, std::int64_t expires) {
    const std::string key = ledger_key(claim);
    if (reservation != 0) {
      std::vector<Entered>& entered = open_[reservation];
      if (std::any_of(entered.begin(), entered.end(),
                      [&](const Entered& one) { return ledger_key(one.claim) == key; })) {
        return;
      }
      entered.push_back({claim, expires});
      dies_.emplace(expires, reservation);
    }
    add(claim, expires, claim.units);
  }

  void add(const Claim& claim, std::int64_t expires, std::int64_t units) {
    Counts& counts = places_[ledger_key(claim)];
    counts.claim = claim;
    counts.add(expires, units);
  }

  void reserve(const LedgerQuestion& question, std::int64_t now, LedgerAnswer& answer) {
    if (question.reservation == 0) {
      return;
    }
    if (open_.count(question.reservation) != 0) {
      answer.granted = true;
      return;
    }
    if (const std::int64_t age = now - born_; age < question.fresh_for.count()) {
      answer.retry_in = std::chrono::milliseconds(question.fresh_for.count() - age);
      return;
    }
    for (std::size_t i = 0; i < question.claims.size(); ++i) {
      if (const std::int64_t when = room_at(question.claims[i], now); when > now) {
        answer.refused_claim = i;
        answer.retry_in = std::chrono::milliseconds(when - now);
        return;
      }
    }
    for (const Claim& claim : question.claims) {
      enter(question.reservation, claim,
            ledger::expiry(claim.limit,
                           now + (std::max)(question.lives_for, std::chrono::milliseconds(0)).count()));
    }
    answer.granted = true;
  }

  /// When there can be room for the claim: `now` if there is.
  std::int64_t room_at(const Claim& claim, std::int64_t now) {
    const auto found = places_.find(ledger_key(claim));
    std::int64_t excess = claim.units - claim.limit.amount;
    excess += found == places_.end() ? 0 : found->second.used(now);
    std::int64_t last = now;
    if (found != places_.end()) {
      const auto& entries = found->second.entries;
      for (auto entry = entries.begin(); entry != entries.end() && excess > 0; ++entry) {
        excess -= entry->second;
        last = entry->first;
      }
    }
    if (last == now) {
      return excess > 0 ? ledger::retry_at(claim.limit, ledger::expiry(claim.limit, now), now) : now;
    }
    return ledger::retry_at(claim.limit, last, now);
  }

  void hear(const LedgerNews& news, std::uint64_t heard, std::int64_t now) {
    using Kind = LedgerNews::Kind;
    if (news.kind == Kind::enabled) {
      const std::string prefix = news.subject + ' ';
      for (auto fact = facts_.lower_bound(prefix);
           fact != facts_.end() && fact->first.rfind(prefix, 0) == 0;) {
        fact = facts_.erase(fact);
      }
      facts_[news.subject] = {news.kind, now, news.cause, news.reason, ++newest_};
      return;
    }
    const std::int64_t until = now + news.left.count();
    const auto found = facts_.find(news.subject);
    const Fact* known = found == facts_.end() ? nullptr : &found->second;
    const bool ejected = known != nullptr && known->kind == Kind::ejected;
    const bool rests = known != nullptr && known->kind == Kind::rest && known->until > now;
    if (news.kind == Kind::ended ? !rests || known->version > heard
                                 : ejected || (news.kind == Kind::rest && rests && known->until >= until)) {
      return;
    }
    // Who hears that a rest ended needs that only for as long as he would have kept it.
    const std::int64_t kept = news.kind == Kind::ended ? known->until : until;
    facts_[news.subject] = {news.kind, kept, news.cause, news.reason, ++newest_};
  }

  void tell(std::uint64_t heard, std::int64_t now, LedgerAnswer& answer) {
    using Kind = LedgerNews::Kind;
    answer.heard = newest_;
    for (auto entry = facts_.begin(); heard < newest_ && entry != facts_.end();) {
      const Fact& fact = entry->second;
      const bool passes = fact.kind == Kind::rest || fact.kind == Kind::ended;
      if (passes && fact.until <= now) {
        entry = facts_.erase(entry);
        continue;
      }
      if (fact.version > heard) {
        const std::int64_t left = passes ? fact.until - now : 0;
        answer.news.push_back(
            {fact.kind, entry->first, std::chrono::milliseconds(left), fact.cause, fact.reason});
      }
      ++entry;
    }
  }

  /// Leases that nobody ended expire with their entries; so do places in which nothing is counted any more.
  void forget_the_dead(std::int64_t now) {
    for (; !dies_.empty() && dies_.begin()->first <= now; dies_.erase(dies_.begin())) {
      const auto found = open_.find(dies_.begin()->second);
      if (found != open_.end() &&
          std::erase_if(found->second, [&](const Entered& one) { return one.expires <= now; }) != 0 &&
          found->second.empty()) {
        open_.erase(found);
      }
    }
    if (places_.size() >= sweep_at_) {
      std::erase_if(places_, [now](const auto& place) { return is_over(place.second, now); });
      sweep_at_ = (std::max)(std::size_t{64}, 2 * places_.size());
    }
  }

  std::uint64_t epoch_;
  std::int64_t born_;
  std::uint64_t newest_ = 0;
  std::size_t sweep_at_ = 64;
  std::unordered_map<std::string, Counts> places_;
  std::unordered_map<std::uint64_t, std::vector<Entered>> open_;
  std::set<std::pair<std::int64_t, std::uint64_t>> dies_;  ///< open leases by the end of an entry
  std::map<std::string, Fact> facts_;
};

}  // namespace tokenpool
