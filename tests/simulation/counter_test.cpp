#include "counter.hpp"

#include "catch_compat.hpp"

using namespace std::chrono_literals;
using simulator::Counter;
using simulator::WindowKind;

TEST_CASE("a fixed window ends when its time has come whoever asked") {
  Counter counter(WindowKind::fixed, 2, 10s, 3s);
  counter.count(2, 12s);
  CHECK_FALSE(counter.has_room(1, 12s));
  CHECK(counter.opens_at(1, 12s) == 13s);
  CHECK(counter.has_room(2, 13s));
}

TEST_CASE("a rolling window gives back each request a window later") {
  Counter counter(WindowKind::rolling, 2, 10s);
  counter.count(1, 1s);
  counter.count(1, 4s);
  CHECK(counter.opens_at(1, 5s) == 11s);
  CHECK(counter.opens_at(2, 5s) == 14s);
  CHECK(counter.has_room(1, 11s));
  CHECK_FALSE(counter.has_room(2, 11s));
}

TEST_CASE("a window that begins with a request ends a window after it") {
  Counter counter(WindowKind::first_request, 1, 10s);
  counter.count(1, 7s);
  CHECK(counter.opens_at(1, 9s) == 17s);
  counter.count(1, 30s);
  CHECK(counter.opens_at(1, 31s) == 40s);
}

TEST_CASE("a token bucket fills up once per window") {
  Counter counter(WindowKind::token_bucket, 5, 10s);
  counter.count(5, 0s);
  CHECK(counter.opens_at(1, 1s) == 2s);
  CHECK(counter.has_room(1, 2s));
  CHECK_FALSE(counter.has_room(2, 3s));
  CHECK(counter.has_room(5, 100s));
  CHECK_FALSE(counter.has_room(6, 100s));
}
