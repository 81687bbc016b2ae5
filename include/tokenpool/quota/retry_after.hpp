#pragma once
// Retry-After and its relatives in milliseconds: the fields in which a server says outright how long to wait.

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include "tokenpool/http/date.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/text_reader.hpp"
#include "tokenpool/quota/reset_time.hpp"

namespace tokenpool {

/// Reads one Retry-After value (RFC 9110 10.2.3): seconds, or an HTTP-date in any of its three forms,
/// measured from `from`, the server's clock. Fractions of a second are taken too, since servers send
/// them. A past date is zero; what is negative, signed, empty, too large or rubbish is nullopt, as if
/// the field were absent.
inline std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value,
                                                                  CalendarTime from) noexcept {
  const auto text = detail::trimmed(value);
  if (const auto seconds = parse_seconds(text)) return seconds;
  const auto date = parse_http_date(text, from);
  return date ? std::optional{time_until(*date, from)} : std::nullopt;
}

namespace detail {

/// The longest of the usable values of a field: of two contradicting copies the longer wait offends nobody.
template <class Parse>
std::optional<std::chrono::milliseconds> longest_of(const Headers& headers, std::string_view name,
                                                    Parse parse) {
  std::optional<std::chrono::milliseconds> longest;
  for (const auto& [field, value] : headers) {
    if (equal_ignoring_case(field, name)) longest = (std::max)(longest, parse(value));
  }
  return longest;
}

/// OpenAI and Azure; Azure; AWS. All in milliseconds.
inline constexpr auto millisecond_fields =
    std::to_array<std::string_view>({"retry-after-ms", "x-ms-retry-after-ms", "x-amz-retry-after"});

}  // namespace detail

/// What an answer's header says outright about when to come back: a field in milliseconds (`retry-after-ms`,
/// `x-ms-retry-after-ms`, `x-amz-retry-after`) before Retry-After, since it is the more exact copy of the
/// same word. Of several copies of a field the longest usable one counts. nullopt = no usable word, zero =
/// now; never capped.
inline std::optional<std::chrono::milliseconds> retry_after(const Headers& headers,
                                                            std::chrono::system_clock::time_point now) {
  for (const auto name : detail::millisecond_fields) {
    const auto parse = [](std::string_view value) { return parse_milliseconds(detail::trimmed(value)); };
    if (const auto wait = detail::longest_of(headers, name, parse)) return wait;
  }
  const CalendarTime from = server_time(headers, now);
  return detail::longest_of(headers, "Retry-After",
                            [from](std::string_view value) { return parse_retry_after(value, from); });
}

}  // namespace tokenpool
