#pragma once
// Text to number for text that strangers wrote. Every function is total: it reads the whole text or says
// nullopt, asks no locale, never throws and never wraps around.

#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace tokenpool {

/// True for '0' to '9'.
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Reads a whole decimal number: digits only, with a leading '-' if T is signed. No blanks, no '+'.
/// nullopt for anything else and for what T cannot hold.
template <std::integral T>
std::optional<T> parse_whole(std::string_view text) noexcept {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) {
    return std::nullopt;
  }
  return value;
}

/// The product of two non-negative numbers; nullopt where int64 cannot hold it.
constexpr std::optional<std::int64_t> checked_multiply(std::int64_t a, std::int64_t b) noexcept {
  if (b != 0 && a > (std::numeric_limits<std::int64_t>::max)() / b) {
    return std::nullopt;
  }
  return a * b;
}

/// The sum of two non-negative numbers; nullopt where int64 cannot hold it.
constexpr std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) noexcept {
  if (a > (std::numeric_limits<std::int64_t>::max)() - b) {
    return std::nullopt;
  }
  return a + b;
}

namespace detail {

/// The digits behind a decimal point times `scale`, rounded up; digits after the ninth count
/// only as "a little more".
constexpr std::optional<std::int64_t> scaled_fraction(std::string_view digits, std::int64_t scale) noexcept {
  std::int64_t numerator = 0;
  std::int64_t denominator = 1;
  bool more = false;
  for (const char c : digits) {
    if (!is_digit(c)) {
      return std::nullopt;
    }
    if (denominator < 1'000'000'000) {
      numerator = numerator * 10 + (c - '0');
      denominator *= 10;
    } else {
      more = more || c != '0';
    }
  }
  numerator += more ? 1 : 0;
  return (numerator * scale + denominator - 1) / denominator;
}

}  // namespace detail

/// Reads a non-negative decimal such as `3` or `0.25` and returns it times `scale` (1000 turns seconds into
/// milliseconds), rounded up where that is not whole: a wait must not come out shorter than it was written.
/// Needs a digit before the point and one after it; nullopt for a sign, an exponent, a blank, or overflow.
/// `scale` lies between 1 and 1,000,000,000.
constexpr std::optional<std::int64_t> parse_scaled_decimal(std::string_view text,
                                                           std::int64_t scale) noexcept {
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto fraction = point == std::string_view::npos ? std::string_view{"0"} : text.substr(point + 1);
  const auto part = detail::scaled_fraction(fraction, scale);
  if (whole.empty() || fraction.empty() || !part) {
    return std::nullopt;
  }
  std::optional<std::int64_t> value{0};
  for (const char c : whole) {
    value = is_digit(c) ? checked_multiply(*value, 10) : std::nullopt;
    value = value ? checked_add(*value, c - '0') : std::nullopt;
    if (!value) {
      return std::nullopt;
    }
  }
  value = checked_multiply(*value, scale);
  return value ? checked_add(*value, *part) : std::nullopt;
}

}  // namespace tokenpool
