#include "day.hpp"

#include <algorithm>
#include <cmath>

#include "simulation.hpp"

namespace plan {

namespace {

/// Writes down what happens.
class Clerk final : public simulator::Listener {
 public:
  Clerk(Day& day, simulator::Length length) : day_(day), slice_length_(length / slices) {
    day_.slices.resize(slices);
  }

  void began(std::size_t call, simulator::Instant) override {
    ++day_.calls;
    waited_.resize((std::max)(waited_.size(), call + 1));
  }
  void granted(const simulator::Granted& granted) override {
    waited_[granted.search.call] += std::chrono::duration<double>(granted.waited).count();
  }
  void settled(const simulator::Settlement& settlement, simulator::Instant at) override {
    if (settlement.status == 429) {
      ++day_.refusals;
      ++slice(at).refusals;
    }
  }
  void ended(std::size_t call, const simulator::Ending& ending, simulator::Instant at) override {
    if (ending.status == 200) {
      ++day_.answers;
      ++slice(at).answers;
      slice(at).waited += waited_[call];
      day_.waits.push_back(waited_[call]);
    }
  }

 private:
  static constexpr int slices = 96;

  Slice& slice(simulator::Instant at) {
    return day_.slices[static_cast<std::size_t>((std::min)(at / slice_length_, std::int64_t{slices - 1}))];
  }

  Day& day_;
  simulator::Length slice_length_;
  std::vector<double> waited_;
};

simulator::World world_of(const Options& options, const std::string& policy, std::size_t tokens) {
  simulator::World world;
  world.tokens = simulator::tokens_named(tokens);
  world.egress = simulator::egresses_named(options.egresses);
  world.policy = policy;
  world.limits = options.limits_known ? options.limits : std::vector<tokenpool::Limit>();
  for (const tokenpool::Limit& limit : options.limits) {
    world.service.rules.push_back({limit, options.window_kind, {}, {}});
  }
  world.network.work_least = options.answers_within / 10;
  world.network.work_most = options.answers_within;
  world.retry.max_wait = std::chrono::duration_cast<std::chrono::milliseconds>(options.max_wait);
  world.retry.max_rest = std::chrono::hours(24 * 366);
  world.load = {.calls = SIZE_MAX, .per_second = options.calls_per_second, .until = options.length};
  world.load.plan = [](simulator::Dice& dice) {
    simulator::CallPlan plan;
    plan.affinity = "conversation " + std::to_string(dice.between(1, 50));
    return plan;
  };
  return world;
}

}  // namespace

double Day::wait_of(double share) const {
  if (waits.empty()) {
    return 0;
  }
  const auto last = static_cast<double>(waits.size() - 1);
  return waits[static_cast<std::size_t>(std::ceil(share * last))];
}

Day simulate(const Options& options, const std::string& policy, std::size_t tokens) {
  Day day;
  day.policy = policy;
  Clerk clerk(day, options.length);
  simulator::Simulation simulation(world_of(options, policy, tokens), options.seed);
  simulation.add(clerk);
  simulation.run();
  std::sort(day.waits.begin(), day.waits.end());
  return day;
}

std::size_t tokens_needed(const Options& options, const std::string& policy, double wanted) {
  constexpr std::size_t most = 1000;
  const auto enough = [&](std::size_t tokens) { return simulate(options, policy, tokens).share() >= wanted; };
  std::size_t too_few = 0;
  std::size_t tokens = 1;
  while (!enough(tokens)) {
    if (tokens == most) {
      return 0;
    }
    too_few = tokens;
    tokens = (std::min)(2 * tokens, most);
  }
  while (tokens - too_few > 1) {
    const std::size_t middle = (too_few + tokens) / 2;
    (enough(middle) ? tokens : too_few) = middle;
  }
  return tokens;
}

}  // namespace plan
