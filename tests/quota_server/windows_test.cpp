#include "windows.hpp"

#include "at.hpp"
#include "catch_compat.hpp"

using namespace quota_server;
using namespace std::chrono_literals;
using test::at;

TEST_CASE("a fixed window ends at a multiple of its length however late its requests came") {
  FixedWindow window(10s);
  window.count(at(9s));
  window.count(at(9'999ms));
  CHECK(window.used(at(9'999ms)) == 2);
  CHECK(window.free_at(at(9'999ms)) == at(10s));
  CHECK(window.used(at(10s)) == 0);
}

TEST_CASE("a fixed window of a day ends at midnight UTC") {
  FixedWindow window(24h);
  window.count(at(15h));
  CHECK(window.free_at(at(15h)) == at(24h));
}

TEST_CASE("a rolling window lets go of each request one length after it came") {
  RollingWindow window(10s, 5);
  window.count(at(0s));
  window.count(at(4s));
  CHECK(window.used(at(9'999ms)) == 2);
  CHECK(window.used(at(10s)) == 1);
  CHECK(window.used(at(14s)) == 0);
}

TEST_CASE("a full rolling window has room when its oldest request leaves") {
  RollingWindow window(10s, 2);
  window.count(at(3s));
  window.count(at(4s));
  CHECK(window.free_at(at(5s)) == at(13s));
}

TEST_CASE("a rolling window over its amount is blocked by its latest requests") {
  RollingWindow window(10s, 2);
  for (const auto second : {0s, 1s, 5s, 6s}) window.count(at(second));
  CHECK(window.used(at(7s)) == 2);
  CHECK(window.free_at(at(7s)) == at(15s));
}

TEST_CASE("a first-request window runs from the first request it counts") {
  FirstRequestWindow window(10s);
  window.count(at(7s));
  window.count(at(16s));
  CHECK(window.used(at(16'999ms)) == 2);
  CHECK(window.free_at(at(16s)) == at(17s));
  CHECK(window.used(at(17s)) == 0);
}

TEST_CASE("after a first-request window ends the next one waits for a request") {
  FirstRequestWindow window(10s);
  window.count(at(0s));
  window.count(at(25s));
  CHECK(window.used(at(34'999ms)) == 1);
  CHECK(window.used(at(35s)) == 0);
}

TEST_CASE("each kind of window is made by its name") {
  const auto kinds = {WindowKind::fixed, WindowKind::rolling, WindowKind::first_request};
  std::vector<Time> room;
  for (const WindowKind kind : kinds) {
    const auto window = make_window(kind, 10s, 2);
    window->count(at(3s));
    window->count(at(12s));
    window->count(at(13s));
    room.push_back(window->free_at(at(14s)));
  }
  CHECK(room == std::vector{at(20s), at(22s), at(23s)});
}
