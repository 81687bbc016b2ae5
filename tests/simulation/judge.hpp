#pragma once
// Runs one schedule in front of all oracles that its family can be held to.

#include <chrono>
#include <cstdint>

#include "end_oracle.hpp"
#include "pool_changes.hpp"
#include "queue_oracle.hpp"
#include "rest_oracle.hpp"
#include "schedules.hpp"
#include "window_oracle.hpp"

namespace simulation {

struct Run {
  std::uint64_t requests = 0;
  std::uint64_t hash = 0;
};

/// `dice` are those that drew the world; they draw what a person changes while it runs.
inline Run judge(simulator::Simulation& simulation, Family family, Dice& dice, Findings& findings) {
  const World& world = simulation.stage().world;
  WindowOracle windows(findings, world.service.rules);
  QueueOracle queue(findings, world, family == Family::known);
  RestOracle rests(findings, world);
  StrikeOracle strikes(findings, simulation.stage());
  EndOracle ends(findings);
  Trace trace;
  PoolChanges changes(simulation, queue, rests, dice.fork());
  if (family != Family::strikes && dice.chance(0.3)) {
    const std::int64_t count = dice.between(1, 20);
    changes.plan(count,
                 dice.between(Length(std::chrono::milliseconds(100)), Length(std::chrono::minutes(2))));
  }
  if (family == Family::known) {
    simulation.add(windows);
  } else {
    simulation.add(rests);
  }
  if (family == Family::strikes) {
    simulation.add(strikes);
  }
  for (simulator::Listener* listener :
       {static_cast<simulator::Listener*>(&queue), static_cast<simulator::Listener*>(&ends),
        static_cast<simulator::Listener*>(&trace)}) {
    simulation.add(*listener);
  }
  constexpr std::uint64_t events_per_call = 2000;
  simulation.run(world.load.calls * events_per_call + 100'000);
  queue.check(simulation.stage().loop.now());
  if (family == Family::known) {
    windows.check(simulation.stage().loop.now());
  }
  ends.check(simulation.stage(), std::chrono::hours(1));
  return {trace.requests(), trace.hash()};
}

}  // namespace simulation
