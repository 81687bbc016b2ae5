#include "tokenpool/pool/recent_latencies.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/base/random.hpp"

using namespace std::chrono_literals;
using namespace tokenpool;
using std::chrono::microseconds;

namespace {

/// Exactly, by sorting.
microseconds nearest_rank(const std::deque<microseconds>& lengths, double percent) {
  std::vector<microseconds> sorted(lengths.begin(), lengths.end());
  std::sort(sorted.begin(), sorted.end());
  const double rank = std::ceil(static_cast<double>(sorted.size()) * percent / 100);
  return sorted[static_cast<std::size_t>(rank) - 1];
}

bool within_a_sixteenth(microseconds told, microseconds exact) {
  return std::abs((told - exact).count()) * 16 <= exact.count();
}

/// Any length from microseconds to hours is as likely as one of twice or half of it.
microseconds any_length(RandomSource& random) {
  constexpr unsigned doublings = 33;
  return microseconds(random.bits() >> (64 - 1 - random.bits() % doublings));
}

detail::Percentiles percentiles_of(const detail::RecentLatencies& recent) {
  detail::LatencySpread spread;
  spread.add(recent);
  return spread.percentiles();
}

}  // namespace

TEST_CASE("a length of time in a byte comes back within a sixteenth") {
  SplitMix64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const microseconds exact = any_length(random);
    const microseconds told = detail::latency_of(detail::latency_code(exact));
    if (!within_a_sixteenth(told, exact)) {
      FAIL(exact.count() << " us became " << told.count());
    }
  }
  for (const microseconds edge : {0us, 1us, 7us, 8us, 15us, 16us, 17us, 255us, 256us}) {
    CHECK(within_a_sixteenth(detail::latency_of(detail::latency_code(edge)), edge));
  }
}

TEST_CASE("a longer time never has a smaller byte") {
  std::uint8_t before = 0;
  for (std::int64_t length = 0; length < 100'000; ++length) {
    const std::uint8_t code = detail::latency_code(microseconds(length));
    if (code < before || code == 0) {
      FAIL(length << " us has the code " << int{code});
    }
    before = code;
  }
  CHECK(detail::latency_code(-1s) == detail::latency_code(0us));
  CHECK(detail::latency_code((Duration::max)()) == 255);
  CHECK(detail::latency_of(255) > 4h);
}

TEST_CASE("percentiles are those of the last 256 answers") {
  SplitMix64 random(GENERATE(1u, 2u, 3u));
  detail::RecentLatencies recent;
  std::deque<microseconds> oracle;
  for (std::uint64_t number = 0; number < 2000; ++number) {
    oracle.push_back(any_length(random));
    recent.put(number, detail::latency_code(oracle.back()));
    if (oracle.size() > detail::RecentLatencies::capacity) {
      oracle.pop_front();
    }
    const detail::Percentiles told = percentiles_of(recent);
    const bool right = within_a_sixteenth(told.p50, nearest_rank(oracle, 50)) &&
                       within_a_sixteenth(told.p95, nearest_rank(oracle, 95)) &&
                       within_a_sixteenth(told.p99, nearest_rank(oracle, 99));
    if (!right) {
      FAIL("after answer " << number);
    }
  }
}

TEST_CASE("the percentiles of several are those of all their answers") {
  detail::RecentLatencies fast;
  detail::RecentLatencies slow;
  for (std::uint64_t number = 0; number < 94; ++number) fast.put(number, detail::latency_code(4us));
  for (std::uint64_t number = 0; number < 6; ++number) slow.put(number, detail::latency_code(7us));
  detail::LatencySpread both;
  both.add(fast);
  both.add(slow);
  const detail::Percentiles told = both.percentiles();
  CHECK(told.p50 == 4us);
  CHECK(told.p95 == 7us);
  CHECK(told.p99 == 7us);
}

TEST_CASE("without an answer there are no percentiles") {
  const detail::Percentiles told = percentiles_of({});
  CHECK(told.p50 == 0us);
  CHECK(told.p99 == 0us);
}
