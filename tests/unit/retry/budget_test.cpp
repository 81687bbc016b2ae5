#include "tokenpool/retry/budget.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include "catch_compat.hpp"

using namespace tokenpool;

namespace {

/// How many repetitions can be taken out now.
int left(RetryBudget& budget) {
  int count = 0;
  while (count < 1'000'000 && budget.withdraw()) ++count;
  return count;
}

}  // namespace

TEST_CASE("a client may repeat its reserve before any call has paid") {
  RetryBudget budget({.ratio = 0.2, .reserve = 3});
  CHECK(left(budget) == 3);
}

TEST_CASE("five calls pay for one repetition at a ratio of a fifth") {
  RetryBudget budget({.ratio = 0.2, .reserve = 0});
  for (int call = 0; call < 4; ++call) budget.deposit();
  CHECK_FALSE(budget.withdraw());
  budget.deposit();
  CHECK(budget.withdraw());
  CHECK_FALSE(budget.withdraw());
}

TEST_CASE("a budget saves up no more than its reserve or ten") {
  RetryBudget small({.ratio = 1, .reserve = 2});
  RetryBudget large({.ratio = 1000, .reserve = 25});
  for (int call = 0; call < 1000; ++call) {
    small.deposit();
    large.deposit();
  }
  CHECK(left(small) == 10);
  CHECK(left(large) == 25);
}

TEST_CASE("a ratio and a reserve of zero allow no repetition") {
  RetryBudget budget({.ratio = 0, .reserve = 0});
  for (int call = 0; call < 100; ++call) budget.deposit();
  CHECK_FALSE(budget.withdraw());
}

TEST_CASE("a thousand failing calls repeat at most their ratio and the reserve") {
  RetryBudget budget({});
  int repetitions = 0;
  for (int call = 0; call < 1000; ++call) {
    budget.deposit();
    for (int attempt = 0; attempt < 2 && budget.withdraw(); ++attempt) ++repetitions;
  }
  CHECK(repetitions <= 210);
  CHECK(repetitions >= 200);
}

TEST_CASE("threads together take out no more than was put in") {
  RetryBudget budget({.ratio = 0.5, .reserve = 10});
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&] {
      for (int call = 0; call < 1000; ++call) {
        budget.deposit();
        taken += budget.withdraw() ? 1 : 0;
        taken += budget.withdraw() ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(taken <= 8 * 1000 / 2 + 10);
  CHECK(taken + left(budget) > 10);
}
