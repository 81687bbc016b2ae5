#include "tokenpool/transport/timers.hpp"

#include <chrono>
#include <functional>
#include <string>

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

struct Bell final : LoopTimer {
  explicit Bell(std::function<void()> rings) : ring(std::move(rings)) {}
  void due() noexcept override { ring(); }
  std::function<void()> ring;
};

SteadyTime at(std::chrono::milliseconds time) { return SteadyTime{} + time; }

}  // namespace

TEST_CASE("timers are due once and in the order of their times") {
  Timers timers;
  std::string rung;
  Bell a([&] { rung += 'a'; });
  Bell b([&] { rung += 'b'; });
  Bell c([&] { rung += 'c'; });
  CHECK(timers.next() == end_of_time);
  timers.set(a, at(3ms));
  timers.set(b, at(1ms));
  timers.set(c, at(9ms));
  CHECK(timers.next() == at(1ms));
  timers.call_due(at(5ms));
  CHECK(rung == "ba");
  timers.call_due(at(5ms));
  CHECK(rung == "ba");
  CHECK(timers.next() == at(9ms));
  timers.forget(c);
}

TEST_CASE("a timer that is set again or forgotten is not due at the old time") {
  Timers timers;
  int rung = 0;
  Bell bell([&] { ++rung; });
  timers.set(bell, at(1ms));
  timers.set(bell, at(7ms));
  timers.call_due(at(5ms));
  CHECK(rung == 0);
  timers.forget(bell);
  timers.forget(bell);
  timers.call_due(at(10ms));
  CHECK(rung == 0);
  CHECK(timers.next() == end_of_time);
}

TEST_CASE("a timer that is due may set itself and forget another") {
  Timers timers;
  int first = 0;
  int second = 0;
  Bell other([&] { ++second; });
  Bell bell([&] {
    timers.forget(other);
    if (++first < 3) timers.set(bell, at(std::chrono::milliseconds(first)));
  });
  timers.set(bell, at(0ms));
  timers.set(other, at(2ms));
  timers.call_due(at(5ms));
  CHECK(first == 3);
  CHECK(second == 0);
}
