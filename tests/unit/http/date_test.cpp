#include "tokenpool/http/date.hpp"

#include <string>

#include "catch_compat.hpp"

using tokenpool::CalendarTime;
using tokenpool::parse_http_date;
using tokenpool::parse_rfc3339;

namespace {

constexpr CalendarTime at(std::int64_t seconds) { return CalendarTime{std::chrono::seconds{seconds}}; }

/// 2026-11-22 00:00:00 UTC
constexpr CalendarTime now = at(1795305600);

/// Whether `reads` takes the text as it is, and refuses it cut or with another character at any place.
template <class Reads>
void check_exact(const std::string& text, Reads reads) {
  INFO(text);
  CHECK(reads(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string marred = text;
    marred[i] = '?';
    INFO("at " << i);
    CHECK_FALSE((reads(text.substr(0, i)) || reads(marred)));
  }
}

}  // namespace

TEST_CASE("the three forms of an HTTP date name the same instant") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now) == at(784111777));
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now) == at(784111777));
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994", now) == at(784111777));
}

TEST_CASE("an asctime date has one or two digits for the day") {
  CHECK(parse_http_date("Sun Nov 06 08:49:37 1994", now) == at(784111777));
  CHECK(parse_http_date("Wed Nov 16 08:49:37 1994", now) == at(784975777));
  CHECK_FALSE(parse_http_date("Sun Nov 6 08:49:37 1994", now));
}

TEST_CASE("blanks around an HTTP date are let pass and blanks within are not") {
  CHECK(parse_http_date(" Sun, 06 Nov 1994 08:49:37 GMT\t", now) == at(784111777));
  CHECK_FALSE(parse_http_date("Sun, 06  Nov 1994 08:49:37 GMT", now));
}

TEST_CASE("a leap day exists in leap years only") {
  CHECK(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT", now) == at(1709164800));
  CHECK_FALSE(parse_http_date("Wed, 29 Feb 2023 00:00:00 GMT", now));
  CHECK_FALSE(parse_http_date("Mon, 29 Feb 2100 00:00:00 GMT", now));
}

TEST_CASE("a leap second is the second after") {
  CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", now) == at(1483228800));
}

TEST_CASE("days and times that do not exist are refused") {
  for (const auto* text :
       {"Fri, 30 Feb 2026 00:00:00 GMT", "Fri, 00 Jan 2026 00:00:00 GMT", "Fri, 32 Jan 2026 00:00:00 GMT",
        "Fri, 01 Jan 2026 24:00:00 GMT", "Fri, 01 Jan 2026 00:60:00 GMT", "Fri, 01 Jan 2026 00:00:61 GMT"}) {
    INFO(text);
    CHECK_FALSE(parse_http_date(text, now));
  }
}

TEST_CASE("what is no HTTP date is refused") {
  for (const auto* text :
       {"", "GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 gmt", "sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT.",
        "Sun, -6 Nov 1994 08:49:37 GMT", "Xyz, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994 GMT",
        "20261122", "1994-11-06T08:49:37Z"}) {
    INFO(text);
    CHECK_FALSE(parse_http_date(text, now));
  }
}

TEST_CASE("a date that is cut or marred at any place is refused") {
  for (const auto* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    check_exact(text, [](const std::string& given) { return parse_http_date(given, now).has_value(); });
  }
  check_exact("2026-11-22T08:00:00.25+08:00",
              [](const std::string& given) { return parse_rfc3339(given).has_value(); });
}

TEST_CASE("a two-digit year is the latest one that is not more than fifty years ahead") {
  CHECK(parse_http_date("Sunday, 22-Nov-76 00:00:00 GMT", now) == parse_rfc3339("2076-11-22T00:00:00Z"));
  CHECK(parse_http_date("Monday, 23-Nov-76 00:00:00 GMT", now) == parse_rfc3339("1976-11-23T00:00:00Z"));
  CHECK(parse_http_date("Tuesday, 01-Jan-77 00:00:00 GMT", now) == parse_rfc3339("1977-01-01T00:00:00Z"));
  CHECK(parse_http_date("Monday, 23-Nov-26 00:00:00 GMT", now) == parse_rfc3339("2026-11-23T00:00:00Z"));
  CHECK(parse_http_date("Saturday, 01-Jan-00 00:00:00 GMT", now) == parse_rfc3339("2000-01-01T00:00:00Z"));
}

TEST_CASE("a two-digit year near the end of a century may lie in the next one") {
  const CalendarTime late = *parse_rfc3339("2099-06-01T00:00:00Z");
  CHECK(parse_http_date("Thursday, 01-Jan-05 00:00:00 GMT", late) == parse_rfc3339("2105-01-01T00:00:00Z"));
}

TEST_CASE("an instant of RFC 3339 is read with any offset") {
  CHECK(parse_rfc3339("2026-11-22T00:00:00Z") == now);
  CHECK(parse_rfc3339("2026-11-22T08:00:00+08:00") == now);
  CHECK(parse_rfc3339("2026-11-21T16:30:00-07:30") == now);
  CHECK(parse_rfc3339("2026-11-22t00:00:00z") == now);
  CHECK(parse_rfc3339("2026-11-22 00:00:00Z") == now);
}

TEST_CASE("a fraction of a second is rounded up to milliseconds") {
  using std::chrono::milliseconds;
  CHECK(parse_rfc3339("2026-11-22T00:00:00.5Z") == now + milliseconds{500});
  CHECK(parse_rfc3339("2026-11-22T00:00:00.0001Z") == now + milliseconds{1});
  CHECK(parse_rfc3339("2026-11-22T00:00:00.123456789Z") == now + milliseconds{124});
}

TEST_CASE("the ends of the four-digit calendar do not overflow") {
  CHECK(parse_rfc3339("9999-12-31T23:59:59Z") == at(253402300799));
  CHECK(parse_rfc3339("0000-01-01T00:00:00Z") == at(-62167219200));
  CHECK(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT", now) == at(253402300799));
}

TEST_CASE("what is no instant of RFC 3339 is refused") {
  for (const auto* text :
       {"", "2026-11-22", "2026-11-22T00:00:00", "2026-11-22T00:00Z", "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T00:00:00.Z", "2026-11-22T00:00:00+0800",
        "2026-11-22T00:00:00+24:00", "2026-11-22T00:00:00+08:60", "2026-11-22T00:00:00Z ago",
        "26-11-22T00:00:00Z", "-026-11-22T00:00:00Z"}) {
    INFO(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}
