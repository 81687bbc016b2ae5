#include "tokenpool/quota/reset_time.hpp"

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

constexpr CalendarTime from{std::chrono::seconds{1750000000}};

}  // namespace

TEST_CASE("a duration is the sum of its numbers with units") {
  CHECK(parse_duration("6m0s") == 6min);
  CHECK(parse_duration("120ms") == 120ms);
  CHECK(parse_duration("1h2m3.5s") == 1h + 2min + 3500ms);
  CHECK(parse_duration("2m59.56s") == 179560ms);
  CHECK(parse_duration("1m") == 1min);
  CHECK(parse_duration("0s") == 0ms);
  CHECK(parse_duration("2d") == 48h);
  CHECK(parse_duration("1.5h") == 90min);
}

TEST_CASE("each unit of a duration is exact however many there are") {
  CHECK(parse_duration("9000000000000ms") == 9'000'000'000s);
  CHECK(parse_duration("9000000000s") == 9'000'000'000s);
  CHECK(parse_duration("150000000m") == 9'000'000'000s);
  CHECK(parse_duration("2500000h") == 9'000'000'000s);
  CHECK(parse_duration("100000d") == 8'640'000'000s);
  CHECK(parse_duration("9000000000000000us") == 9'000'000'000s);
  CHECK(parse_duration("9000000000000000\xC2\xB5s") == 9'000'000'000s);
  CHECK(parse_duration("9000000000000000000ns") == 9'000'000'000s);
}

TEST_CASE("a duration below a millisecond is rounded up") {
  CHECK(parse_duration("34.074824224s") == 34075ms);
  CHECK(parse_duration("100us") == 1ms);
  CHECK(parse_duration("100\xC2\xB5s") == 1ms);
  CHECK(parse_duration("1ns") == 1ms);
  CHECK(parse_duration("1000us") == 1ms);
  CHECK(parse_duration("1001us") == 2ms);
  CHECK(parse_duration("1000001ns") == 2ms);
  CHECK(parse_duration("2999.5us") == 3ms);
}

TEST_CASE("what is no duration is refused") {
  for (const auto* text : {"", "5", "s", "ms", "-5s", "+5s", "5 s", "1.s", ".5s", "5x", "5s!", "1..5s",
                           "forever", "9999999999999h", "99999999999999999999s"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("a number of milliseconds is rounded up to the next") {
  CHECK(parse_milliseconds("1500") == 1500ms);
  CHECK(parse_milliseconds("0.2") == 1ms);
  CHECK(parse_seconds("0.0002") == 1ms);
  CHECK_FALSE(parse_milliseconds("-1"));
}

TEST_CASE("a reset of a bare number is told by its size") {
  CHECK(parse_reset("30", from) == 30s);
  CHECK(parse_reset("0", from) == 0ms);
  CHECK(parse_reset("0.25", from) == 250ms);
  CHECK(parse_reset("86400", from) == 24h);
  CHECK(parse_reset("1750000060", from) == 60s);
  CHECK(parse_reset("1750000060.5", from) == 60500ms);
  CHECK(parse_reset("1750000060250", from) == 60250ms);
}

TEST_CASE("a bare number is an instant from 2001 on and counts milliseconds from the year 5138 on") {
  const CalendarTime early{std::chrono::seconds{900'000'000}};
  CHECK(parse_reset("999999999.999", early) == 999'999'999'999ms);
  CHECK(parse_reset("1000000000", early) == 100'000'000s);
  CHECK(parse_reset("99999999999.999", early) == 99'099'999'999'999ms);
  CHECK(parse_reset("100000000000", CalendarTime{}) == 100'000'000s);
}

TEST_CASE("a reset may be written as duration or date") {
  CHECK(parse_reset("1m30s", from) == 90s);
  CHECK(parse_reset(" 1m30s\t", from) == 90s);
  CHECK(parse_reset(" 90\t", from) == 90s);
  CHECK(parse_reset("2025-06-15T15:07:40Z", from) == 60s);
  CHECK(parse_reset("Sun, 15 Jun 2025 15:07:40 GMT", from) == 60s);
}

TEST_CASE("a reset in the past is now") {
  CHECK(parse_reset("1749999999", from) == 0ms);
  CHECK(parse_reset("1749999999000", from) == 0ms);
  CHECK(parse_reset("2024-01-01T00:00:00Z", from) == 0ms);
}

TEST_CASE("a reset that is negative or rubbish or too large is none") {
  for (const auto* text : {"", "-1", "soon", "1,5", "99999999999999999999", "1e9", "nan"}) {
    INFO(text);
    CHECK_FALSE(parse_reset(text, from));
  }
}

TEST_CASE("the server's clock is its Date where there is a valid one") {
  const std::chrono::system_clock::time_point now{std::chrono::seconds{1750000000}};
  CHECK(server_time(Headers{{"date", "Sun, 15 Jun 2025 15:00:00 GMT"}}, now) == from - 400s);
  CHECK(server_time(Headers{{"Date", "yesterday"}}, now) == from);
  CHECK(server_time(Headers{}, now) == from);
}
