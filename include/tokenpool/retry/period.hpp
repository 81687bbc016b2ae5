#pragma once
// When a quota comes back by itself. Providers that refuse until the day or the month is over
// seldom say when that is, but their documentation names the calendar, and a token that knocks
// before then is wasted or worse.

#include <chrono>
#include <optional>

#include "tokenpool/http/date.hpp"

namespace tokenpool {

/// The calendar by which an allowance is renewed.
enum class QuotaPeriod {
  unknown,      ///< It is renewed, but nobody says when.
  day_utc,      ///< At midnight UTC.
  day_pacific,  ///< At midnight in Los Angeles: Google's quotas.
  month_utc,    ///< On the first of the month at midnight UTC.
};

namespace detail {

/// Los Angeles against UTC at this instant, by the rule of the United States since 2007: eight hours behind,
/// seven from the second Sunday of March at 10:00 UTC to the first Sunday of November at 09:00 UTC.
inline std::chrono::hours pacific_offset(CalendarTime instant) noexcept {
  using namespace std::chrono;
  const year this_year = year_month_day{floor<days>(instant)}.year();
  const CalendarTime begin = sys_days{this_year / March / Sunday[2]} + hours{10};
  const CalendarTime end = sys_days{this_year / November / Sunday[1]} + hours{9};
  return begin <= instant && instant < end ? hours{-7} : hours{-8};
}

inline CalendarTime next_pacific_midnight(CalendarTime from) noexcept {
  using namespace std::chrono;
  const auto local_midnight = floor<days>(from + pacific_offset(from)) + days{1};
  // The clocks change at two in the morning, so that midnight itself may have the other offset.
  const CalendarTime guess = local_midnight - pacific_offset(from);
  return local_midnight - pacific_offset(guess);
}

inline CalendarTime next_month(CalendarTime from) noexcept {
  using namespace std::chrono;
  const year_month_day today{floor<days>(from)};
  return sys_days{(today.year() / today.month() + months{1}) / 1};
}

}  // namespace detail

/// The time until the allowance is renewed, measured from `from`, the server's clock; nullopt
/// if that is not known.
inline std::optional<std::chrono::milliseconds> until_renewed(QuotaPeriod period,
                                                              CalendarTime from) noexcept {
  using namespace std::chrono;
  switch (period) {
    case QuotaPeriod::day_utc: return floor<days>(from) + days{1} - from;
    case QuotaPeriod::day_pacific: return detail::next_pacific_midnight(from) - from;
    case QuotaPeriod::month_utc: return detail::next_month(from) - from;
    case QuotaPeriod::unknown: break;
  }
  return std::nullopt;
}

}  // namespace tokenpool
