#pragma once
// What an answer means. The same status is used for "slow down", "pay", "never" and "not from here", so the
// answer is judged by all it shows: a machine-readable code first, then a type, then the status, prose last.
// A pure function of the answer and the time, so that a log can be replayed through it.

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenpool/http/answer.hpp"
#include "tokenpool/quota/hint.hpp"
#include "tokenpool/quota/verdict.hpp"
#include "tokenpool/retry/default_dialects.hpp"
#include "tokenpool/retry/dialect.hpp"
#include "tokenpool/retry/evidence.hpp"
#include "tokenpool/retry/meanings.hpp"
#include "tokenpool/retry/period.hpp"

namespace tokenpool {

/// A user's own judgement of answers; nullopt = no opinion.
using Classifier =
    std::function<std::optional<Classification>(const Answer&, std::chrono::system_clock::time_point)>;

namespace detail {

/// How strong a sign is; rows of one strength are tried before those of the next.
enum class Strength { code, type, status, text };

constexpr bool asks_for(const DialectRow& row, Strength strength) noexcept {
  switch (strength) {
    case Strength::code:
    case Strength::type: return !row.word.empty();
    case Strength::status: return row.word.empty() && row.text.empty();
    case Strength::text: return row.word.empty() && !row.text.empty();
  }
  return false;
}

inline bool shows_word(const std::vector<FoundWord>& words, const DialectRow& row) {
  return std::any_of(words.begin(), words.end(), [&row](const FoundWord& word) {
    return (row.path.empty() || row.path == word.path) && matches(word.text, row.word);
  });
}

/// A row without statuses is about refusals: inside a success it counts only if that holds an error.
inline bool shows_status(const Evidence& evidence, const DialectRow& row) noexcept {
  if (row.statuses.front() == 0) return evidence.status >= 400 || evidence.is_error_in_success;
  return std::find(row.statuses.begin(), row.statuses.end(), evidence.status) != row.statuses.end();
}

inline bool shows_header(const Headers& headers, const DialectRow& row) {
  if (row.header.empty()) return true;
  const auto value = headers.get(row.header);
  return value && (row.header_value.empty() || matches(trimmed(*value), row.header_value));
}

inline bool applies(const DialectRow& row, Strength strength, const Evidence& evidence,
                    const Headers& headers) {
  if (!asks_for(row, strength) || !shows_status(evidence, row) || !shows_header(headers, row)) return false;
  if (strength == Strength::code && !shows_word(evidence.codes, row)) return false;
  if (strength == Strength::type && !shows_word(evidence.types, row)) return false;
  return row.text.empty() || evidence.prose.find(row.text) != std::string::npos;
}

inline const DialectRow* find_row(const DialectTable& table, const Evidence& evidence,
                                  const Headers& headers) {
  for (const Strength strength : {Strength::code, Strength::type, Strength::status, Strength::text}) {
    for (const Dialect& dialect : table.dialects) {
      for (const DialectRow& row : dialect.rows) {
        if (applies(row, strength, evidence, headers)) return &row;
      }
    }
  }
  return nullptr;
}

/// A code that is fit for a log although the server wrote it: letters, dots and underscores, or a
/// short number. Tokens have digits among letters or hyphens, so one that a server echoes as its
/// "code" does not pass.
inline bool is_harmless(std::string_view code) noexcept {
  constexpr std::size_t longest_word = 64;
  constexpr std::size_t longest_number = 6;
  const auto is_word = [](char c) { return is_letter(c) || c == '_' || c == '.'; };
  if (code.starts_with('-')) code.remove_prefix(1);
  if (code.empty() || code.size() > longest_word) return false;
  if (std::all_of(code.begin(), code.end(), is_digit)) return code.size() <= longest_number;
  return std::all_of(code.begin(), code.end(), is_word);
}

/// `too fast (HTTP 429, rate_limit_exceeded)`: our own words, the status, and the code where it says more
/// than that and is fit for a log.
inline std::string reason_for(const Consequence& consequence, const Answer& answer,
                              const Evidence& evidence) {
  const std::string status = std::to_string(answer.status);
  const auto is_fit = [&](const FoundWord& word) { return is_harmless(word.text) && word.text != status; };
  std::string reason{consequence.words};
  reason += " (HTTP " + status;
  for (const auto* words : {&evidence.codes, &evidence.types}) {
    const auto shown = std::find_if(words->begin(), words->end(), is_fit);
    if (shown != words->end()) {
      reason += ", " + shown->text;
      break;
    }
  }
  return reason += ')';
}

/// How long the server wants us to wait; an error inside a success is asked as the refusal it stands for.
inline std::optional<std::chrono::milliseconds> hint_of(const Answer& answer, const Evidence& evidence,
                                                        std::chrono::system_clock::time_point now) {
  if (answer.status >= 400) return retry_hint(answer, now);
  const int status = evidence.status >= 400 ? evidence.status : 0;
  return retry_hint(Answer{status, answer.headers, answer.body}, now);
}

/// The server's word, else what the row knows. Google's own word is about the minute even when the day is
/// spent, so there the later of the two counts.
inline std::optional<std::chrono::milliseconds> rest_for(const DialectRow& row, const Answer& answer,
                                                         const Evidence& evidence,
                                                         std::chrono::system_clock::time_point now) {
  const auto hint = hint_of(answer, evidence, now);
  const auto renewed = until_renewed(row.period, server_time(answer.headers, now));
  if (row.period == QuotaPeriod::day_pacific) return (std::max)(hint, renewed);
  if (hint) return hint;
  if (renewed) return renewed;
  return row.rest.count() > 0 ? std::optional<std::chrono::milliseconds>{row.rest} : std::nullopt;
}

inline Classification conclude(const DialectRow& row, const Answer& answer, const Evidence& evidence,
                               std::chrono::system_clock::time_point now) {
  const Consequence& consequence = consequence_of(row.meaning);
  Classification result;
  result.verdict = consequence.verdict;
  result.scope = row.scope != LimitScope::unknown ? row.scope : consequence.scope;
  if (is_limit(result.verdict) && evidence.scope != LimitScope::unknown) result.scope = evidence.scope;
  result.try_another_token =
      consequence.another_token && !(is_limit(result.verdict) && is_shared(result.scope));
  result.eject = consequence.eject;
  result.retryable = consequence.retryable;
  if (may_rest(consequence)) result.rest = rest_for(row, answer, evidence, now);
  result.reason = reason_for(consequence, answer, evidence);
  return result;
}

/// The row for what no dialect knows. OpenAI's `x-should-retry` overrules the status, and money that the
/// server says will be back at some time is an allowance.
inline DialectRow row_for_status(const Evidence& evidence, const Answer& answer,
                                 std::chrono::system_clock::time_point now) {
  DialectRow row;
  row.meaning = meaning_of_status(evidence);
  if (row.meaning == Meaning::request_refused && answer.headers.get("x-should-retry") == "true") {
    row.meaning = Meaning::broken;
  }
  if (row.meaning == Meaning::must_pay && retry_hint(answer, now)) row.meaning = Meaning::allowance_spent;
  return row;
}

}  // namespace detail

/// What an answer means, by the dialects of `table`. What each meaning entails:
///
/// | meaning                      | verdict         | then                                            |
/// |------------------------------|-----------------|-------------------------------------------------|
/// | too_fast                     | rate_limited    | rest; another token unless the limit is shared  |
/// | allowance_spent              | quota_exhausted | the same; rest until the period's end           |
/// | must_pay                     | quota_exhausted | eject; another token                            |
/// | key_refused                  | token_invalid   | eject; another token                            |
/// | key_in_doubt (a bare 401)    | token_invalid   | rest; another token                             |
/// | key_not_allowed              | forbidden       | another token                                   |
/// | not_allowed, address_refused | forbidden       | deliver                                         |
/// | request_refused              | caller_error    | deliver                                         |
/// | busy                         | overloaded      | repeat                                          |
/// | broken                       | server_error    | repeat                                          |
/// | proxy_refused                | network_error   | repeat by another egress                        |
///
/// 2xx and 3xx are `success`, except that a 2xx whose body begins with an error is judged by that body. A
/// server that no row knows is judged by its status. Throws nothing for what a server sent; reads 64 KiB of
/// the body at most.
inline Classification classify(const Answer& answer, std::chrono::system_clock::time_point now,
                               const DialectTable& table) {
  const bool is_success = answer.status >= 200 && answer.status < 400;
  if (is_success && (answer.status >= 300 || !detail::begins_like_an_error(answer.body))) return {};
  const detail::Evidence evidence = detail::gather(answer, table);
  const DialectRow* known = detail::find_row(table, evidence, answer.headers);
  if (known == nullptr && is_success && evidence.status < 300) return {};
  const DialectRow row = known != nullptr ? *known : detail::row_for_status(evidence, answer, now);
  Classification result = detail::conclude(row, answer, evidence, now);
  if (answer.headers.get("x-should-retry") == "false") result.retryable = false;
  return result;
}

/// The same by the dialects known here.
inline Classification classify(const Answer& answer, std::chrono::system_clock::time_point now) {
  return classify(answer, now, default_dialects());
}

/// The first opinion of a stack of classifiers, else that of the table. What a classifier
/// throws passes through.
inline Classification classify_with(const std::vector<Classifier>& stack, const Answer& answer,
                                    std::chrono::system_clock::time_point now,
                                    const DialectTable& table = default_dialects()) {
  for (const Classifier& opinion : stack) {
    if (!opinion) continue;
    if (auto result = opinion(answer, now)) return *std::move(result);
  }
  return classify(answer, now, table);
}

}  // namespace tokenpool
