#pragma once
// Who waits, and whether they had to: a naive account of what is used, kept as lists, against the pool's
// queue.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "findings.hpp"
#include "listener.hpp"

namespace simulation {

class QueueOracle final : public simulator::Listener {
 public:
  /// `clean`: no token ever rests, so that there is room whenever the limits and the ways out leave some.
  QueueOracle(Findings& findings, const simulator::World& world, bool clean)
      : findings_(findings),
        limits_(world.limits),
        egresses_(static_cast<std::uint32_t>((std::max)(world.egress.size(), std::size_t{1}))),
        grace_(world.wake_up * 20),
        clean_(clean),
        taken_(limits_.size()) {}

  void waits(const simulator::Search& search, simulator::Instant at) override {
    if (waiting_.empty()) {
      first_since_ = at;
    }
    waiting_[search.number] = search;
    check_first(at);
  }

  void gave_up_waiting(const simulator::Search& search, simulator::Instant at) override {
    check_first(at);
    erase(search.number, at);
  }

  void granted(const simulator::Granted& granted) override {
    newest_ = (std::max)(newest_, granted.ticket);
    erase(granted.search.number, granted.at + granted.waited);
    turns_[granted.search.needs].push_back({granted.search.number, granted.ticket});
    simulator::Knock knock = granted.knock;
    knock.cost = granted.search.plan->cost;
    take(knock, granted.ticket);
  }

  void settled(const simulator::Settlement& settlement, simulator::Instant at) override {
    settle(settlement, at);
    learn_of_way(settlement, at);
  }

  /// A person has put a token in, or back, or out.
  void token_is(const simulator::Knock& token, bool usable, simulator::Instant at) {
    tokens_.erase(token.token);
    if (usable) {
      tokens_[token.token] = {token, at};
    }
  }

  void rests(simulator::Instant at) override {
    constexpr int every = 16;
    if (!waiting_.empty() && ++events_ % every == 0) {
      check_first(at);
    }
  }

  /// At the end: the order of the leases is that of the searches.
  void check(simulator::Instant at) {
    for (auto& [needs, turns] : turns_) {
      std::sort(turns.begin(), turns.end());
      for (std::size_t i = 1; i < turns.size(); ++i) {
        if (turns[i].second < turns[i - 1].second) {
          findings_.add(invariant::in_turn, at,
                        "lease " + std::to_string(turns[i].second) + " went to one that came later");
        }
      }
    }
  }

 private:
  struct Token {
    simulator::Knock face;
    simulator::Instant since;
  };
  struct Taken {
    std::uint64_t ticket;
    std::int64_t units;
    simulator::Instant until;
  };
  struct Way {
    int lost_in_a_row = 0;
    std::uint64_t newest = 0;  ///< the newest lease when it was closed
    simulator::Instant closed_until{};
  };

  /// An egress of which five connections in a row failed may rest as long as any rest without a word, two
  /// minutes and a tenth; one request that was granted later and is answered opens it.
  void learn_of_way(const simulator::Settlement& settlement, simulator::Instant at) {
    Way& way = ways_[settlement.granted.knock.egress];
    if (settlement.answered) {
      way.lost_in_a_row = 0;
      if (settlement.granted.ticket > way.newest) way.closed_until = (std::min)(way.closed_until, at);
    } else if (!settlement.sent && ++way.lost_in_a_row >= 5) {
      way.newest = newest_;
      way.closed_until = at + std::chrono::seconds(132) + grace_;
    }
  }

  /// Takes what the estimate says, until it is settled.
  void take(const simulator::Knock& knock, std::uint64_t ticket) {
    each_limit(knock, [&](const tokenpool::Limit& limit, std::vector<Taken>& taken) {
      taken.push_back({ticket, units(limit, knock), simulator::never});
    });
  }

  /// What the service never saw, or what the estimate was too much, is free now; the rest a window later.
  void settle(const simulator::Settlement& settlement, simulator::Instant at) {
    const simulator::Knock& knock = settlement.granted.knock;
    each_limit(knock, [&](const tokenpool::Limit& limit, std::vector<Taken>& taken) {
      const auto mine = std::find_if(taken.begin(), taken.end(), [&](const Taken& entry) {
        return entry.ticket == settlement.granted.ticket;
      });
      const std::int64_t counted = settlement.answered ? units(limit, knock) : mine->units;
      // Above 256 the pool may keep a unit for one of 128 parts of the window longer.
      const simulator::Length longer = limit.amount > 256 ? limit.window / 128 : simulator::Length::zero();
      mine->until = at;
      if (settlement.sent && limit.unit != tokenpool::Unit::in_flight) {
        mine->units -= counted;
        taken.push_back({settlement.granted.ticket, counted, settlement.over + limit.window + longer});
      }
    });
  }

  static std::int64_t units(const tokenpool::Limit& limit, const simulator::Knock& knock) {
    return limit.unit == tokenpool::Unit::cost ? knock.cost : 1;
  }

  template <class F>
  void each_limit(const simulator::Knock& knock, F&& visit) {
    for (std::size_t i = 0; i < limits_.size(); ++i) {
      visit(limits_[i], taken_[i][simulator::place_key(limits_[i].scope, knock)]);
    }
  }

  void erase(std::uint64_t number, simulator::Instant at) {
    if (!waiting_.empty() && waiting_.begin()->first == number) {
      first_since_ = at;
    }
    waiting_.erase(number);
  }

  /// The first in the queue is in nobody's way, so it may not wait while any token has had room for a moment.
  void check_first(simulator::Instant at) {
    if (!clean_ || waiting_.empty()) {
      return;
    }
    const simulator::Search& first = waiting_.begin()->second;
    if (at - first_since_ < grace_) {
      return;
    }
    for (auto& [id, token] : tokens_) {
      for (std::uint32_t egress = 0; egress < egresses_ && at - token.since >= grace_; ++egress) {
        if (at - grace_ <= ways_[egress].closed_until) continue;
        simulator::Knock knock = token.face;
        knock.egress = egress;
        knock.bucket = first.plan->bucket;
        knock.cost = first.plan->cost;
        if (has_room(knock, at)) {
          return findings_.add(invariant::nobody_starves, at,
                               "call " + std::to_string(first.call) + " waits although " + id + " has room");
        }
      }
    }
  }

  [[nodiscard]] bool has_room(const simulator::Knock& knock, simulator::Instant at) {
    bool room = true;
    each_limit(knock, [&](const tokenpool::Limit& limit, std::vector<Taken>& taken) {
      std::erase_if(taken, [&](const Taken& entry) { return entry.until < at - grace_; });
      std::int64_t used = units(limit, knock);
      for (const Taken& entry : taken) {
        used += entry.units;
      }
      room = room && used <= limit.amount;
    });
    return room;
  }

  Findings& findings_;
  const std::vector<tokenpool::Limit>& limits_;
  std::uint32_t egresses_;
  simulator::Length grace_;
  bool clean_;
  std::vector<std::map<simulator::PlaceKey, std::vector<Taken>>> taken_;
  std::map<std::uint64_t, simulator::Search> waiting_;
  simulator::Instant first_since_{};
  std::map<std::string, Token> tokens_;
  std::map<std::uint32_t, Way> ways_;
  std::uint64_t newest_ = 0;
  std::map<std::string, std::vector<std::pair<std::uint64_t, std::uint64_t>>> turns_;
  std::uint64_t events_ = 0;
};

}  // namespace simulation
