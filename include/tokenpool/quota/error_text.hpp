#pragma once
// The words of an error body, for the last resort: providers that put the time to wait, or what happened,
// into prose only. Nothing of this text may ever reach a log, since servers echo tokens in it.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tokenpool/base/numbers.hpp"
#include "tokenpool/http/answer.hpp"
#include "tokenpool/http/date.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/json_scan.hpp"
#include "tokenpool/http/text_reader.hpp"
#include "tokenpool/quota/reset_time.hpp"

namespace tokenpool {

namespace detail {

inline constexpr std::size_t error_text_bytes = 4096;

/// Where error bodies keep their prose; the last is OpenRouter's copy of what its upstream said.
inline constexpr auto prose_paths = std::to_array<std::string_view>(
    {"error.message", "message", "error", "detail", "error_description", "msg", "errors.message",
     "detail.message", "title", "error.metadata.raw"});

}  // namespace detail

/// The prose of an error body in lower case, 4 KiB of it at most: what stands in the usual places of a JSON
/// body, or the beginning of a body that is no JSON.
inline std::string error_text(std::string_view body) {
  std::string text;
  bool is_json = false;
  scan_json(body, [&](const JsonScalar& scalar) {
    is_json = true;
    const auto& paths = detail::prose_paths;
    if (scalar.kind == JsonKind::string &&
        std::find(paths.begin(), paths.end(), scalar.path) != paths.end()) {
      text += scalar.text.substr(0, detail::error_text_bytes);
      text += '\n';
    }
    return text.size() < detail::error_text_bytes;
  });
  if (!is_json) text = body.substr(0, detail::error_text_bytes);
  std::transform(text.begin(), text.end(), text.begin(), detail::ascii_lower);
  return text;
}

namespace detail {

struct SpelledUnit {
  std::string_view word;
  std::int64_t milliseconds;
};

inline constexpr auto spelled_units = std::to_array<SpelledUnit>({
    {"ms", 1},           {"millisecond", 1},   {"milliseconds", 1}, {"s", 1'000},        {"sec", 1'000},
    {"secs", 1'000},     {"second", 1'000},    {"seconds", 1'000},  {"m", 60'000},       {"min", 60'000},
    {"mins", 60'000},    {"minute", 60'000},   {"minutes", 60'000}, {"h", 3'600'000},    {"hr", 3'600'000},
    {"hour", 3'600'000}, {"hours", 3'600'000}, {"d", 86'400'000},   {"day", 86'400'000}, {"days", 86'400'000},
});

inline std::optional<std::int64_t> take_spelled_part(TextReader& text) noexcept {
  const auto number = text.take_while([](char c) { return is_digit(c) || c == '.'; });
  text.take_while(is_blank);
  const auto word = text.take_while(is_lower);
  for (const SpelledUnit& unit : spelled_units) {
    if (unit.word == word) return parse_scaled_decimal(number, unit.milliseconds);
  }
  return std::nullopt;
}

/// `20s`, `1m47.5854s`, `86400 seconds`, `2 minutes and 5 seconds`
inline std::optional<std::chrono::milliseconds> spelled_duration(TextReader text) noexcept {
  std::optional<std::int64_t> total;
  for (;;) {
    text.take_while(is_blank);
    text.take("and ");
    const auto part = is_digit(text.peek()) ? take_spelled_part(text) : std::nullopt;
    if (!part) break;
    total = checked_add(total.value_or(0), *part);
    if (!total) break;
  }
  return total ? std::optional{std::chrono::milliseconds{*total}} : std::nullopt;
}

/// `02:34:56` or `3.00:00:00`
inline std::optional<std::chrono::milliseconds> clock_duration(TextReader text) noexcept {
  const auto read_number = [&text] { return parse_whole<std::int32_t>(text.take_while(is_digit)); };
  auto hours = read_number();
  std::chrono::hours days{0};
  if (hours && text.take('.')) {
    days = std::chrono::hours{24} * *hours;
    hours = read_number();
  }
  if (!hours || !text.take(':')) return std::nullopt;
  const auto minutes = text.take_digits(2);
  if (!minutes || !text.take(':')) return std::nullopt;
  const auto seconds = text.take_digits(2);
  if (!seconds) return std::nullopt;
  return days + std::chrono::hours{*hours} + std::chrono::minutes{*minutes} + std::chrono::seconds{*seconds};
}

/// `2025-07-01 at 00:00 utc`
inline std::optional<CalendarTime> spelled_date(TextReader text) noexcept {
  DateParts parts;
  if (!take_calendar_date(text, parts) || !text.take(" at ")) return std::nullopt;
  const auto hour = text.take_digits(2);
  if (!hour || !text.take(':')) return std::nullopt;
  const auto minute = text.take_digits(2);
  if (!minute || !text.take(" utc")) return std::nullopt;
  parts.hour = *hour;
  parts.minute = *minute;
  return to_instant(parts);
}

/// After these words servers name the time: OpenAI, Groq, Gemini; Moonshot; Azure, Azure API
/// Management; Anthropic.
inline constexpr auto time_phrases =
    std::to_array<std::string_view>({"again in ", "again after ", "retry in ", "retry after ", "reset after ",
                                     "replenished in ", "regain access on "});

}  // namespace detail

/// The time to wait that a text in lower case names, as in "please try again in 6m0s", "retry after
/// 86400 seconds" or "regain access on 2025-07-01 at 00:00 utc"; nullopt if it names none. `from`
/// is the server's clock.
inline std::optional<std::chrono::milliseconds> time_named_in(std::string_view text,
                                                              CalendarTime from) noexcept {
  for (const auto phrase : detail::time_phrases) {
    for (auto at = text.find(phrase); at != std::string_view::npos; at = text.find(phrase, at + 1)) {
      const detail::TextReader behind{text.substr(at + phrase.size())};
      if (const auto duration = detail::spelled_duration(behind)) return duration;
      if (const auto duration = detail::clock_duration(behind)) return duration;
      if (const auto instant = detail::spelled_date(behind)) return time_until(*instant, from);
    }
  }
  return std::nullopt;
}

}  // namespace tokenpool
