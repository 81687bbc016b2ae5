#include "tokenpool/transport/interrupt.hpp"

#include <chrono>
#include <thread>

#include "catch_compat.hpp"
#include "tokenpool/testing/manual_clock.hpp"
#include "tokenpool/transport/clock.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using tokenpool::testing::ManualClock;

TEST_CASE("a wait ends at its time") {
  ManualClock clock;
  Interrupt interrupt;
  const SteadyTime until = clock.now().steady + 5s;
  interrupt.wait(clock, until);
  CHECK(clock.now().steady == until);
}

TEST_CASE("a notification ends one wait and is then used up") {
  ManualClock clock;
  Interrupt interrupt;
  const SteadyTime began = clock.now().steady;
  interrupt.notify();
  interrupt.wait(clock, began + 5s);
  CHECK(clock.now().steady == began);
  interrupt.wait(clock, began + 5s);
  CHECK(clock.now().steady == began + 5s);
}

TEST_CASE("what is cancelled never waits again") {
  ManualClock clock;
  Interrupt interrupt;
  CHECK_FALSE(interrupt.cancelled());
  interrupt.cancel();
  interrupt.wait(clock, end_of_time);
  interrupt.wait(clock, end_of_time);
  CHECK(interrupt.cancelled());
}

TEST_CASE("a wait without an end is ended by another thread") {
  SteadyClock clock;
  Interrupt interrupt;
  std::thread other([&] { interrupt.cancel(); });
  interrupt.wait(clock, end_of_time);
  other.join();
  CHECK(interrupt.cancelled());
}

TEST_CASE("a waker rings while it is attached") {
  Interrupt interrupt;
  int rings = 0;
  {
    const Interrupt::Attachment attachment(
        interrupt, [](void* count) noexcept { ++*static_cast<int*>(count); }, &rings);
    interrupt.notify();
    interrupt.cancel();
  }
  interrupt.notify();
  CHECK(rings == 2);
}
