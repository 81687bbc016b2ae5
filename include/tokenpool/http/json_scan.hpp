#pragma once
// A bounded reader of error bodies. To know what an error means one needs a handful of scalars out of a small
// object, from a body that may be cut, huge or no JSON at all; a JSON library would bring exceptions, a tree
// and a dependency.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "tokenpool/http/text_reader.hpp"

namespace tokenpool {

/// How much of a body is read at most.
inline constexpr std::size_t json_scan_bytes = std::size_t{64} * 1024;
/// How many objects and arrays may lie inside each other.
inline constexpr std::size_t json_scan_depth = 16;

/// What a scalar is.
enum class JsonKind {
  string,   ///< Text with its escapes decoded, as UTF-8.
  number,   ///< The digits as they were written.
  boolean,  ///< `true` or `false`.
  null,     ///< `null`.
};

/// One scalar of a document. The views live until the visitor returns.
struct JsonScalar {
  /// The keys that lead here, joined by dots; array elements add nothing, so `{"a":[{"b":1}]}` has `a.b`.
  std::string_view path{};
  JsonKind kind{JsonKind::null};  ///< what `text` is
  std::string_view text{};        ///< a text unescaped, a number as written, `true`, `false` or `null`
};

namespace detail {

inline void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3F));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

constexpr std::optional<std::uint32_t> hex_digit(char c) noexcept {
  if (is_digit(c)) return static_cast<std::uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint32_t>(c - 'A' + 10);
  return std::nullopt;
}

inline std::optional<std::uint32_t> take_hex4(TextReader& text) noexcept {
  if (text.rest().size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.rest().substr(0, 4)) {
    const auto digit = hex_digit(c);
    if (!digit) return std::nullopt;
    value = value * 16 + *digit;
  }
  text.advance(4);
  return value;
}

/// What stands after `\u`, a surrogate pair included; half a pair becomes U+FFFD.
inline bool take_unicode_escape(TextReader& text, std::string& out) {
  constexpr std::uint32_t replacement = 0xFFFD;
  const auto first = take_hex4(text);
  if (!first) return false;
  const bool is_high = *first >= 0xD800 && *first <= 0xDBFF;
  const bool is_low = *first >= 0xDC00 && *first <= 0xDFFF;
  if (!is_high) {
    append_utf8(out, is_low ? replacement : *first);
    return true;
  }
  TextReader ahead = text;
  const auto second = ahead.take("\\u") ? take_hex4(ahead) : std::nullopt;
  if (second && *second >= 0xDC00 && *second <= 0xDFFF) {
    text = ahead;
    append_utf8(out, 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00));
  } else {
    append_utf8(out, replacement);
  }
  return true;
}

inline bool take_escape(TextReader& text, std::string& out) {
  constexpr std::string_view names = "\"\\/bfnrt";
  constexpr std::string_view values = "\"\\/\b\f\n\r\t";
  if (text.take('u')) return take_unicode_escape(text, out);
  const auto which = names.find(text.peek());
  if (text.at_end() || which == std::string_view::npos) return false;
  text.advance(1);
  out.push_back(values[which]);
  return true;
}

/// Recursive descent over one document; `json_scan_depth` bounds the recursion.
template <class Visit>
class JsonScanner {
 public:
  JsonScanner(std::string_view text, Visit& visit)
      : text_(text.substr(0, json_scan_bytes)), is_whole_(text.size() <= json_scan_bytes), visit_(visit) {}

  bool run() {
    text_.take("\xEF\xBB\xBF");
    const bool read = value(0);
    skip_space();
    return read && is_whole_ && text_.at_end();
  }

 private:
  void skip_space() noexcept {
    text_.take_while([](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
  }

  bool tell(JsonKind kind, std::string_view content) {
    const JsonScalar scalar{path_, kind, content};
    if constexpr (std::is_void_v<std::invoke_result_t<Visit&, const JsonScalar&>>) {
      visit_(scalar);
      return true;
    } else {
      return static_cast<bool>(visit_(scalar));
    }
  }

  bool value(std::size_t depth) {
    skip_space();
    if (text_.take('{')) return depth < json_scan_depth && object(depth);
    if (text_.take('[')) return depth < json_scan_depth && array(depth);
    if (text_.take('"')) return string_content() && tell(JsonKind::string, content_);
    if (text_.take("true")) return tell(JsonKind::boolean, "true");
    if (text_.take("false")) return tell(JsonKind::boolean, "false");
    if (text_.take("null")) return tell(JsonKind::null, "null");
    return number(depth);
  }

  bool object(std::size_t depth) {
    skip_space();
    if (text_.take('}')) return true;
    for (;;) {
      skip_space();
      if (!text_.take('"') || !string_content()) return false;
      const std::size_t outer = path_.size();
      if (outer != 0) path_.push_back('.');
      path_ += content_;
      skip_space();
      if (!text_.take(':') || !value(depth + 1)) return false;
      path_.resize(outer);
      skip_space();
      if (text_.take('}')) return true;
      if (!text_.take(',')) return false;
    }
  }

  bool array(std::size_t depth) {
    skip_space();
    if (text_.take(']')) return true;
    for (;;) {
      if (!value(depth + 1)) return false;
      skip_space();
      if (text_.take(']')) return true;
      if (!text_.take(',')) return false;
    }
  }

  bool string_content() {
    content_.clear();
    for (;;) {
      content_ += text_.take_while(
          [](char c) { return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20; });
      if (text_.take('"')) return true;
      if (!text_.take('\\') || !take_escape(text_, content_)) return false;
    }
  }

  bool number(std::size_t depth) {
    const std::string_view start = text_.rest();
    text_.take('-');
    if (!text_.take('0') && text_.take_while(is_digit).empty()) return false;
    if (text_.take('.') && text_.take_while(is_digit).empty()) return false;
    if (text_.take('e') || text_.take('E')) {
      if (!text_.take('+')) text_.take('-');
      if (text_.take_while(is_digit).empty()) return false;
    }
    // Where the text ends behind a digit, more digits may have been cut off.
    if (text_.at_end() && (depth > 0 || !is_whole_)) return false;
    return tell(JsonKind::number, start.substr(0, start.size() - text_.rest().size()));
  }

  TextReader text_;
  bool is_whole_;
  Visit& visit_;
  std::string path_;
  std::string content_;
};

}  // namespace detail

/// Shows every scalar of a JSON document to `visit(const JsonScalar&)`, in order, until the visitor returns
/// false (it may return nothing), the text ends or breaks, or a bound is met: what was read up to there has
/// been shown, nothing half-read ever is. A byte order mark in front is let pass. Returns whether the text
/// was one whole document within the bounds and the visitor saw all of it. Bytes are taken as they come,
/// valid UTF-8 or not. Throws nothing of its own.
template <class Visit>
bool scan_json(std::string_view text, Visit&& visit) {
  return detail::JsonScanner<std::remove_reference_t<Visit>>(text, visit).run();
}

/// The text of the first scalar at this path that is not null, as in `find_json(body, "error.code")`.
inline std::optional<std::string> find_json(std::string_view text, std::string_view path) {
  std::optional<std::string> found;
  scan_json(text, [&](const JsonScalar& scalar) {
    if (scalar.path == path && scalar.kind != JsonKind::null) found.emplace(scalar.text);
    return !found;
  });
  return found;
}

}  // namespace tokenpool
