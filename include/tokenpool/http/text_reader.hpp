#pragma once
// A cursor over text that strangers wrote. The parsers of dates, durations and structured fields share it, so
// that each of them reads like the grammar it implements and none does index arithmetic of its own.

#include <cstddef>
#include <optional>
#include <string_view>

#include "tokenpool/base/numbers.hpp"

namespace tokenpool::detail {

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr bool is_letter(char c) noexcept { return is_lower(c) || is_upper(c); }

/// The text without blanks at either end (optional white space of RFC 9110 5.6.3).
constexpr std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Reads from the front of a text. A failed `take` leaves the position where it was.
class TextReader {
 public:
  constexpr explicit TextReader(std::string_view text) noexcept : rest_(text) {}

  constexpr bool at_end() const noexcept { return rest_.empty(); }
  constexpr std::string_view rest() const noexcept { return rest_; }
  /// The next character, or NUL at the end.
  constexpr char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }

  constexpr bool take(char c) noexcept {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  constexpr bool take(std::string_view word) noexcept {
    if (rest_.substr(0, word.size()) != word) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  /// Takes the longest run of characters that satisfy the predicate; it may be empty.
  template <class Predicate>
  constexpr std::string_view take_while(Predicate is_wanted) noexcept {
    std::size_t length = 0;
    while (length < rest_.size() && is_wanted(rest_[length])) ++length;
    return advance(length);
  }

  /// Takes exactly `count` digits (nine at most) as a number.
  constexpr std::optional<int> take_digits(std::size_t count) noexcept {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (!is_digit(c)) return std::nullopt;
      value = value * 10 + (c - '0');
    }
    advance(count);
    return value;
  }

  /// Takes `count` characters, or as many as there are.
  constexpr std::string_view advance(std::size_t count) noexcept {
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

}  // namespace tokenpool::detail
