// Runs random schedules of one family until so many requests were simulated, holds each to the invariants,
// and prints the seed, a hash of all that happened, and what does not hold.

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "describe.hpp"
#include "judge.hpp"
#include "log.hpp"

namespace simulation {

/// Simulates one schedule.
Run run_schedule(Family family, std::uint64_t seed, Findings& findings, bool logged) {
  Dice dice(seed);
  const World world = random_world(family, dice);
  findings.now_runs("schedule " + std::to_string(seed) + " (" + world.policy + ")");
  simulator::Simulation simulation(world, seed);
  Log log(std::cerr);
  if (logged) {
    simulation.add(log);
  }
  const Run run = judge(simulation, family, dice, findings);
  if (!findings.all().empty()) {
    std::cout << "schedule " << seed << ": " << describe(world) << '\n';
  }
  return run;
}

/// A number from the command line or the environment.
std::uint64_t number(const char* text, std::uint64_t otherwise) {
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

int report(const Findings& findings) {
  for (const auto& [broken, finding] : findings.all()) {
    std::cout << "BROKEN: " << broken << " (" << finding.cases << " cases)\n  " << finding.first << '\n';
  }
  std::cout << (findings.all().empty() ? "all invariants hold\n" : "");
  return findings.all().empty() ? 0 : 1;
}

int run(const std::string& family_name, std::uint64_t wanted, std::uint64_t seed, bool logged) {
  const Family family = family_name == "known"     ? Family::known
                        : family_name == "unknown" ? Family::unknown
                                                   : Family::strikes;
  Findings findings;
  Run total;
  std::uint64_t schedules = 0;
  while (total.requests < wanted) {
    const std::uint64_t own_seed = seed + schedules++;
    const Run one = run_schedule(family, own_seed, findings, logged);
    total.requests += one.requests + 1;
    total.hash = total.hash * 31 + one.hash;
    constexpr std::uint64_t sample = 50;
    if (schedules % sample == 1 && findings.all().empty() &&
        run_schedule(family, own_seed, findings, false).hash != one.hash) {
      findings.add(invariant::same_trace, {}, "two runs differ");
    }
    if (!findings.all().empty()) {
      break;
    }
  }
  std::cout << "limits " << family_name << ", seed " << seed << ": " << schedules << " schedules, "
            << total.requests << " requests, trace " << std::hex << total.hash << std::dec << '\n';
  return report(findings);
}

}  // namespace simulation

int main(int count, char** words) {
  const std::string family = count > 1 ? words[1] : "";
  if (family != "known" && family != "unknown" && family != "strikes") {
    std::cerr
        << "usage: simulate known|unknown|strikes [requests] [seed] [log]\n"
           "The environment variable TOKENPOOL_SIMULATION_SEED is another way to give the seed. With the "
           "number of a schedule as the seed, that schedule is the first one.\n";
    return 2;
  }
  try {
    return simulation::run(
        family, simulation::number(count > 2 ? words[2] : nullptr, 500'000),
        simulation::number(count > 3 ? words[3] : std::getenv("TOKENPOOL_SIMULATION_SEED"), 1), count > 4);
  } catch (const std::exception& thrown) {
    std::cout << "BROKEN: the pool threw " << thrown.what() << '\n';
    return 1;
  }
}
