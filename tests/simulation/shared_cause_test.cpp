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
  // Then one at each end of rests of 1, 2, 4, 8, 8, 8 ... seconds, in ten windows.
  CHECK(all.refused <= 120);
}

TEST_CASE("an address that gives by the piece refuses a few for each that it serves and not all who wait") {
  simulator::World world = forty_tokens(599s);
  world.tokens = simulator::tokens_named(GENERATE(std::size_t{4}, std::size_t{20}));
  world.load.workers = 16;
  world.service.word = simulator::Word::none;
  world.service.rules = {{Limit::per_egress(50, 60s), WindowKind::token_bucket, {}, {}}};
  simulator::Simulation simulation(world, 1);
  simulation::Figures figures({}, 600s);
  simulation.add(figures);
  simulation.run();
  CAPTURE(world.tokens.size(), figures.successes, figures.refused);
  CHECK(figures.successes >= 500);
  CHECK(figures.refused <= 4 * figures.successes);
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
  CHECK(all.refused <= 120);
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
  CHECK(buckets.refused["large"] <= 120);
}

TEST_CASE("thirty spent tokens taken for a limited address cost a moment each and the ten others serve") {
  simulator::World world = forty_tokens(599s);
  world.service.word = GENERATE(simulator::Word::seconds, simulator::Word::none);
  world.policy = GENERATE(std::string("round-robin"), "random", "lowest-latency");
  const std::string order = GENERATE(std::string("spent ones first"), "good ones first", "mixed");
  world.service.rules = {
      {Limit::per_token(1, 24h), WindowKind::fixed, {}, [order](const Knock& knock) {
         const int token = std::stoi(knock.token.substr(1));
         return order == "mixed" ? token % 4 != 3 : order == "spent ones first" ? token < 30 : token >= 10;
       }}};
  simulator::Simulation simulation(world, 1);
  simulation::Figures all({}, 600s);
  simulation.add(all);
  simulation.run();
  CAPTURE(static_cast<int>(world.service.word), world.policy, order);
  // Where nothing is spent the caller gets 10,742 answers in that time.
  CHECK(all.successes >= 9667);
  // By the service's word each of the thirty is refused once, else in steps of 1, 2, 4 ... 120 seconds:
  // eleven times.
  CHECK(all.wasted <= (world.service.word == simulator::Word::seconds ? 30 : 30 * 12));
}

TEST_CASE("of twenty accounts over two addresses the fifteen spent ones rest and the others serve") {
  simulator::World world = forty_tokens(599s);
  world.service.word = GENERATE(simulator::Word::seconds, simulator::Word::none);
  world.egress = simulator::egresses_named(2);
  for (std::size_t i = 0; i < world.tokens.size(); ++i) {
    world.tokens[i].account = "a" + std::to_string(i / 2);
  }
  world.service.rules = {{Limit::per_account(5, 24h), WindowKind::fixed, {}, [](const Knock& knock) {
                            return std::stoi(knock.account.substr(1)) >= 5;
                          }}};
  simulator::Simulation simulation(world, 1);
  simulation::Figures all({}, 600s);
  simulation.add(all);
  simulation.run();
  CHECK(all.successes >= 9667);
  CHECK(all.successes_by_egress[0] >= 4000);
  CHECK(all.successes_by_egress[1] >= 4000);
  CHECK(all.refused <= 15 * 12);
}

TEST_CASE("one token leaves by the address that is not limited") {
  simulator::World world = forty_tokens(599s);
  world.tokens = simulator::tokens_named(1);
  world.service.word = simulator::Word::none;
  world.egress = simulator::egresses_named(2);
  world.service.rules = {{Limit::per_egress(100, 24h), WindowKind::fixed, {}, [](const Knock& knock) {
                            return knock.egress == 0;
                          }}};
  simulator::Simulation simulation(world, 1);
  simulation::Figures all({}, 600s);
  simulation.add(all);
  simulation.run();
  CHECK(all.successes >= 10'000);
  // Three to find out, then tests after 1, 2, 4 ... 120 seconds.
  CHECK(all.refused <= 3 + 12);
}
