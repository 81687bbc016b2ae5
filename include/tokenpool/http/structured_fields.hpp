#pragma once
// Structured field values (RFC 9651), as far as fields about limits use them. The format's point is that a
// malformed field is ignored as a whole, which no ad-hoc splitting at commas gets right.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/base/numbers.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/text_reader.hpp"

namespace tokenpool::detail {

/// The types of a bare item.
enum class SfType {
  integer,         ///< `number` holds it.
  decimal,         ///< `number` holds it in thousandths: that is all the digits there can be.
  string,          ///< `text`, unescaped.
  token,           ///< `text`.
  byte_sequence,   ///< `text`, the base64 as it was written.
  boolean,         ///< `number` is 0 or 1.
  date,            ///< `number`, in seconds since 1970.
  display_string,  ///< `text`, the percent-encoding as it was written.
  inner_list,      ///< A list in parentheses; its members are checked and dropped.
};

/// A value without parameters.
struct SfBareItem {
  SfType type{SfType::boolean};  ///< which of the members below it has
  std::int64_t number{};  ///< of an integer, a decimal in thousandths, a date in seconds, a boolean as 0 or 1
  std::string text{};     ///< of a string, token, byte sequence or display string

  /// The number, if this is an integer that is not negative.
  std::optional<std::int64_t> as_count() const noexcept {
    return type == SfType::integer && number >= 0 ? std::optional{number} : std::nullopt;
  }
};

/// An item, or a dictionary's member under its name, with its parameters (the last one of a name counts).
struct SfMember {
  std::string name{};  ///< The key in a dictionary, empty in a list.
  SfBareItem item{};   ///< its value
  std::vector<std::pair<std::string, SfBareItem>> parameters{};  ///< in order

  /// The parameter of that name; null without one.
  const SfBareItem* parameter(std::string_view key) const noexcept {
    for (const auto& [name_of, value] : parameters) {
      if (name_of == key) return &value;
    }
    return nullptr;
  }
};

/// The grammar of RFC 9651 section 4.2; each `take` returns false where the whole field fails.
class SfReader {
 public:
  explicit SfReader(std::string_view text) noexcept : text_(text) {}

  /// Members separated by commas, up to the end of the text; `take_one` reads one member.
  template <class TakeOne>
  std::optional<std::vector<SfMember>> members(TakeOne take_one) {
    std::vector<SfMember> found;
    text_.take_while(is_space);
    while (!text_.at_end()) {
      SfMember member;
      if (!take_one(*this, member)) return std::nullopt;
      std::erase_if(found,
                    [&](const SfMember& old) { return !member.name.empty() && old.name == member.name; });
      found.push_back(std::move(member));
      text_.take_while(is_blank);
      if (text_.at_end()) return found;
      if (!text_.take(',')) return std::nullopt;
      text_.take_while(is_blank);
      if (text_.at_end()) return std::nullopt;
    }
    return found;
  }

  bool take_list_member(SfMember& member) {
    return take_item(member.item) && take_parameters(member.parameters);
  }

  bool take_dictionary_member(SfMember& member) {
    if (!take_key(member.name)) return false;
    if (text_.take('=')) return take_list_member(member);
    member.item = SfBareItem{SfType::boolean, 1, {}};
    return take_parameters(member.parameters);
  }

 private:
  static constexpr bool is_space(char c) noexcept { return c == ' '; }

  bool take_item(SfBareItem& item) {
    return text_.peek() == '(' ? take_inner_list(item) : take_bare_item(item);
  }

  bool take_inner_list(SfBareItem& item) {
    item.type = SfType::inner_list;
    text_.advance(1);
    for (;;) {
      text_.take_while(is_space);
      if (text_.take(')')) return true;
      SfMember inner;
      if (!take_bare_item(inner.item) || !take_parameters(inner.parameters)) return false;
      if (text_.peek() != ' ' && text_.peek() != ')') return false;
    }
  }

  bool take_parameters(std::vector<std::pair<std::string, SfBareItem>>& parameters) {
    while (text_.take(';')) {
      text_.take_while(is_space);
      std::pair<std::string, SfBareItem> parameter{{}, {SfType::boolean, 1, {}}};
      if (!take_key(parameter.first)) return false;
      if (text_.take('=') && !take_bare_item(parameter.second)) return false;
      std::erase_if(parameters, [&](const auto& old) { return old.first == parameter.first; });
      parameters.push_back(std::move(parameter));
    }
    return true;
  }

  bool take_key(std::string& key) {
    if (!is_lower(text_.peek()) && text_.peek() != '*') return false;
    key = text_.take_while(
        [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*'; });
    return true;
  }

  bool take_bare_item(SfBareItem& item) {
    const char first = text_.peek();
    if (is_digit(first) || first == '-') return take_number(item);
    if (is_letter(first) || first == '*') return take_token(item);
    if (text_.take('"')) return take_string(item);
    if (text_.take('?')) return take_boolean(item);
    if (text_.take(':')) return take_bytes(item);
    if (text_.take('@'))
      return take_number(item) && std::exchange(item.type, SfType::date) == SfType::integer;
    if (text_.take("%\"")) return take_display_string(item);
    return false;
  }

  bool take_number(SfBareItem& item) {
    const bool is_negative = text_.take('-');
    const auto whole = text_.take_while(is_digit);
    const bool has_point = text_.take('.');
    const auto fraction = has_point ? text_.take_while(is_digit) : std::string_view{};
    if (whole.empty() || whole.size() > (has_point ? 12u : 15u)) return false;
    if (has_point && (fraction.empty() || fraction.size() > 3)) return false;
    item.type = has_point ? SfType::decimal : SfType::integer;
    item.number = *parse_whole<std::int64_t>(whole);
    if (has_point) item.number = item.number * 1000 + *scaled_fraction(fraction, 1000);
    if (is_negative) item.number = -item.number;
    return true;
  }

  bool take_token(SfBareItem& item) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~:/";
    item.type = SfType::token;
    item.text = text_.take_while(
        [&](char c) { return is_letter(c) || is_digit(c) || others.find(c) != std::string_view::npos; });
    return true;
  }

  bool take_string(SfBareItem& item) {
    item.type = SfType::string;
    item.text.clear();
    for (;;) {
      item.text += text_.take_while([](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; });
      if (text_.take('"')) return true;
      if (!text_.take('\\') || (text_.peek() != '"' && text_.peek() != '\\')) return false;
      item.text += text_.advance(1);
    }
  }

  bool take_boolean(SfBareItem& item) {
    item = SfBareItem{SfType::boolean, text_.peek() == '1' ? 1 : 0, {}};
    return text_.take('0') || text_.take('1');
  }

  bool take_bytes(SfBareItem& item) {
    item.type = SfType::byte_sequence;
    item.text = text_.take_while(
        [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '/' || c == '='; });
    return text_.take(':');
  }

  bool take_display_string(SfBareItem& item) {
    item.type = SfType::display_string;
    item.text = text_.take_while([](char c) { return c >= 0x20 && c < 0x7F && c != '"'; });
    return text_.take('"');
  }

  TextReader text_;
};

/// Several lines of one field are one value (RFC 9651 section 4.2).
inline std::string joined_lines(const std::vector<std::string_view>& lines) {
  std::string joined;
  for (const auto line : lines) {
    if (!joined.empty()) joined += ", ";
    joined += line;
  }
  while (!joined.empty() && joined.back() == ' ') joined.pop_back();
  return joined;
}

/// Reads a field as a list (RFC 9651 section 3.1), all its lines together; nullopt if any part of it is
/// malformed. A field that is absent or empty is an empty list.
inline std::optional<std::vector<SfMember>> parse_sf_list(const std::vector<std::string_view>& lines) {
  const std::string text = joined_lines(lines);
  return SfReader{text}.members(
      [](SfReader& reader, SfMember& member) { return reader.take_list_member(member); });
}

/// Reads a field as a dictionary (RFC 9651 section 3.2), as `parse_sf_list` does; of equal keys
/// the last one counts.
inline std::optional<std::vector<SfMember>> parse_sf_dictionary(const std::vector<std::string_view>& lines) {
  const std::string text = joined_lines(lines);
  return SfReader{text}.members(
      [](SfReader& reader, SfMember& member) { return reader.take_dictionary_member(member); });
}

}  // namespace tokenpool::detail
