#include "tokenpool/quota/window.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/base/random.hpp"

using namespace std::chrono_literals;
using tokenpool::Counted;
using tokenpool::Duration;
using tokenpool::end_of_time;
using tokenpool::Limit;
using tokenpool::SplitMix64;
using tokenpool::SteadyTime;
using tokenpool::Unit;
using tokenpool::Window;

namespace {

SteadyTime at(Duration offset) { return SteadyTime{1000s + offset}; }

bool admits(Window& window, const Limit& limit, std::int64_t units, SteadyTime now) {
  return window.room_at(limit, units, now) == now;
}

/// A request as the oracle sees it.
struct Sent {
  std::int64_t units;
  SteadyTime counted;
  SteadyTime answered;
  bool open = true;
};

/// Every request as an entry of a plain list; nothing is ever dropped from it.
struct NaiveLog {
  std::vector<Sent> sent;

  [[nodiscard]] std::int64_t used(const Limit& limit, SteadyTime now) const {
    std::int64_t units = 0;
    for (const Sent& one : sent) {
      const SteadyTime last = limit.counted == Counted::on_arrival ? one.counted : one.answered;
      units += one.open || last + limit.window > now ? one.units : 0;
    }
    return units;
  }

  /// The most that any span shorter than the window holds, which covers fixed, rolling and first-request
  /// windows however they begin.
  [[nodiscard]] std::int64_t fullest(Duration window) const {
    std::multimap<SteadyTime, std::int64_t> counted;
    for (const Sent& one : sent) {
      counted.emplace(one.counted, one.units);
    }
    std::int64_t fullest = 0;
    std::int64_t inside = 0;
    auto oldest = counted.begin();
    for (const auto& [when, units] : counted) {
      inside += units;
      for (; oldest->first + window <= when; ++oldest) {
        inside -= oldest->second;
      }
      fullest = (std::max)(fullest, inside);
    }
    return fullest;
  }
};

Duration between(SplitMix64& random, Duration shortest, Duration longest) {
  const auto span = static_cast<double>((longest - shortest).count());
  return shortest + Duration(static_cast<Duration::rep>(random.unit() * span));
}

/// A random schedule against one window: grants whenever it admits, answers in any order.
class Schedule {
 public:
  Schedule(const Limit& limit, std::uint64_t seed, Duration longest_answer, bool costs)
      : limit_(limit), random_(seed), longest_answer_(longest_answer), costs_(costs) {}

  /// Returns how often the window refused what the naive log would have admitted.
  int run(int steps) {
    int too_strict = 0;
    for (int step = 0; step < steps; ++step) {
      now_ += between(random_, 0s, limit_.window / 20);
      answer();
      const std::int64_t units =
          costs_ ? 1 + random_.below(static_cast<std::uint32_t>(limit_.amount / 2)) : 1;
      const bool naive = log_.used(limit_, now_) + units <= limit_.amount;
      const bool ours = admits(window_, limit_, units, now_);
      if (ours) {
        REQUIRE(naive);
        grant(units);
      } else if (naive) {
        ++too_strict;
      }
    }
    return too_strict;
  }

  [[nodiscard]] const NaiveLog& log() const { return log_; }

 private:
  void grant(std::int64_t units) {
    window_.reserve(limit_, units);
    const SteadyTime answered = now_ + between(random_, 0s, longest_answer_);
    const SteadyTime counted =
        limit_.counted == Counted::on_answer ? answered : now_ + between(random_, 0s, answered - now_);
    log_.sent.push_back({units, counted, answered});
  }

  void answer() {
    for (Sent& one : log_.sent) {
      if (one.open && one.answered <= now_) {
        one.open = false;
        window_.settle(limit_, one.units, one.units, counted_by(limit_.counted, one.counted, one.answered));
      }
    }
  }

  Limit limit_;
  SplitMix64 random_;
  Duration longest_answer_;
  bool costs_;
  Window window_;
  NaiveLog log_;
  SteadyTime now_ = at(0s);
};

}  // namespace

TEST_CASE("a window admits its amount and opens when the first request expires") {
  const Limit limit = Limit::per_token(2, 10s);
  Window window;
  for (const Duration when : {Duration(0s), Duration(3s)}) {
    CHECK(admits(window, limit, 1, at(when)));
    window.reserve(limit, 1);
    window.settle(limit, 1, 1, at(when + 1s));
  }
  CHECK(window.used(at(4s)) == 2);
  CHECK(window.room_at(limit, 1, at(4s)) == at(11s));
  CHECK(window.room_at(limit, 2, at(4s)) == at(14s));
  CHECK(window.empty_at(at(4s)) == at(14s));
  CHECK_FALSE(admits(window, limit, 1, at(11s) - Duration(1)));
  CHECK(admits(window, limit, 1, at(11s)));
}

TEST_CASE("what is in flight occupies and no time frees it") {
  const Limit limit = Limit::per_token(1, 10s);
  Window window;
  window.reserve(limit, 1);
  CHECK(window.room_at(limit, 1, at(0s)) == end_of_time);
  CHECK(window.room_at(limit, 1, at(3600s)) == end_of_time);
  CHECK_FALSE(window.idle(at(3600s)));
}

TEST_CASE("what never reached the server is given back at once") {
  const Limit limit = Limit::per_token(1, 10s);
  Window window;
  window.reserve(limit, 1);
  window.refund(1);
  CHECK(admits(window, limit, 1, at(0s)));
  CHECK(window.idle(at(0s)));
}

TEST_CASE("a cost is corrected once the truth is known") {
  const Limit limit{.amount = 100, .window = 10s, .unit = Unit::cost};
  Window window;
  window.reserve(limit, 60);
  CHECK_FALSE(admits(window, limit, 60, at(0s)));
  SECTION("downwards") {
    window.settle(limit, 60, 20, at(1s));
    CHECK(window.used(at(1s)) == 20);
    CHECK(admits(window, limit, 80, at(1s)));
  }
  SECTION("upwards and beyond the amount") {
    window.settle(limit, 60, 150, at(1s));
    CHECK(window.used(at(1s)) == 150);
    CHECK(window.room_at(limit, 1, at(1s)) == at(11s));
  }
  SECTION("to nothing") {
    window.settle(limit, 60, 0, at(1s));
    CHECK(window.idle(at(1s)));
  }
}

TEST_CASE("a limit on requests in flight is free at the answer") {
  const Limit limit{.amount = 1, .unit = Unit::in_flight};
  Window window;
  window.reserve(limit, 1);
  CHECK(window.room_at(limit, 1, at(0s)) == end_of_time);
  window.settle(limit, 1, 1, at(1s));
  CHECK(window.idle(at(0s)));
}

TEST_CASE("a place that others have used up is closed for as long as they say") {
  const Limit limit = Limit::per_token(5, 10s);
  Window window;
  window.close(at(7s));
  window.close(at(3s));
  CHECK(window.room_at(limit, 1, at(0s)) == at(7s));
  CHECK_FALSE(window.idle(at(6s)));
  CHECK(window.idle(at(7s)));
}

TEST_CASE("answers out of order expire in order") {
  const Limit limit = Limit::per_token(3, 10s);
  Window window;
  for (int i = 0; i < 3; ++i) {
    window.reserve(limit, 1);
  }
  for (const Duration when : {Duration(5s), Duration(1s), Duration(3s)}) {
    window.settle(limit, 1, 1, at(when));
  }
  CHECK(window.room_at(limit, 1, at(6s)) == at(11s));
  CHECK(window.room_at(limit, 2, at(6s)) == at(13s));
  CHECK(window.room_at(limit, 3, at(6s)) == at(15s));
}

TEST_CASE("a window that no clock outlives never opens") {
  const Limit limit = Limit::per_token(1, std::chrono::milliseconds::max());
  Window window;
  window.reserve(limit, 1);
  window.settle(limit, 1, 1, at(1s));
  CHECK(window.room_at(limit, 1, at(2s)) == end_of_time);
}

TEST_CASE("up to 256 a window decides exactly as a list of every request") {
  const std::uint64_t seed = GENERATE(1U, 2U, 3U);
  const std::int64_t amount = GENERATE(1, 7, 256);
  const auto counted = GENERATE(Counted::unknown, Counted::on_arrival, Counted::on_answer);
  CAPTURE(seed, amount, static_cast<int>(counted));
  Limit limit = Limit::per_token(amount, 60s);
  limit.counted = counted;
  Schedule schedule(limit, seed, 20s, false);
  CHECK(schedule.run(1500) == 0);
  CHECK(schedule.log().fullest(60s) <= amount);
}

TEST_CASE("256 requests expire to the instant and 257 at the end of their sub-bucket") {
  const auto empty_at = [](std::int64_t amount, Duration answered) {
    const Limit limit = Limit::per_token(amount, 128s);
    Window window;
    window.reserve(limit, 1);
    window.settle(limit, 1, 1, SteadyTime{answered});
    return window.empty_at(SteadyTime{answered}).time_since_epoch();
  };
  CHECK(empty_at(256, 10'250ms) == 138'250ms);
  CHECK(empty_at(257, 10'250ms) == 139s);
  CHECK(empty_at(257, 11s) == 139s);
}

TEST_CASE("no window of a server that counts anywhere holds more than the amount") {
  const std::uint64_t seed = GENERATE(11U, 12U);
  const std::int64_t amount = GENERATE(5, 100, 1000, 5000);
  const auto counted = GENERATE(Counted::unknown, Counted::on_arrival, Counted::on_answer);
  CAPTURE(seed, amount, static_cast<int>(counted));
  Limit limit{.amount = amount, .window = 60s, .unit = Unit::cost, .counted = counted};
  Schedule schedule(limit, seed, 90s, true);
  schedule.run(1500);
  CHECK(schedule.log().fullest(60s) <= amount);
}

TEST_CASE("sub-buckets leave 99 percent of a large limit usable") {
  const Limit limit = Limit::per_token(10'000, 60s);
  Window window;
  std::int64_t granted = 0;
  for (Duration now{}; now < 600s; now += 3ms) {
    for (; admits(window, limit, 1, at(now)); ++granted) {
      window.reserve(limit, 1);
      window.settle(limit, 1, 1, at(now));
    }
  }
  CHECK(granted <= 100'000);
  CHECK(granted >= 99'000);
}

TEST_CASE("a large limit under even load keeps its rate") {
  const Limit limit = Limit::per_token(6'000, 60s);
  Window window;
  std::int64_t granted = 0;
  for (Duration now{}; now < 600s; now += 9ms) {
    if (admits(window, limit, 1, at(now))) {
      window.reserve(limit, 1);
      window.settle(limit, 1, 1, at(now));
      ++granted;
    }
  }
  CHECK(granted >= 59'400);
}

TEST_CASE("requests given up at many instants far ahead overflow no sub-bucket") {
  const Limit limit = Limit::per_token(1000, 1s);
  Window window;
  for (int i = 0; i < 900; ++i) {
    window.reserve(limit, 1);
  }
  for (int i = 0; i < 900; ++i) {
    window.settle(limit, 1, 1, at(1s * ((i * 7919) % 900)));
  }
  CHECK(window.used(at(0s)) == 900);
  for (int i = 0; i < 900; ++i) {
    // What is answered at the instant i or later is still counted.
    REQUIRE(window.used(at(1s * i)) >= 900 - i);
    // Each of those without an entry of its own joins the next one, which is never far.
    REQUIRE(window.used(at(1s * i)) <= 900 - i + 100);
  }
  CHECK(window.used(at(902s)) == 0);
}

TEST_CASE("a limit that changes between exact and shared entries loses no count") {
  Limit limit = Limit::per_token(256, 60s);
  Window window;
  for (int i = 0; i < 200; ++i) {
    window.reserve(limit, 1);
    window.settle(limit, 1, 1, at(1ms * i));
  }
  limit.amount = 1000;
  for (int i = 0; i < 200; ++i) {
    window.reserve(limit, 1);
    window.settle(limit, 1, 1, at(1s + 200ms * i));
  }
  CHECK(window.used(at(50s)) == 400);
  limit.amount = 100;
  CHECK(window.room_at(limit, 1, at(50s)) >= at(81s));
}

TEST_CASE("a window is empty when the last that was settled expires") {
  const Limit limit = Limit::per_token(5, 60s);
  Window window;
  CHECK(window.empty_at(at(0s)) == at(0s));
  for (const Duration answered : {1s, 3s}) {
    window.reserve(limit, 1);
    CHECK(window.empty_at(at(0s)) == (answered == 1s ? at(0s) : at(61s)));
    window.settle(limit, 1, 1, at(answered));
  }
  CHECK(window.empty_at(at(3s)) == at(63s));
  CHECK(window.empty_at(at(63s)) == at(63s));
}
