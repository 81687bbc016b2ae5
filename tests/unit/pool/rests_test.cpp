#include "tokenpool/pool/rests.hpp"

#include "catch_compat.hpp"

using namespace std::chrono_literals;
using tokenpool::end_of_time;
using tokenpool::SteadyTime;
using tokenpool::Verdict;
using tokenpool::detail::Rests;

namespace {
constexpr SteadyTime now{1000s};
}

TEST_CASE("a bucket rests by itself and the whole rests every bucket") {
  Rests rests;
  rests.at(1, now).refused(1, 1, now, now + 5s, Verdict::rate_limited);
  CHECK(rests.opens_at(1) == now + 5s);
  CHECK(rests.opens_at(2) < now);
  CHECK(rests.opens_at(0) < now);
  rests.at(0, now).refused(2, 2, now, now + 9s, Verdict::rate_limited);
  CHECK(rests.opens_at(1) == now + 9s);
  CHECK(rests.opens_at(2) == now + 9s);
}

TEST_CASE("a request tests its bucket and the whole but no other bucket") {
  Rests rests;
  for (const std::uint32_t bucket : {0U, 1U, 2U}) {
    rests.at(bucket, now).refused(1, 1, now, now, Verdict::rate_limited);
  }
  rests.granted(1, 2, now);
  CHECK(rests.whole().probing());
  CHECK(rests.find(1)->probing());
  CHECK_FALSE(rests.find(2)->probing());
  CHECK(rests.succeeded(1, 2));
  CHECK(rests.resting_buckets() == 1);
  CHECK_FALSE(rests.find(1)->active());
}

TEST_CASE("a bucket whose rest had another cause than a limit is forgotten with it") {
  Rests rests;
  rests.at(1, now).refused(1, 1, now, now, Verdict::quota_exhausted);
  rests.granted(1, 2, now);
  CHECK(rests.succeeded(1, 2));
  CHECK(rests.find(1) == nullptr);
}

TEST_CASE("rests of made-up buckets do not gather") {
  Rests rests;
  for (std::uint32_t bucket = 1; bucket <= 100; ++bucket) {
    const SteadyTime then = now + 1h * bucket;
    rests.at(bucket, then).refused(bucket, bucket, then, then + 1s, Verdict::rate_limited);
  }
  CHECK(rests.resting_buckets() == 1);
}

TEST_CASE("a bucket that still rests is kept however many there are") {
  Rests rests;
  for (std::uint32_t bucket = 1; bucket <= 100; ++bucket) {
    rests.at(bucket, now).refused(bucket, bucket, now, now + 24h, Verdict::rate_limited);
  }
  CHECK(rests.resting_buckets() == 100);
}
