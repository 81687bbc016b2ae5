#pragma once
// Instants as servers write them: the three HTTP date forms and RFC 3339. libcurl's date parser
// accepts the 30th of February and knows no RFC 3339, and the standard library's is missing from the
// compilers we support.

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "tokenpool/base/numbers.hpp"
#include "tokenpool/http/text_reader.hpp"

namespace tokenpool {

/// A wall-clock instant in milliseconds. Any four-digit year fits, which the nanoseconds of
/// `system_clock` do not hold.
using CalendarTime = std::chrono::sys_time<std::chrono::milliseconds>;

namespace detail {

struct DateParts {
  int year{};
  unsigned month{};  // 1 to 12
  unsigned day{};
  int hour{};
  int minute{};
  int second{};  // 60 is a leap second
};

/// The instant, or nullopt if the calendar has no such day or the clock no such time.
inline std::optional<CalendarTime> to_instant(const DateParts& parts) noexcept {
  using namespace std::chrono;
  const year_month_day date{year{parts.year}, month{parts.month}, day{parts.day}};
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  return CalendarTime{sys_days{date} + hours{parts.hour} + minutes{parts.minute} + seconds{parts.second}};
}

/// Takes one of the names whole and returns its place, counted from one.
template <std::size_t N>
std::optional<unsigned> take_name(TextReader& text, const std::array<std::string_view, N>& names) noexcept {
  TextReader ahead = text;
  const auto word = ahead.take_while(is_letter);
  for (std::size_t i = 0; i < N; ++i) {
    if (word == names[i]) {
      text = ahead;
      return static_cast<unsigned>(i + 1);
    }
  }
  return std::nullopt;
}

inline constexpr std::array<std::string_view, 7> short_days{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
inline constexpr std::array<std::string_view, 7> long_days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                           "Friday", "Saturday", "Sunday"};
inline constexpr std::array<std::string_view, 12> short_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

inline bool take_day_and_month(TextReader& text, char separator, DateParts& parts) noexcept {
  const auto day = text.take_digits(2);
  if (!day || !text.take(separator)) return false;
  const auto month = take_name(text, short_months);
  if (!month || !text.take(separator)) return false;
  parts.day = static_cast<unsigned>(*day);
  parts.month = *month;
  return true;
}

inline bool take_time_of_day(TextReader& text, DateParts& parts) noexcept {
  const auto hour = text.take_digits(2);
  if (!hour || !text.take(':')) return false;
  const auto minute = text.take_digits(2);
  if (!minute || !text.take(':')) return false;
  const auto second = text.take_digits(2);
  if (!second) return false;
  parts.hour = *hour;
  parts.minute = *minute;
  parts.second = *second;
  return true;
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
inline std::optional<CalendarTime> parse_imf_fixdate(TextReader text) noexcept {
  DateParts parts;
  if (!take_name(text, short_days) || !text.take(", ") || !take_day_and_month(text, ' ', parts))
    return std::nullopt;
  const auto year = text.take_digits(4);
  if (!year || !text.take(' ') || !take_time_of_day(text, parts) || text.rest() != " GMT")
    return std::nullopt;
  parts.year = *year;
  return to_instant(parts);
}

/// `Sun Nov  6 08:49:37 1994`
inline std::optional<CalendarTime> parse_asctime(TextReader text) noexcept {
  DateParts parts;
  if (!take_name(text, short_days) || !text.take(' ')) return std::nullopt;
  const auto month = take_name(text, short_months);
  if (!month || !text.take(' ')) return std::nullopt;
  const auto day = text.take(' ') ? text.take_digits(1) : text.take_digits(2);
  if (!day || !text.take(' ') || !take_time_of_day(text, parts) || !text.take(' ')) return std::nullopt;
  const auto year = text.take_digits(4);
  if (!year || !text.at_end()) return std::nullopt;
  parts.month = *month;
  parts.day = static_cast<unsigned>(*day);
  parts.year = *year;
  return to_instant(parts);
}

/// The latest year with these last two digits whose date is not more than fifty years ahead (RFC 9110 5.6.7).
inline std::optional<CalendarTime> in_nearest_century(DateParts parts, int two_digits,
                                                      CalendarTime now) noexcept {
  using namespace std::chrono;
  const year_month_day today{floor<days>(now)};
  const int horizon = static_cast<int>(today.year()) + 50;
  parts.year = horizon - ((horizon - two_digits) % 100 + 100) % 100;
  const year_month_day date{year{parts.year}, month{parts.month}, day{parts.day}};
  if (date > year_month_day{year{horizon}, today.month(), today.day()}) parts.year -= 100;
  return to_instant(parts);
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
inline std::optional<CalendarTime> parse_rfc850_date(TextReader text, CalendarTime now) noexcept {
  DateParts parts;
  if (!take_name(text, long_days) || !text.take(", ") || !take_day_and_month(text, '-', parts))
    return std::nullopt;
  const auto year = text.take_digits(2);
  if (!year || !text.take(' ') || !take_time_of_day(text, parts) || text.rest() != " GMT")
    return std::nullopt;
  return in_nearest_century(parts, *year, now);
}

/// `Z`, `+08:00` or `-07:30`: what has to be subtracted to get to UTC.
inline std::optional<std::chrono::minutes> take_offset(TextReader& text) noexcept {
  if (text.take('Z') || text.take('z')) return std::chrono::minutes{0};
  const bool west = text.take('-');
  if (!west && !text.take('+')) return std::nullopt;
  const auto hours = text.take_digits(2);
  if (!hours || !text.take(':')) return std::nullopt;
  const auto minutes = text.take_digits(2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const auto offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
  return west ? -offset : offset;
}

inline bool take_calendar_date(TextReader& text, DateParts& parts) noexcept {
  const auto year = text.take_digits(4);
  if (!year || !text.take('-')) return false;
  const auto month = text.take_digits(2);
  if (!month || !text.take('-')) return false;
  const auto day = text.take_digits(2);
  if (!day) return false;
  parts.year = *year;
  parts.month = static_cast<unsigned>(*month);
  parts.day = static_cast<unsigned>(*day);
  return true;
}

}  // namespace detail

/// The milliseconds of a clock reading, for arithmetic with the instants of this file.
inline CalendarTime calendar_time(std::chrono::system_clock::time_point now) noexcept {
  return std::chrono::floor<std::chrono::milliseconds>(now);
}

/// Reads an HTTP-date in any of the three forms a recipient must accept (RFC 9110 5.6.7), blanks around it
/// allowed. Names are case-sensitive and the zone is GMT, as there; a weekday that contradicts the date is
/// let pass. Days and times that do not exist give nullopt. `now` decides the century of a two-digit year.
inline std::optional<CalendarTime> parse_http_date(std::string_view text, CalendarTime now) noexcept {
  const detail::TextReader reader{detail::trimmed(text)};
  if (const auto instant = detail::parse_imf_fixdate(reader)) return instant;
  if (const auto instant = detail::parse_rfc850_date(reader, now)) return instant;
  return detail::parse_asctime(reader);
}

/// Reads an RFC 3339 instant such as `2026-11-22T06:40:00.5+08:00`; a blank may stand for the T
/// (section 5.6). Fractions of a millisecond are rounded up. nullopt for days and times that do not exist and
/// for a missing zone.
inline std::optional<CalendarTime> parse_rfc3339(std::string_view text) noexcept {
  detail::TextReader reader{detail::trimmed(text)};
  detail::DateParts parts;
  if (!detail::take_calendar_date(reader, parts)) return std::nullopt;
  if (!reader.take('T') && !reader.take('t') && !reader.take(' ')) return std::nullopt;
  if (!detail::take_time_of_day(reader, parts)) return std::nullopt;
  std::chrono::milliseconds fraction{0};
  if (reader.take('.')) {
    const auto digits = reader.take_while(is_digit);
    if (digits.empty()) return std::nullopt;
    fraction = std::chrono::milliseconds{*detail::scaled_fraction(digits, 1000)};
  }
  const auto offset = detail::take_offset(reader);
  const auto instant = detail::to_instant(parts);
  if (!offset || !instant || !reader.at_end()) return std::nullopt;
  return *instant + fraction - *offset;
}

}  // namespace tokenpool
