#pragma once
// Random worlds from a seed. Three families, by what may be promised about them.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "simulation.hpp"
#include "tokenpool/policy/any_policy.hpp"

namespace simulation {

using simulator::Dice;
using simulator::Length;
using simulator::World;

enum class Family {
  known,    ///< the client knows every limit: no 429 at all, nobody waits without a cause
  unknown,  ///< it knows some or none: it learns from refusals, and keeps to what they say
  strikes,  ///< it knows none, and refusals say whose limit it was, but not how long it lasts
};

template <class T>
T one_of(Dice& dice, std::initializer_list<T> choices) {
  return choices.begin()[dice.index(choices.size())];
}

inline simulator::Rule random_rule(Dice& dice) {
  using tokenpool::Scope;
  using namespace std::chrono_literals;
  const Scope scope =
      one_of(dice, {Scope::token, Scope::token, Scope::token, Scope::account, Scope::egress, Scope::egress,
                    Scope::bucket, Scope::pool, Scope::token | Scope::bucket, Scope::token | Scope::egress,
                    Scope::account | Scope::bucket, Scope::egress | Scope::bucket});
  const auto window = one_of<std::chrono::milliseconds>(dice, {1s, 10s, 60s, 1h});
  simulator::Rule rule;
  rule.limit =
      tokenpool::Limit::per(scope, dice.chance(0.1) ? dice.between(257, 600) : dice.between(1, 40), window);
  if (const double unit = dice.unit(); unit > 0.75) {
    rule.limit.unit = unit > 0.9 ? tokenpool::Unit::in_flight : tokenpool::Unit::cost;
    rule.limit.amount = unit > 0.9 ? dice.between(1, 10) : dice.between(20, 200);
  }
  using simulator::WindowKind;
  rule.kind = one_of(
      dice, {WindowKind::fixed, WindowKind::rolling, WindowKind::first_request, WindowKind::token_bucket});
  rule.phase = dice.between(Length::zero(), Length(window) - Length(1));
  return rule;
}

inline void choose_tokens(World& world, Dice& dice) {
  world.tokens = simulator::tokens_named(static_cast<std::size_t>(dice.between(1, 8)));
  const bool shared_accounts = dice.chance(0.3);
  for (std::size_t i = 0; i < world.tokens.size(); ++i) {
    world.tokens[i].account = shared_accounts ? "a" + std::to_string(i / 2) : "";
    world.tokens[i].weight = static_cast<double>(dice.between(1, 4));
    world.tokens[i].priority = static_cast<int>(dice.between(0, 1));
  }
  world.egress =
      simulator::egresses_named(dice.chance(0.7) ? 1 : static_cast<std::size_t>(dice.between(2, 3)));
  const auto names = tokenpool::policy_names();
  world.policy = std::string(names[dice.index(names.size())]);
}

inline void choose_network(World& world, Dice& dice) {
  using namespace std::chrono_literals;
  simulator::Network& network = world.network;
  network.way_most = one_of<Length>(dice, {5ms, 20ms, 200ms});
  network.work_most = one_of<Length>(dice, {10ms, 100ms, 2s});
  network.tells_work = dice.chance(0.5);
  network.loss_noticed = network.longest() + 1ms;
  if (dice.chance(0.3)) {
    network.no_connection = network.lost_before = network.lost_after = 0.01;
    world.service.broken = 0.05;
  }
}

/// Where limits are unknown a long queue would only make many requests meet the same 429.
inline void choose_load(World& world, Dice& dice, Family family) {
  using namespace std::chrono_literals;
  simulator::Load& load = world.load;
  load.calls = static_cast<std::size_t>(dice.between(100, 3000));
  if (dice.chance(0.5)) {
    load.workers = static_cast<std::size_t>(dice.between(1, 30));
  } else {
    load.per_second = one_of(dice, {0.3, 3.0, 30.0});
    load.calls = family == Family::known ? load.calls : load.calls / 10;
  }
  world.retry.max_wait = one_of<std::chrono::milliseconds>(dice, {1s, 60s, 1h, 24h});
  const auto buckets = dice.between(0, 3);
  const auto costs = dice.between(0, 1) * 19 + 1;
  const bool impatient = dice.chance(0.5);
  load.plan = [buckets, costs, impatient](Dice& own) {
    simulator::CallPlan plan;
    plan.bucket = buckets == 0 ? "" : "b" + std::to_string(own.between(1, buckets));
    plan.cost = own.between(1, costs);
    plan.true_cost = own.between(1, plan.cost);
    plan.affinity = "c" + std::to_string(own.between(1, 5));
    plan.safe_to_repeat = own.chance(0.8);
    if (impatient && own.chance(0.2)) {
      plan.deadline = own.between(Length(1ms), Length(5s));
    }
    if (impatient && own.chance(0.1)) {
      plan.cancelled = own.between(Length(1ms), Length(5s));
    }
    return plan;
  };
}

/// The client is told a rule, with when it counts, or without.
inline tokenpool::Limit as_known(const simulator::Rule& rule, simulator::CountedAt counted, Dice& dice) {
  tokenpool::Limit limit = rule.limit;
  if (dice.chance(0.5)) {
    limit.counted = counted == simulator::CountedAt::arrival  ? tokenpool::Counted::on_arrival
                    : counted == simulator::CountedAt::answer ? tokenpool::Counted::on_answer
                                                              : tokenpool::Counted::unknown;
  }
  return limit;
}

inline void choose_service(World& world, Dice& dice, Family family) {
  using simulator::CountedAt;
  using simulator::Word;
  simulator::ServiceOptions& service = world.service;
  service.counted_at = one_of(dice, {CountedAt::arrival, CountedAt::answer, CountedAt::between});
  service.word = one_of(dice, {Word::none, Word::seconds, Word::milliseconds, Word::date});
  service.names_scope = dice.chance(0.5);
  service.clock_offset = std::chrono::seconds(dice.between(-100'000, 100'000));
  for (std::int64_t rules = dice.between(1, 4); rules > 0; --rules) {
    service.rules.push_back(random_rule(dice));
    if (family == Family::known || dice.chance(0.3)) {
      world.limits.push_back(as_known(service.rules.back(), service.counted_at, dice));
    }
  }
}

inline World random_world(Family family, Dice& dice) {
  World world;
  choose_tokens(world, dice);
  choose_network(world, dice);
  choose_load(world, dice, family);
  choose_service(world, dice, family);
  if (family == Family::strikes) {
    const simulator::Rule rule = random_rule(dice);
    world.service.rules = {
        {tokenpool::Limit::per_token(dice.between(1, 20), rule.limit.window), rule.kind, rule.phase, {}}};
    world.service.word = simulator::Word::none;
    world.service.names_scope = true;
    world.limits.clear();
    const auto plan = world.load.plan;
    world.load.plan = [plan](Dice& own) {
      simulator::CallPlan plain = plan(own);
      plain.bucket.clear();
      return plain;
    };
  }
  return world;
}

}  // namespace simulation
