#include "tokenpool/retry/period.hpp"

#include "catch_compat.hpp"

using namespace tokenpool;

namespace {

/// The instant at which the period that holds `from` ends.
std::optional<CalendarTime> end_of(QuotaPeriod period, std::string_view from) {
  const CalendarTime start = *parse_rfc3339(from);
  const auto wait = until_renewed(period, start);
  return wait ? std::optional{start + *wait} : std::nullopt;
}

}  // namespace

TEST_CASE("a day in UTC ends at the next midnight") {
  CHECK(end_of(QuotaPeriod::day_utc, "2026-11-22T06:40:00.250Z") == parse_rfc3339("2026-11-23T00:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_utc, "2026-11-22T00:00:00Z") == parse_rfc3339("2026-11-23T00:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_utc, "2024-02-29T23:59:59Z") == parse_rfc3339("2024-03-01T00:00:00Z"));
}

TEST_CASE("a month ends on the first of the next") {
  CHECK(end_of(QuotaPeriod::month_utc, "2026-11-22T06:40:00Z") == parse_rfc3339("2026-12-01T00:00:00Z"));
  CHECK(end_of(QuotaPeriod::month_utc, "2026-12-31T23:59:59Z") == parse_rfc3339("2027-01-01T00:00:00Z"));
  CHECK(end_of(QuotaPeriod::month_utc, "2024-02-29T12:00:00Z") == parse_rfc3339("2024-03-01T00:00:00Z"));
}

TEST_CASE("a Pacific day ends at eight in winter and at seven in summer") {
  CHECK(end_of(QuotaPeriod::day_pacific, "2026-01-15T12:00:00Z") == parse_rfc3339("2026-01-16T08:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_pacific, "2026-01-15T07:59:59Z") == parse_rfc3339("2026-01-15T08:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_pacific, "2026-01-15T08:00:00Z") == parse_rfc3339("2026-01-16T08:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_pacific, "2026-07-15T12:00:00Z") == parse_rfc3339("2026-07-16T07:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_pacific, "2026-07-15T06:59:59Z") == parse_rfc3339("2026-07-15T07:00:00Z"));
}

// The days of the change are those that the zone America/Los_Angeles has: 8 March and 1 November 2026, 14
// March and 7 November 2027.
TEST_CASE("the Pacific day on which the clocks go forward is an hour shorter") {
  CHECK(end_of(QuotaPeriod::day_pacific, "2026-03-08T08:00:00Z") == parse_rfc3339("2026-03-09T07:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_pacific, "2026-03-08T09:59:59Z") == parse_rfc3339("2026-03-09T07:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_pacific, "2026-03-08T10:00:00Z") == parse_rfc3339("2026-03-09T07:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_pacific, "2026-03-08T07:00:00Z") == parse_rfc3339("2026-03-08T08:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_pacific, "2027-03-14T12:00:00Z") == parse_rfc3339("2027-03-15T07:00:00Z"));
}

TEST_CASE("the Pacific day on which the clocks go back is an hour longer") {
  CHECK(end_of(QuotaPeriod::day_pacific, "2026-11-01T07:00:00Z") == parse_rfc3339("2026-11-02T08:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_pacific, "2026-11-01T08:59:59Z") == parse_rfc3339("2026-11-02T08:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_pacific, "2026-11-01T09:00:00Z") == parse_rfc3339("2026-11-02T08:00:00Z"));
  CHECK(end_of(QuotaPeriod::day_pacific, "2027-11-07T12:00:00Z") == parse_rfc3339("2027-11-08T08:00:00Z"));
}

TEST_CASE("of an unknown period nobody knows the end") {
  CHECK_FALSE(end_of(QuotaPeriod::unknown, "2026-11-22T06:40:00Z"));
}
