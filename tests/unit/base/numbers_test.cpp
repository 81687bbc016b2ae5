#include "tokenpool/base/numbers.hpp"

#include "catch_compat.hpp"

using tokenpool::checked_add;
using tokenpool::checked_multiply;
using tokenpool::parse_scaled_decimal;
using tokenpool::parse_whole;

namespace {
constexpr auto largest = (std::numeric_limits<std::int64_t>::max)();
}

TEST_CASE("a whole number is digits and nothing else") {
  CHECK(parse_whole<std::int64_t>("0") == 0);
  CHECK(parse_whole<std::int64_t>("007") == 7);
  CHECK(parse_whole<std::int64_t>("-1") == -1);
  for (const auto* text : {"", " 1", "1 ", "+1", "1.0", "0x10", "1e3", "--1", "-", "one"}) {
    INFO(text);
    CHECK_FALSE(parse_whole<std::int64_t>(text));
  }
}

TEST_CASE("a whole number that the type cannot hold is no number") {
  CHECK(parse_whole<std::int64_t>("9223372036854775807") == largest);
  CHECK_FALSE(parse_whole<std::int64_t>("9223372036854775808"));
  CHECK_FALSE(parse_whole<int>("99999999999999999999"));
  CHECK_FALSE(parse_whole<unsigned>("-1"));
}

TEST_CASE("sum and product say so when they overflow") {
  CHECK(checked_add(largest, 0) == largest);
  CHECK_FALSE(checked_add(largest, 1));
  CHECK(checked_multiply(largest, 1) == largest);
  CHECK(checked_multiply(largest, 0) == 0);
  CHECK_FALSE(checked_multiply(largest / 2 + 1, 2));
}

TEST_CASE("a decimal is scaled exactly") {
  CHECK(parse_scaled_decimal("3", 1000) == 3000);
  CHECK(parse_scaled_decimal("0.5", 1000) == 500);
  CHECK(parse_scaled_decimal("1470173023.123", 1000) == 1470173023123);
  CHECK(parse_scaled_decimal("0.25", 3'600'000) == 900'000);
  CHECK(parse_scaled_decimal("0", 1) == 0);
}

TEST_CASE("a decimal between two units is rounded up") {
  CHECK(parse_scaled_decimal("0.0001", 1000) == 1);
  CHECK(parse_scaled_decimal("1.0000000000000000001", 1000) == 1001);
  CHECK(parse_scaled_decimal("1.0000000000000000000", 1000) == 1000);
  CHECK(parse_scaled_decimal("0.999999999999", 1000) == 1000);
}

TEST_CASE("a decimal needs digits on both sides of its point") {
  for (const auto* text :
       {"", ".", ".5", "5.", "-1", "+1", "1.2.3", "1,5", "1e3", " 1", "nan", "inf", "1.-5"}) {
    INFO(text);
    CHECK_FALSE(parse_scaled_decimal(text, 1000));
  }
}

TEST_CASE("a decimal that overflows is no number") {
  CHECK(parse_scaled_decimal("9223372036854775.807", 1000) == largest);
  CHECK_FALSE(parse_scaled_decimal("9223372036854775.808", 1000));
  CHECK_FALSE(parse_scaled_decimal("99999999999999999999", 1));
}
