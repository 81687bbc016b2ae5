#include "tokenpool/transport/clock.hpp"

#include <condition_variable>
#include <mutex>

#include "catch_compat.hpp"
#include "tokenpool/testing/manual_clock.hpp"

using namespace tokenpool;

TEST_CASE("the machine's clock and the manual one are clocks") {
  STATIC_REQUIRE(Clock<SteadyClock>);
  STATIC_REQUIRE(Clock<tokenpool::testing::ManualClock>);
  STATIC_REQUIRE_FALSE(Clock<int>);
  SUCCEED();
}

TEST_CASE("a time that is over is not waited for") {
  const SteadyClock clock;
  const Now now = clock.now();
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock(mutex);
  clock.wait(condition, lock, now.steady);
  CHECK(clock.now().steady >= now.steady);
}
