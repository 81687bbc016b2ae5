#pragma once
// What standards say, and the words and phrases of servers that nobody told us about.

#include <chrono>
#include <string_view>

#include "tokenpool/quota/verdict.hpp"
#include "tokenpool/retry/dialect.hpp"
#include "tokenpool/retry/period.hpp"

namespace tokenpool::detail {

/// draft-ietf-httpapi-ratelimit-headers (problem types), RFC 6750 (invalid_token), RFC 9110 11.7.1 and two
/// proxies' own answers.
inline Dialect standards_dialect() {
  using enum Meaning;
  return {"standards",
          {{.word = "*#quota-exceeded", .path = "type", .meaning = too_fast},
           {.word = "*#temporary-reduced-capacity", .path = "type", .meaning = busy},
           {.word = "*#abnormal-usage-detected", .path = "type", .meaning = too_fast},
           {.word = "invalid_token", .statuses = {401}, .meaning = key_refused},
           {.header = "www-authenticate",
            .header_value = "*error=\"invalid_token\"*",
            .statuses = {401},
            .meaning = key_refused},
           {.header = "proxy-authenticate", .meaning = proxy_refused},
           {.header = "x-squid-error", .meaning = proxy_refused},
           {.header = "server", .header_value = "tinyproxy/*", .meaning = proxy_refused}}};
}

/// Words and phrases of servers that nobody told us about. They are asked last, and none that
/// could be wrong ejects.
inline Dialect generic_dialect() {
  using enum Meaning;
  constexpr auto day = QuotaPeriod::day_utc;
  constexpr auto month = QuotaPeriod::month_utc;
  return {
      "generic",
      {{.word = "insufficient_balance", .meaning = must_pay},
       {.word = "insufficient_credits", .meaning = must_pay},
       {.word = "payment_required", .meaning = must_pay},
       {.word = "api_key_revoked", .meaning = key_refused},
       {.word = "api_key_expired", .meaning = key_refused},
       {.word = "token_revoked", .meaning = key_refused},
       {.word = "token_expired", .meaning = key_refused},
       {.word = "account_suspended", .statuses = {401, 403}, .meaning = key_refused},
       {.word = "daily_limit_exceeded", .meaning = allowance_spent, .period = day},
       {.word = "daily_quota_exceeded", .meaning = allowance_spent, .period = day},
       {.word = "monthly_limit_exceeded", .meaning = allowance_spent, .period = month},
       {.word = "monthly_quota_exceeded", .meaning = allowance_spent, .period = month},
       {.word = "quota_exceeded", .meaning = allowance_spent},
       {.word = "spend_limit_exceeded", .meaning = allowance_spent},
       {.word = "too_many_requests", .statuses = {403, 503}, .meaning = too_fast},
       {.word = "*api_key*", .statuses = {403}, .meaning = key_not_allowed},
       {.word = "*project*", .statuses = {403}, .meaning = key_not_allowed},
       {.word = "*plan*", .statuses = {403}, .meaning = key_not_allowed},
       {.word = "*subscription*", .statuses = {403}, .meaning = key_not_allowed},
       {.header = "retry-after", .statuses = {409}, .meaning = broken},
       {.text = "request too large", .statuses = {429}, .meaning = request_refused},
       {.text = "insufficient balance", .statuses = {400, 402, 403, 429}, .meaning = must_pay},
       {.text = "insufficient credits", .statuses = {402, 403, 429}, .meaning = must_pay},
       {.text = "exhausted balance", .statuses = {402, 403, 429}, .meaning = must_pay},
       {.text = "余额不足", .statuses = {402, 403, 429}, .meaning = must_pay},
       {.text = "欠费", .statuses = {402, 403, 429}, .meaning = must_pay},
       {.text = "daily limit", .statuses = {402, 403, 429}, .meaning = allowance_spent, .period = day},
       {.text = "daily quota", .statuses = {402, 403, 429}, .meaning = allowance_spent, .period = day},
       {.text = "(rpd)", .statuses = {429}, .meaning = allowance_spent, .period = day},
       {.text = "(tpd)", .statuses = {429}, .meaning = allowance_spent, .period = day},
       {.text = "monthly limit", .statuses = {402, 403, 429}, .meaning = allowance_spent, .period = month},
       {.text = "monthly quota", .statuses = {402, 403, 429}, .meaning = allowance_spent, .period = month},
       {.text = "exceeded your current quota", .statuses = {403, 429}, .meaning = allowance_spent},
       {.text = "overloaded", .statuses = {429, 503}, .meaning = busy},
       {.text = "at capacity", .statuses = {429, 503}, .meaning = busy},
       {.text = "over capacity", .statuses = {429, 503}, .meaning = busy},
       {.text = "rate limit", .statuses = {403, 503}, .meaning = too_fast},
       {.text = "too many requests", .statuses = {403, 503}, .meaning = too_fast},
       {.text = "incorrect api key", .statuses = {401}, .meaning = key_refused},
       {.text = "invalid api key", .statuses = {401}, .meaning = key_refused},
       {.text = "api key not valid", .statuses = {400, 401, 403}, .meaning = key_refused},
       {.text = "has been revoked", .statuses = {401}, .meaning = key_refused},
       {.text = "lock", .statuses = {409}, .meaning = broken},
       {.text = "timeout", .statuses = {409}, .meaning = broken},
       {.text = "try again", .statuses = {409}, .meaning = broken}}};
}

}  // namespace tokenpool::detail
