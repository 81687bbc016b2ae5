#pragma once
// How long until a limit resets, in the notations that providers use for it: durations such as `6m0s`, plain
// seconds, seconds or milliseconds since 1970, and dates. Instants are the server's, so they are measured by
// the server's clock.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tokenpool/base/numbers.hpp"
#include "tokenpool/http/date.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/text_reader.hpp"

namespace tokenpool {

/// The server's wall clock when it answered: the answer's own Date where there is a valid one, else `now`.
/// What is measured from it is free of the skew between the two clocks.
inline CalendarTime server_time(const Headers& headers, std::chrono::system_clock::time_point now) {
  const CalendarTime local = calendar_time(now);
  const auto date = headers.get("Date");
  return (date ? parse_http_date(*date, local) : std::nullopt).value_or(local);
}

/// The time from one instant to a later one; zero if it is past.
constexpr std::chrono::milliseconds time_until(CalendarTime instant, CalendarTime from) noexcept {
  return (std::max)(instant - from, std::chrono::milliseconds{0});
}

/// Reads seconds with or without a fraction, rounded up to milliseconds; nullopt for a sign,
/// rubbish or overflow.
inline std::optional<std::chrono::milliseconds> parse_seconds(std::string_view text) noexcept {
  const auto value = parse_scaled_decimal(text, 1000);
  return value ? std::optional{std::chrono::milliseconds{*value}} : std::nullopt;
}

/// Reads a whole or broken number of milliseconds, rounded up; nullopt for a sign, rubbish or overflow.
inline std::optional<std::chrono::milliseconds> parse_milliseconds(std::string_view text) noexcept {
  const auto value = parse_scaled_decimal(text, 1);
  return value ? std::optional{std::chrono::milliseconds{*value}} : std::nullopt;
}

namespace detail {

/// `parts` of it are so many milliseconds.
struct DurationUnit {
  std::string_view name;
  std::int64_t milliseconds;
  std::int64_t parts = 1;
};

/// `ms` stands before `m`, or "120ms" would be two hours.
inline constexpr auto duration_units = std::to_array<DurationUnit>({{"ms", 1},
                                                                    {"us", 1, 1'000},
                                                                    {"\xC2\xB5s", 1, 1'000},
                                                                    {"ns", 1, 1'000'000},
                                                                    {"d", 86'400'000},
                                                                    {"h", 3'600'000},
                                                                    {"m", 60'000},
                                                                    {"s", 1'000}});

/// A number times a unit, in milliseconds rounded up.
inline std::optional<std::int64_t> take_duration_part(TextReader& text) noexcept {
  const auto number = text.take_while([](char c) { return is_digit(c) || c == '.'; });
  const auto unit = std::find_if(duration_units.begin(), duration_units.end(),
                                 [&text](const DurationUnit& known) { return text.take(known.name); });
  if (unit == duration_units.end()) return std::nullopt;
  const auto value = parse_scaled_decimal(number, unit->milliseconds);
  return value ? std::optional{*value / unit->parts + (*value % unit->parts != 0 ? 1 : 0)} : std::nullopt;
}

/// A bare number tells its meaning by its size only. A delta of thirty years and an epoch before 2001 do not
/// occur, and an epoch in seconds beyond the year 5000 does not either.
inline std::optional<std::chrono::milliseconds> reset_by_size(std::chrono::milliseconds seconds,
                                                              CalendarTime from) {
  constexpr std::chrono::seconds first_epoch{1'000'000'000};
  constexpr std::chrono::seconds first_epoch_in_milliseconds{100'000'000'000};
  if (seconds < first_epoch) return seconds;
  if (seconds < first_epoch_in_milliseconds) return time_until(CalendarTime{seconds}, from);
  return time_until(CalendarTime{seconds / 1000}, from);
}

}  // namespace detail

/// Reads a duration as Go prints it: numbers with the units h, m, s, ms, us (also written µs) and ns, as in
/// `1h2m3.5s` or `120ms`; also `2d`. Rounded up to milliseconds; nullopt without a unit, for a sign,
/// rubbish or overflow.
inline std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept {
  detail::TextReader reader{detail::trimmed(text)};
  if (reader.at_end()) return std::nullopt;
  std::optional<std::int64_t> total{0};
  while (total && !reader.at_end()) {
    const auto part = detail::take_duration_part(reader);
    total = part ? checked_add(*total, *part) : std::nullopt;
  }
  return total ? std::optional{std::chrono::milliseconds{*total}} : std::nullopt;
}

/// Reads the value of a reset field in any notation: a duration, seconds, seconds or milliseconds since 1970
/// (told apart by size), RFC 3339, an HTTP-date. Past instants are zero; nullopt for anything else. `from` is
/// the server's clock, see `server_time`.
inline std::optional<std::chrono::milliseconds> parse_reset(std::string_view text,
                                                            CalendarTime from) noexcept {
  text = detail::trimmed(text);
  if (const auto seconds = parse_seconds(text)) return detail::reset_by_size(*seconds, from);
  if (const auto duration = parse_duration(text)) return duration;
  if (const auto instant = parse_rfc3339(text)) return time_until(*instant, from);
  if (const auto instant = parse_http_date(text, from)) return time_until(*instant, from);
  return std::nullopt;
}

}  // namespace tokenpool
