// Pool, queue and attempt machine, driven by a script of events: the input is what the dice of
// tests/simulation show, so it decides which world there is, who calls when, how long each request takes,
// what is lost, what the service answers, what a person changes. Properties, held to by the naive oracles
// there: with known limits no window holds more than its amount and nothing meets 429; nothing is sent for
// what rests; nobody waits while there is room, equals are served in turn; each call ends once and no lease
// leaks.

#include <algorithm>
#include <iostream>
#include <span>

#include "describe.hpp"
#include "fuzz.hpp"
#include "judge.hpp"
#include "log.hpp"

using simulation::Family;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t most_calls = 60;
  constexpr std::size_t for_the_world = 160;
  if (size < 8) return 0;
  const Family family = data[0] % 3 == 0   ? Family::known
                        : data[0] % 3 == 1 ? Family::unknown
                                           : Family::strikes;
  const std::span<const std::uint8_t> script(data + 1, size - 1);
  simulator::Dice dice(script.first((std::min)(for_the_world, script.size())));
  const auto events = script.subspan((std::min)(for_the_world, script.size()));
  simulation::World world = simulation::random_world(family, dice);
  world.load.calls = (std::min)(world.load.calls, most_calls);
  simulation::Findings findings;
  findings.now_runs(world.policy);
  simulator::Simulation simulation(world, simulator::Dice(events.first(events.size() / 2)),
                                   simulator::Dice(events.subspan(events.size() / 2)));
  simulation::Log log(std::cerr);
  if (std::getenv("TOKENPOOL_FUZZ_LOG") != nullptr) simulation.add(log);
  simulation::judge(simulation, family, dice, findings);
  for (const auto& [broken, finding] : findings.all()) {
    std::cerr << "BROKEN: " << broken << "\n  " << finding.first << "\n  " << simulation::describe(world)
              << '\n';
  }
  fuzz::holds(findings.all().empty(), "the oracles of the simulation");
  return 0;
}
