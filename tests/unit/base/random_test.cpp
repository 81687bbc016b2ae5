#include "tokenpool/base/random.hpp"

#include <array>

#include "catch_compat.hpp"

using tokenpool::SplitMix64;

TEST_CASE("one seed gives the published sequence of SplitMix64") {
  SplitMix64 random(1234567);
  CHECK(random.bits() == 6457827717110365317U);
  CHECK(random.bits() == 3203168211198807973U);
  CHECK(random.bits() == 9817491932198370423U);
}

TEST_CASE("a bounded draw stays below its bound and reaches every value") {
  SplitMix64 random(7);
  std::array<int, 5> hits{};
  for (int i = 0; i < 5000; ++i) {
    const std::uint32_t drawn = random.below(5);
    REQUIRE(drawn < 5);
    ++hits[drawn];
  }
  for (const int count : hits) {
    CHECK(count > 850);
    CHECK(count < 1150);
  }
}

TEST_CASE("a bound of zero or one leaves no choice") {
  SplitMix64 random(7);
  CHECK(random.below(0) == 0);
  CHECK(random.below(1) == 0);
}

TEST_CASE("the largest draw of the unit interval is below one") {
  struct AllOnes final : tokenpool::RandomSource {
    std::uint64_t bits() override { return ~std::uint64_t{0}; }
  } random;
  CHECK(random.unit() < 1.0);
  CHECK(random.below(0xffffffffU) == 0xfffffffeU);
}
