#pragma once

// Text of the command line to values, and the one sentence for text that is none. Each function throws
// std::invalid_argument saying what the text should have been.

#include <charconv>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace quota_server {

inline std::int64_t parse_whole(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
    throw std::invalid_argument("'" + std::string(text) + "' is not a whole number from " +
                                std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

struct DurationUnit {
  std::string_view name;
  std::int64_t milliseconds;
};

/// Longest first.
inline constexpr DurationUnit duration_units[] = {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};

/// A whole number with a unit: 24h, 15m, 90s, 500ms; at most 1000 days.
inline std::chrono::milliseconds parse_duration(std::string_view text, std::chrono::milliseconds least) {
  constexpr std::int64_t most = std::int64_t{1000} * 24 * 3'600'000;
  std::int64_t value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const DurationUnit& unit : duration_units) {
    if (error != std::errc{} || name != unit.name || value > most / unit.milliseconds) continue;
    const std::chrono::milliseconds duration{value * unit.milliseconds};
    if (value >= 0 && duration >= least) return duration;
  }
  throw std::invalid_argument("'" + std::string(text) + "' is not a duration such as 24h, 15m, 90s or 500ms" +
                              (least.count() > 0 ? " above zero" : ""));
}

/// The reverse of parse_duration, in the longest unit that is exact.
inline std::string to_text(std::chrono::milliseconds duration) {
  for (const DurationUnit& unit : duration_units) {
    if (duration.count() % unit.milliseconds == 0) {
      return std::to_string(duration.count() / unit.milliseconds) + std::string(unit.name);
    }
  }
  return {};
}

/// A share from 0 to 1.
inline double parse_share(const std::string& text) {
  std::size_t read = 0;
  double value = -1;
  try {
    value = std::stod(text, &read);
  } catch (const std::exception&) {
    read = 0;
  }
  if (read == 0 || read != text.size() || !(value >= 0 && value <= 1)) {
    throw std::invalid_argument("'" + text + "' is not a share from 0 to 1, such as 0.05");
  }
  return value;
}

template <class Choice>
Choice parse_choice(std::string_view text,
                    std::initializer_list<std::pair<std::string_view, Choice>> choices) {
  std::string known;
  for (const auto& [name, choice] : choices) {
    if (text == name) return choice;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  throw std::invalid_argument("'" + std::string(text) + "' is not one of " + known);
}

}  // namespace quota_server
