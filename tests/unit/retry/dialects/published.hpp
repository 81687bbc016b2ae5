#pragma once
// Answers as providers publish them, each with the meaning it must have: the form of the rows and the check
// of one.

#include <chrono>
#include <optional>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/retry/classify.hpp"

namespace published {

using namespace tokenpool;
using namespace std::chrono_literals;

/// 2025-06-15 15:06:40 UTC, a Sunday in summer.
inline const std::chrono::system_clock::time_point now{std::chrono::seconds{1750000000}};
inline constexpr auto utc_midnight = 8h + 53min + 20s;
inline constexpr auto pacific_midnight = 15h + 53min + 20s;
inline constexpr auto next_month = std::chrono::seconds{1751328000 - 1750000000};

using Rest = std::optional<std::chrono::milliseconds>;

/// The meaning that a row expects, in short words.
enum class Is {
  too_fast,
  spent,
  must_pay,
  key_dead,
  in_doubt,
  key_forbidden,
  forbidden,
  no_address,
  callers,
  busy,
  broken
};

/// An answer as the provider publishes it or as it was reported, shortened where it rambles, with ids and
/// keys replaced. "Shape only" marks rows whose words the source gives without the body around them.
struct Row {
  const char* source;
  int status;
  Headers headers;
  const char* body;
  Is is;
  LimitScope scope;
  Rest rest;
};

inline void check(const Row& row) {
  INFO(row.source);
  const Classification meaning = classify(Answer{row.status, row.headers, row.body}, now);
  INFO(meaning.reason);
  struct Expected {
    Verdict verdict;
    bool another, eject, retryable;
  };
  const bool own = row.scope != LimitScope::bucket && row.scope != LimitScope::egress;
  const auto expected = [&]() -> Expected {
    switch (row.is) {
      case Is::too_fast: return {Verdict::rate_limited, own, false, true};
      case Is::spent: return {Verdict::quota_exhausted, own, false, true};
      case Is::must_pay: return {Verdict::quota_exhausted, true, true, false};
      case Is::key_dead: return {Verdict::token_invalid, true, true, false};
      case Is::in_doubt: return {Verdict::token_invalid, true, false, true};
      case Is::key_forbidden: return {Verdict::forbidden, true, false, false};
      case Is::forbidden:
      case Is::no_address: return {Verdict::forbidden, false, false, false};
      case Is::callers: return {Verdict::caller_error, false, false, false};
      case Is::busy: return {Verdict::overloaded, false, false, true};
      case Is::broken: return {Verdict::server_error, false, false, true};
    }
    return {};
  }();
  CHECK(to_string(meaning.verdict) == to_string(expected.verdict));
  CHECK(to_string(meaning.scope) == to_string(row.scope));
  CHECK(meaning.rest == row.rest);
  CHECK(meaning.try_another_token == expected.another);
  CHECK(meaning.eject == expected.eject);
  CHECK(meaning.retryable == expected.retryable);
}

inline void check_all(const std::vector<Row>& rows) {
  for (const Row& row : rows) check(row);
}

}  // namespace published
