#include "tokenpool/quota/ramp.hpp"

#include "catch_compat.hpp"

using namespace std::chrono_literals;
using namespace tokenpool;
using detail::Ramp;

namespace {

const SteadyTime start = SteadyTime{} + 1h;
constexpr int all = 1000;

/// A ramp whose rest ended `times` before; each time `served` were served beside the one that found it open.
struct Opened {
  Ramp ramp;
  std::uint64_t ticket = 0;

  Opened(int times, int served) {
    for (int time = 0; time < times; ++time) {
      ramp.begin(++ticket, start - 1min);
      serve(served);
    }
    ramp.begin(++ticket, start);
  }

  void serve(int count) {
    for (int i = 0; i < count; ++i) {
      ramp.succeeded(++ticket);
    }
  }

  /// Grants at `now` what may be granted and says how many that were.
  int grant(SteadyTime now = start) {
    int granted = 0;
    for (; granted < all && ramp.opens_at() <= now; ++granted) {
      ramp.granted(now);
    }
    return granted;
  }
};

}  // namespace

TEST_CASE("all may follow before a rest and after the first") {
  Ramp untouched;
  CHECK(untouched.over());
  CHECK(untouched.opens_at() < start);
  Opened first(0, 0);
  CHECK(first.ramp.over());
  CHECK(first.grant() == all);
}

TEST_CASE("half as many follow as were served the last time and at least one") {
  CHECK(Opened(1, 0).grant() == 1);
  CHECK(Opened(1, 1).grant() == 1);
  CHECK(Opened(1, 7).grant() == 4);
  CHECK(Opened(1, 30).grant() == 16);
  CHECK(Opened(2, 0).grant() == 1);
}

TEST_CASE("where many were served the last time all may follow") { CHECK(Opened(1, 31).grant() == all); }

TEST_CASE("each that is served brings two more until there were enough") {
  Opened place(1, 0);
  CHECK(place.grant() == 1);
  CHECK(place.ramp.opens_at() == start + 200ms);
  place.serve(1);
  CHECK(place.grant() == 2);
  place.serve(2);
  CHECK(place.grant() == 4);
  place.serve(27);
  CHECK_FALSE(place.ramp.over());
  place.serve(1);
  CHECK(place.ramp.over());
  CHECK(place.grant() == all);
}

TEST_CASE("what was sent before a rest ended brings nobody") {
  Opened place(1, 0);
  CHECK(place.grant() == 1);
  place.ramp.succeeded(place.ticket);
  CHECK(place.grant() == 0);
}

TEST_CASE("without an answer time lets twice as many go at each step and after a second all") {
  Opened place(1, 0);
  CHECK(place.grant() == 1);
  CHECK(place.grant(start + Ramp::pace) == 2);
  CHECK(place.grant(start + 3 * Ramp::pace) == 4 + 8);
  CHECK_FALSE(place.ramp.over());
  CHECK(place.grant(start + 5 * Ramp::pace) == all);
  CHECK(place.ramp.over());
}
