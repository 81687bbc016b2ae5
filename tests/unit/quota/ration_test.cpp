#include "tokenpool/quota/ration.hpp"

#include "catch_compat.hpp"

using namespace std::chrono_literals;
using tokenpool::Duration;
using tokenpool::SteadyTime;
using tokenpool::detail::Ration;

namespace {

/// Openings one after the other, as a rest reports them.
struct Openings {
  Ration ration;
  std::uint64_t ticket = 0;
  SteadyTime now{1000s};

  /// After a rest of that length the first request goes through, and then `more` are served.
  void open(Duration rested, int more = 0) {
    now += rested;
    ration.opened(++ticket, now, rested);
    for (int i = 0; i < more; ++i) {
      serve();
    }
  }
  void serve() {
    ration.granted(now);
    ration.succeeded(++ticket);
  }
  [[nodiscard]] bool is_open() const { return ration.opens_at() <= now; }
};

}  // namespace

TEST_CASE("two openings alike teach how much is given at a time") {
  Openings tried;
  tried.open(6s, 1);
  tried.open(6s, 1);
  CHECK(tried.is_open());
  tried.open(6s);
  CHECK(tried.is_open());
  tried.serve();
  CHECK(tried.ration.opens_at() == tried.now + 6s);
  tried.now += 6s;
  tried.serve();
  tried.serve();
  CHECK(tried.ration.opens_at() == tried.now + 6s);
}

TEST_CASE("the request that found the opening counts once") {
  Openings tried;
  for (int i = 0; i < 3; ++i) {
    tried.open(6s);
    tried.ration.succeeded(tried.ticket);
  }
  CHECK(tried.ration.opens_at() == tried.now + 6s);
}

TEST_CASE("what is given many at a time teaches nothing") {
  Openings tried;
  for (int i = 0; i < 5; ++i) {
    tried.open(6s, 9);
    CHECK(tried.is_open());
  }
}

TEST_CASE("four at a time are a share and five are a window") {
  const auto believes = [](int share) {
    Openings tried;
    for (int i = 0; i < 3; ++i) {
      tried.open(6s, share - 1);
    }
    return !tried.is_open();
  };
  CHECK(believes(4));
  CHECK_FALSE(believes(5));
}

TEST_CASE("openings half an hour apart have nothing to do with each other") {
  const auto believes = [](Duration apart) {
    Openings tried;
    for (int i = 0; i < 3; ++i) {
      tried.open(apart);
    }
    return !tried.is_open();
  };
  CHECK(believes(30min - Duration(1)));
  CHECK_FALSE(believes(30min));
}

TEST_CASE("a rest more than four times as long as what is learned shows a window") {
  const auto believes = [](Duration longest) {
    Openings tried;
    for (const Duration rested : {longest, Duration(6s), Duration(6s)}) {
      tried.open(rested);
    }
    return !tried.is_open();
  };
  CHECK(believes(24s));
  CHECK_FALSE(believes(24s + Duration(1)));
}

TEST_CASE("a long rest is forgotten after half an hour") {
  Openings tried;
  tried.open(600s);
  tried.now += 30min - 18s;
  tried.open(6s);
  tried.open(6s);
  CHECK(tried.is_open());
  tried.open(6s);
  CHECK_FALSE(tried.is_open());
}

TEST_CASE("openings that differ teach nothing") {
  Openings tried;
  for (const Duration rested : {6s, 60s, 6s, 60s, 6s}) {
    tried.open(rested);
    CHECK(tried.is_open());
  }
}

TEST_CASE("an opening is like the one before from half to double its time") {
  const auto believes = [](Duration first, Duration second) {
    Openings tried;
    tried.open(first);
    tried.open(first);
    tried.ration.opened(++tried.ticket, tried.now += second, second);
    return !tried.is_open();
  };
  CHECK(believes(6s, 3s));
  CHECK(believes(6s, 12s));
  CHECK_FALSE(believes(6s, 3s - Duration(1)));
  CHECK_FALSE(believes(6s, 12s + Duration(1)));
}

TEST_CASE("a ration that has met nothing may be forgotten at once") {
  CHECK(Ration{}.is_forgotten(SteadyTime{}));
}

TEST_CASE("short rests at the beginning of a long window teach nothing") {
  Openings tried;
  tried.open(600s);
  for (int i = 0; i < 5; ++i) {
    tried.open(1s);
    CHECK(tried.is_open());
  }
}

TEST_CASE("a refusal in spite of a lesson makes it stricter by all that was served since") {
  Openings tried;
  for (int i = 0; i < 3; ++i) {
    tried.open(6s);
  }
  tried.serve();
  for (int i = 0; i < 8; ++i) {
    tried.now += 6s;
    tried.serve();
  }
  // Nine more in 48 seconds, and then a rest of twelve.
  tried.open(12s);
  CHECK(tried.ration.opens_at() == tried.now + 6s);
}

TEST_CASE("a lesson is believed for half an hour and then all are let through") {
  Openings tried;
  for (int i = 0; i < 3; ++i) {
    tried.open(6s);
  }
  REQUIRE_FALSE(tried.is_open());
  tried.now += 30min;
  for (int i = 0; i < 20; ++i) {
    CHECK(tried.is_open());
    tried.serve();
  }
  CHECK_FALSE(tried.ration.is_forgotten(tried.now));
  CHECK(tried.ration.is_forgotten(tried.now + 30min));
}

TEST_CASE("what was served after a refusal counts for the opening that gave it") {
  Openings tried;
  tried.open(6s);
  tried.ration.succeeded(++tried.ticket);
  tried.open(6s);
  tried.ration.succeeded(++tried.ticket);
  tried.open(6s);
  CHECK(tried.is_open());
  tried.serve();
  CHECK_FALSE(tried.is_open());
}
