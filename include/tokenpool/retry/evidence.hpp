#pragma once
// What an answer shows of its meaning: the machine-readable words of its body, its prose, and the status it
// stands for. Gathering is apart from judging, so that the table of dialects is asked about plain values.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenpool/base/numbers.hpp"
#include "tokenpool/http/answer.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/json_scan.hpp"
#include "tokenpool/http/text_reader.hpp"
#include "tokenpool/quota/error_text.hpp"
#include "tokenpool/quota/verdict.hpp"
#include "tokenpool/retry/dialect.hpp"

namespace tokenpool {

namespace detail {

/// A word found at one of the table's places.
struct FoundWord {
  std::string path{};
  std::string text{};
};

struct Evidence {
  int status{};  ///< The answer's, or the one that an error inside a 2xx answer stands for.
  std::vector<FoundWord> codes{};
  std::vector<FoundWord> types{};
  std::string prose{};  ///< In lower case.
  LimitScope scope{LimitScope::unknown};
  bool is_error_in_success{};
};

/// Whose limit it is in the words of Discord (`X-RateLimit-Scope`) and of others.
constexpr LimitScope scope_of(std::string_view word) noexcept {
  const auto is = [word](auto... names) { return (equal_ignoring_case(word, names) || ...); };
  if (is("user", "global", "token", "key", "api_key")) return LimitScope::token;
  if (is("account", "organization", "org", "project", "team")) return LimitScope::account;
  if (is("shared", "bucket", "resource", "route", "endpoint", "model")) return LimitScope::bucket;
  if (is("ip", "address", "egress")) return LimitScope::egress;
  if (is("service")) return LimitScope::service;
  return LimitScope::unknown;
}

inline LimitScope scope_in(const Headers& headers) {
  const auto word = headers.get("X-RateLimit-Scope");
  const LimitScope scope = word ? scope_of(trimmed(*word)) : LimitScope::unknown;
  if (scope != LimitScope::unknown) return scope;
  return headers.get("X-RateLimit-Global") == "true" ? LimitScope::token : LimitScope::unknown;
}

/// Collects the words of one body.
class EvidenceReader {
 public:
  EvidenceReader(Evidence& evidence, const DialectTable& table) : evidence_(evidence), table_(table) {}

  void operator()(const JsonScalar& scalar) {
    if (scalar.kind == JsonKind::null) return;
    if (is_within(scalar.path, "error") || is_within(scalar.path, "errors")) has_error_ = true;
    if (scalar.path == "error.code") note_status(scalar.text);
    if (scalar.path == "scope" || scalar.path == "error.scope") note_scope(scope_of(scalar.text));
    if (scalar.path == "global" && scalar.text == "true") note_scope(LimitScope::token);
    if (has(table_.code_paths, scalar.path)) keep(evidence_.codes, scalar);
    if (has(table_.type_paths, scalar.path)) keep(evidence_.types, scalar);
  }

  bool has_error() const noexcept { return has_error_; }
  /// A status that the body gives as its error's code.
  std::optional<int> status() const noexcept { return status_; }

 private:
  static bool has(const std::vector<std::string_view>& paths, std::string_view path) {
    return std::find(paths.begin(), paths.end(), path) != paths.end();
  }

  static bool is_within(std::string_view path, std::string_view key) noexcept {
    return path.starts_with(key) && (path.size() == key.size() || path[key.size()] == '.');
  }

  static void keep(std::vector<FoundWord>& words, const JsonScalar& scalar) {
    constexpr std::size_t most_words = 16;
    constexpr std::size_t longest_word = 128;
    if (words.size() < most_words && !scalar.text.empty() && scalar.text.size() <= longest_word) {
      words.push_back(FoundWord{std::string(scalar.path), std::string(scalar.text)});
    }
  }

  void note_scope(LimitScope scope) noexcept {
    if (evidence_.scope == LimitScope::unknown) evidence_.scope = scope;
  }

  void note_status(std::string_view text) noexcept {
    const auto status = parse_whole<int>(text);
    if (status && *status >= 400 && *status <= 599) status_ = status;
  }

  Evidence& evidence_;
  const DialectTable& table_;
  std::optional<int> status_{};
  bool has_error_ = false;
};

/// Whether a successful answer is worth a look: an error's body names the error first, a result does not.
/// Reading every result for errors would cost more than all the rest of a request.
inline bool begins_like_an_error(std::string_view body) noexcept {
  TextReader text{body.substr(0, 256)};
  const auto take = [&text](std::string_view sign) {
    text.take_while([](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    return text.take(sign);
  };
  if (!take("{") || !take("\"")) return false;
  const auto key = text.take_while([](char c) { return c != '"'; });
  if (key == "type") return take("\"") && take(":") && take("\"error\"");
  return key == "error" || key == "errors" || key == "code" || key == "message" || key == "detail";
}

/// Reads an answer, 64 KiB of its body at most.
inline Evidence gather(const Answer& answer, const DialectTable& table) {
  Evidence evidence;
  evidence.status = answer.status;
  evidence.scope = scope_in(answer.headers);
  for (const std::string_view name : table.code_headers) {
    if (const auto value = answer.headers.get(name)) {
      evidence.codes.push_back(FoundWord{std::string(name), std::string(value->substr(0, 128))});
    }
  }
  EvidenceReader reader{evidence, table};
  scan_json(answer.body, reader);
  evidence.prose = error_text(answer.body);
  if (answer.status >= 200 && answer.status < 300) {
    evidence.is_error_in_success = reader.has_error();
    evidence.status = reader.status().value_or(200);
  }
  return evidence;
}

/// Equal but for case; a `*` at either end of the pattern stands for any text.
inline bool matches(std::string_view text, std::string_view pattern) {
  const bool any_front = pattern.starts_with('*');
  if (any_front) pattern.remove_prefix(1);
  const bool any_back = pattern.ends_with('*');
  if (any_back) pattern.remove_suffix(1);
  if (text.size() < pattern.size()) return false;
  if (any_front && any_back) {
    const auto same = [](char a, char b) { return ascii_lower(a) == ascii_lower(b); };
    return std::search(text.begin(), text.end(), pattern.begin(), pattern.end(), same) != text.end();
  }
  if (any_front) return equal_ignoring_case(text.substr(text.size() - pattern.size()), pattern);
  if (any_back) return equal_ignoring_case(text.substr(0, pattern.size()), pattern);
  return equal_ignoring_case(text, pattern);
}

}  // namespace detail

}  // namespace tokenpool
