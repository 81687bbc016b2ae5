// Dates, durations and Retry-After. Properties: what is printed in any of the accepted forms is read back as
// the same instant; what is read as an instant is, but for the weekday, that instant printed in one of the
// forms (so no day that does not exist, no sloppy spelling); a wait is never negative and never shorter than
// it was written; Retry-After is the number of seconds, the time until the date, or nothing.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "fuzz.hpp"
#include "tokenpool/http/date.hpp"
#include "tokenpool/quota/reset_time.hpp"
#include "tokenpool/quota/retry_after.hpp"

using fuzz::holds;
using tokenpool::CalendarTime;
using namespace std::chrono;

namespace {

struct Printed {
  std::string imf, rfc850, asctime, asctime_zero, rfc3339;
};

/// By the C library's printf, apart from the weekday's names no code of ours.
Printed print(CalendarTime instant) {
  constexpr const char* days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                  "Thursday", "Friday", "Saturday"};
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = floor<std::chrono::days>(instant);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<seconds>(instant - day));
  const int year = static_cast<int>(date.year());
  const auto of_month = static_cast<unsigned>(date.day());
  const char* const month = months[static_cast<unsigned>(date.month()) - 1];
  const std::string name_of_day = days[weekday(day).c_encoding()];
  char time[16];
  char text[64];
  static_cast<void>(
      std::snprintf(time, sizeof time, "%02d:%02d:%02d", static_cast<int>(clock.hours().count()),
                    static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count())));
  Printed printed;
  const auto format = [&](const char* form, auto... values) {
    static_cast<void>(std::snprintf(text, sizeof text, form, values...));
    return std::string(text);
  };
  const std::string brief = name_of_day.substr(0, 3);
  printed.imf = brief + format(", %02u %s %04d %s GMT", of_month, month, year, time);
  printed.rfc850 = name_of_day + format(", %02u-%s-%02d %s GMT", of_month, month, year % 100, time);
  printed.asctime = brief + format(" %s %2u %s %04d", month, of_month, time, year);
  printed.asctime_zero = brief + format(" %s %02u %s %04d", month, of_month, time, year);
  printed.rfc3339 = format("%04d-%02u-%02uT%s", year, static_cast<unsigned>(date.month()), of_month, time);
  return printed;
}

std::string_view behind_weekday(std::string_view date) {
  return date.substr((std::min)(date.find(' '), date.size()));
}

int year_of(CalendarTime instant) { return static_cast<int>(year_month_day(floor<days>(instant)).year()); }

/// The 61st second of a minute is the first one of the next.
std::string without_leap_second(std::string text, CalendarTime& instant) {
  const std::size_t at = text.find(":60");
  if (at != std::string::npos && text.find(':') < at) {
    text.replace(at, 3, ":59");
    instant -= seconds(1);
  }
  return text;
}

void check_http_date(std::string_view text, CalendarTime now) {
  auto read = tokenpool::parse_http_date(text, now);
  holds(tokenpool::parse_http_date(" " + std::string(text) + "\t", now) == read,
        "blanks around a date mean nothing");
  if (!read) return;
  const std::string trimmed = without_leap_second(std::string(tokenpool::detail::trimmed(text)), *read);
  const Printed printed = print(*read);
  const std::string_view behind = behind_weekday(trimmed);
  holds(behind == behind_weekday(printed.imf) || behind == behind_weekday(printed.rfc850) ||
            behind == behind_weekday(printed.asctime) || behind == behind_weekday(printed.asctime_zero),
        "what is read as a date is that date printed");
  if (behind == behind_weekday(printed.rfc850)) {
    holds(std::abs(year_of(*read) - year_of(now)) <= 50, "a two-digit year is a near one");
  }
}

void check_rfc3339(std::string_view text) {
  auto read = tokenpool::parse_rfc3339(text);
  if (!read) return;
  std::string whole = without_leap_second(std::string(tokenpool::detail::trimmed(text)), *read);
  holds(whole.size() >= 20, "an instant has all its parts");
  const std::size_t zone = whole.find_first_of("Zz+-", 19);
  holds(zone != std::string::npos, "an instant has a zone");
  int hours = 0;
  int minutes = 0;
  if (std::sscanf(whole.c_str() + zone, "%3d:%2d", &hours, &minutes) == 2 && whole[zone] == '-')
    minutes = -minutes;
  whole[10] = 'T';
  const CalendarTime local = *read + std::chrono::hours(hours) + std::chrono::minutes(minutes);
  const milliseconds beyond = whole[19] == '.' ? seconds(1) : seconds(0);
  holds(print(local).rfc3339 == whole.substr(0, 19) ||
            (beyond.count() != 0 && print(local - beyond).rfc3339 == whole.substr(0, 19)),
        "what is read as an instant is that instant printed");
}

void check_retry_after(std::string_view text, CalendarTime now) {
  const auto wait = tokenpool::parse_retry_after(text, now);
  const std::string_view bare = tokenpool::detail::trimmed(text);
  const bool number =
      !bare.empty() && bare.size() < 16 && std::all_of(bare.begin(), bare.end(), tokenpool::is_digit);
  if (number) {
    holds(wait == seconds(std::stoll(std::string(bare))), "a number is so many seconds");
  } else if (const auto date = tokenpool::parse_http_date(text, now)) {
    holds(wait == (std::max)(*date - now, milliseconds(0)), "a date is the time until then");
  }
  holds(!wait || wait->count() >= 0, "no wait is negative");
  const auto reset = tokenpool::parse_reset(text, now);
  holds(!reset || reset->count() >= 0, "no reset is in the past");
}

void check_round_trips(FuzzedDataProvider& input, CalendarTime now) {
  // The years 0 to 9999.
  const CalendarTime instant{
      milliseconds(input.ConsumeIntegralInRange<std::int64_t>(-62'167'219'200'000, 253'402'300'799'999))};
  const CalendarTime whole = floor<seconds>(instant);
  const Printed printed = print(instant);
  for (const std::string& text : {printed.imf, printed.asctime, printed.asctime_zero}) {
    holds(tokenpool::parse_http_date(text, now) == whole, "a printed date is read back");
  }
  if (std::abs(year_of(whole) - year_of(now)) < 50) {
    holds(tokenpool::parse_http_date(printed.rfc850, now) == whole,
          "a printed date with a two-digit year is read back");
  }
  char fraction[16];
  static_cast<void>(
      std::snprintf(fraction, sizeof fraction, ".%03d", static_cast<int>((instant - whole).count())));
  const int offset = input.ConsumeIntegralInRange(-1439, 1439);
  char zone[16];
  static_cast<void>(std::snprintf(zone, sizeof zone, "%c%02d:%02d", offset < 0 ? '-' : '+',
                                  std::abs(offset) / 60, std::abs(offset) % 60));
  holds(tokenpool::parse_rfc3339(printed.rfc3339 + fraction + zone) == instant - minutes(offset),
        "a printed instant is read back");
}

void check_numbers(FuzzedDataProvider& input) {
  const auto whole = input.ConsumeIntegralInRange<std::int64_t>(0, 999'999'999);
  const auto digits = input.ConsumeIntegralInRange<int>(1, 9);
  std::int64_t power = 1;
  for (int i = 0; i < digits; ++i) power *= 10;
  const std::int64_t part = input.ConsumeIntegralInRange<std::int64_t>(0, power - 1);
  const auto scale = input.ConsumeIntegralInRange<std::int64_t>(1, 1'000'000'000);
  char text[32];
  static_cast<void>(std::snprintf(text, sizeof text, "%lld.%0*lld", static_cast<long long>(whole), digits,
                                  static_cast<long long>(part)));
  holds(tokenpool::parse_scaled_decimal(text, scale) == whole * scale + (part * scale + power - 1) / power,
        "a decimal is scaled and rounded up");
  const std::string duration = std::to_string(whole % 1000) + "h" + std::to_string(part % 100) + "m" +
                               std::to_string(digits) + "s" + std::to_string(scale % 1000) + "ms";
  holds(tokenpool::parse_duration(duration) ==
            hours(whole % 1000) + minutes(part % 100) + seconds(digits) + milliseconds(scale % 1000),
        "a duration is the sum of its parts");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  // The years 1000 to 9899: no century around them is out of four digits.
  const CalendarTime now{
      milliseconds(input.ConsumeIntegralInRange<std::int64_t>(-30'610'224'000'000, 250'246'540'799'999))};
  check_round_trips(input, now);
  check_numbers(input);
  const std::string text = fuzz::rest(input);
  check_http_date(text, now);
  check_rfc3339(text);
  check_retry_after(text, now);
  return 0;
}
