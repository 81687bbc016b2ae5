#include "tokenpool/pool/waiters.hpp"

#include <array>

#include "catch_compat.hpp"

using namespace std::chrono_literals;
using tokenpool::end_of_time;
using tokenpool::LeaseRequest;
using tokenpool::NotUntil;
using tokenpool::SlotNumber;
using tokenpool::SteadyTime;
using tokenpool::Waiter;
using tokenpool::detail::WaitLine;
using tokenpool::detail::WaitQueue;

namespace {
Waiter waiter(const LeaseRequest& request) {
  Waiter made;
  made.request = request;
  return made;
}
NotUntil until(std::chrono::seconds when) { return {SteadyTime{when}, {}}; }
}  // namespace

TEST_CASE("the queue serves in the order of coming over all lines") {
  WaitQueue queue;
  Waiter first = waiter({.bucket = "a"});
  Waiter second = waiter({.bucket = "b"});
  Waiter third = waiter({.bucket = "a"});
  for (Waiter* one : {&first, &second, &third}) {
    queue.join(*one, {});
  }
  for (Waiter* one : {&first, &second, &third}) {
    CHECK(queue.next() == one);
    queue.leave(*one);
  }
  CHECK(queue.empty());
  CHECK(queue.next() == nullptr);
}

TEST_CASE("a blocked line lets the others pass") {
  WaitQueue queue;
  Waiter first = waiter({.bucket = "a"});
  Waiter second = waiter({.bucket = "b"});
  queue.join(first, {});
  queue.join(second, {});
  first.line->blocked = true;
  CHECK(queue.next() == &second);
  CHECK(queue.first() == &first);
  queue.unblock();
  CHECK(queue.next() == &first);
}

TEST_CASE("those who need the same stand in one line") {
  WaitQueue queue;
  const std::array<SlotNumber, 2> asked = {1, 2};
  Waiter one = waiter({.bucket = "a", .cost = 3, .asked = asked});
  queue.join(one, {});
  CHECK(queue.line_of({.bucket = "a", .cost = 3, .affinity = "x", .asked = asked}) == one.line);
  CHECK(queue.line_of({.bucket = "b", .cost = 3, .asked = asked}) == nullptr);
  CHECK(queue.line_of({.bucket = "a", .cost = 2, .asked = asked}) == nullptr);
  CHECK(queue.line_of({.bucket = "a", .cost = 3}) == nullptr);
}

TEST_CASE("the timer is the earliest of all lines") {
  WaitQueue queue;
  CHECK(queue.timer() == end_of_time);
  Waiter late = waiter({.bucket = "a"});
  Waiter early = waiter({.bucket = "b"});
  queue.join(late, until(9s));
  queue.join(early, until(4s));
  CHECK(queue.timer() == SteadyTime{4s});
  queue.leave(early);
  CHECK(queue.timer() == SteadyTime{9s});
}

TEST_CASE("only lines whose head came before are earlier") {
  WaitQueue queue;
  Waiter first = waiter({.bucket = "a"});
  Waiter second = waiter({.bucket = "b"});
  queue.join(first, {});
  queue.join(second, {});
  const auto any = [](const WaitLine&) { return true; };
  CHECK(queue.find_before(first.order, any) == nullptr);
  CHECK(queue.find_before(second.order, any) == first.line);
  CHECK(queue.find_before(WaitQueue::newcomer, [](const WaitLine& line) { return line.bucket == "b"; }) ==
        second.line);
}
