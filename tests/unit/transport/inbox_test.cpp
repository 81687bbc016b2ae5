#include "tokenpool/transport/inbox.hpp"

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "catch_compat.hpp"

using namespace tokenpool;

namespace {

struct Step final : LoopTask {
  explicit Step(std::function<void()> steps) : step(std::move(steps)) {}
  void run() noexcept override { step(); }
  std::function<void()> step;
};

}  // namespace

TEST_CASE("posted tasks run in the order of their posting and are let go") {
  Inbox inbox;
  std::string run;
  std::vector<std::shared_ptr<Step>> steps;
  for (const char name : {'a', 'b', 'c'})
    steps.push_back(std::make_shared<Step>([&run, name] { run += name; }));
  CHECK(inbox.empty());
  CHECK(inbox.post(steps[0]));
  CHECK_FALSE(inbox.post(steps[1]));
  CHECK_FALSE(inbox.post(steps[2]));
  inbox.run_all();
  CHECK(run == "abc");
  CHECK(inbox.empty());
  for (const auto& step : steps) CHECK(step.use_count() == 1);
}

TEST_CASE("a task may post itself and waits for the next round then") {
  Inbox inbox;
  int runs = 0;
  std::shared_ptr<Step> step;
  step = std::make_shared<Step>([&] {
    if (++runs < 3) CHECK(inbox.post(step));
  });
  inbox.post(step);
  inbox.run_all();
  CHECK(runs == 1);
  inbox.run_all();
  inbox.run_all();
  inbox.run_all();
  CHECK(runs == 3);
  step->step = nullptr;
}

TEST_CASE("a long list that never ran is let go without recursion") {
  const auto counted = std::make_shared<int>(0);
  {
    Inbox inbox;
    for (int task = 0; task < 300'000; ++task) inbox.post(std::make_shared<Step>([counted] {}));
    CHECK(counted.use_count() == 300'001);
  }
  CHECK(counted.use_count() == 1);
}

TEST_CASE("nothing is lost between threads that post and the one that runs") {
  Inbox inbox;
  int run = 0;
  constexpr int each = 5000;
  std::vector<std::thread> posters;
  for (int poster = 0; poster < 3; ++poster) {
    posters.emplace_back([&] {
      for (int task = 0; task < each; ++task) inbox.post(std::make_shared<Step>([&run] { ++run; }));
    });
  }
  while (run < 3 * each) inbox.run_all();
  for (std::thread& poster : posters) poster.join();
  CHECK(run == 3 * each);
  CHECK(inbox.empty());
}
