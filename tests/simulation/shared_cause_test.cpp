// Whose limit was it? Forty tokens, a service that does not say, one caller after the other.

#include "catch_compat.hpp"
#include "figures.hpp"

using namespace std::chrono_literals;
using simulator::Knock;
using simulator::WindowKind;
using tokenpool::Limit;
using tokenpool::Scope;

namespace {

simulator::World forty_tokens(simulator::Instant until) {
  simulator::World world;
  world.tokens = simulator::tokens_named(40);
  world.network.work_most = 50ms;
  world.retry.max_wait = 24h;
  world.load = {.calls = 1'000'000, .workers = 1, .until = until};
  return world;
}

/// What is counted by bucket, and when the first 429 was heard of.
struct Buckets final : simulator::Listener {
  void settled(const simulator::Settlement& settlement, simulator::Instant at) override {
    if (settlement.status == 429) {
      ++refused[settlement.granted.knock.bucket];
      first_refusal = (std::min)(first_refusal, at);
      refused_at_once += at < first_refusal + 1s ? 1 : 0;
    }
    served[settlement.granted.knock.bucket] += settlement.status == 200 ? 1 : 0;
  }

  std::map<std::string, int> served;
  std::map<std::string, int> refused;
  simulator::Instant first_refusal = simulator::never - 1s;
  int refused_at_once = 0;
};

}  // namespace

TEST_CASE("three requests find out that an address is limited and not its tokens") {
  simulator::World world = forty_tokens(599s);
  world.service.rules = {{Limit::per_egress(100, 60s), WindowKind::fixed, {}, {}}};
  simulator::Simulation simulation(world, 1);
  simulation::Figures all({}, 600s);
  Buckets buckets;
  simulation.add(all);
  simulation.add(buckets);
  simulation.run();
  CHECK(buckets.refused_at_once == 3);
  CHECK(all.successes == 1000);
  // Then one each at the ends of rests of 1, 2, 4, 8, 16 seconds.
  CHECK(all.refused <= 80);
}

TEST_CASE("of two addresses the one without a limit goes on") {
  simulator::World world = forty_tokens(599s);
  world.egress = simulator::egresses_named(2);
  world.service.rules = {{Limit::per_egress(100, 60s), WindowKind::fixed, {}, [](const Knock& knock) {
                            return knock.egress == 0;
                          }}};
  simulator::Simulation simulation(world, 1);
  simulation::Figures all({}, 600s);
  simulation.add(all);
  simulation.run();
  CHECK(all.successes_by_egress[0] == 1000);
  CHECK(all.successes_by_egress[1] >= 9000);
  CHECK(all.refused <= 80);
}

TEST_CASE("a bucket limited for all tokens leaves the other one alone") {
  simulator::World world = forty_tokens(599s);
  world.load.workers = 2;
  world.load.plan = [](simulator::Dice& dice) {
    return simulator::CallPlan{.bucket = dice.chance(0.9) ? "small" : "large"};
  };
  world.service.rules = {{Limit::per(Scope::bucket, 10, 60s), WindowKind::fixed, {}, [](const Knock& knock) {
                            return knock.bucket == "large";
                          }}};
  simulator::Simulation simulation(world, 1);
  Buckets buckets;
  simulation.add(buckets);
  simulation.run();
  CHECK(buckets.refused["small"] == 0);
  CHECK(buckets.served["large"] >= 100);
  CHECK(buckets.refused["large"] <= 100);
}

TEST_CASE("thirty spent tokens taken for a limited address are found out within the hour") {
  simulator::World world = forty_tokens(1h);
  world.service.rules = {{Limit::per_token(1, 24h), WindowKind::fixed, {}, [](const Knock& knock) {
                            return std::stoi(knock.token.substr(1)) >= 10;
                          }}};
  simulator::Simulation simulation(world, 1);
  simulation::Figures last_minutes(50min, 60min);
  simulation::Figures all;
  simulation.add(last_minutes);
  simulation.add(all);
  simulation.run();
  CHECK(last_minutes.successes >= 9000);
  CHECK(all.refused <= 40);
}
