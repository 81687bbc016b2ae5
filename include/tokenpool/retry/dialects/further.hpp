#pragma once
// The dialects of further providers, with the page or thread that shows each of them. Where a provider copied
// OpenAI's shape only its own words are here.

#include <chrono>
#include <string_view>

#include "tokenpool/quota/verdict.hpp"
#include "tokenpool/retry/dialect.hpp"
#include "tokenpool/retry/period.hpp"

namespace tokenpool::detail {

/// https://console.groq.com/docs/spend-limits; the rest is OpenAI's. The restriction is in
/// songquanpeng/one-api#271.
inline Dialect groq_dialect() {
  using enum Meaning;
  constexpr auto account = LimitScope::account;
  constexpr auto month = QuotaPeriod::month_utc;
  return {
      "groq",
      {{.word = "blocked_api_access", .meaning = allowance_spent, .scope = account, .period = month},
       {.text = "organization has been restricted", .statuses = {400, 401, 403}, .meaning = key_refused}}};
}

/// continuedev/continue#6185, BerriAI/litellm#25078: the tier's capacity is the service's
/// and not the token's.
inline Dialect mistral_dialect() {
  using enum Meaning;
  return {"mistral",
          {{.word = "service_tier_capacity_exceeded", .meaning = busy},
           {.word = "rate_limited", .meaning = too_fast},
           {.text = "service tier capacity exceeded", .statuses = {429, 503}, .meaning = busy}}};
}

/// https://platform.moonshot.ai (errors) and https://www.kimi.com/code/docs (error
/// reference); LLM-Red-Team/kimi-cc#16, MoonshotAI/kimi-cli#1599 (tokens per day),
/// MoonshotAI/Kimi-K2#5 (money, as a 403).
inline Dialect moonshot_dialect() {
  using enum Meaning;
  constexpr auto account = LimitScope::account;
  return {"moonshot",
          {{.word = "rate_limit_reached_error",
            .text = "tpd rate limit",
            .meaning = allowance_spent,
            .scope = account,
            .period = QuotaPeriod::day_utc},
           {.word = "rate_limit_reached_error", .meaning = too_fast, .scope = account},
           {.word = "exceeded_current_quota_error", .meaning = must_pay, .scope = account},
           {.word = "engine_overloaded_error", .meaning = busy},
           {.word = "invalid_authentication_error", .meaning = key_refused},
           {.word = "incorrect_api_key_error", .meaning = key_refused},
           {.word = "access_terminated_error", .meaning = key_refused},
           {.text = "reached your usage limit",
            .statuses = {403, 429},
            .meaning = allowance_spent,
            .scope = account}}};
}

/// chatanywhere/GPT_API_free#331: a prompt too long for the free tier is a 403.
inline Dialect chatanywhere_dialect() {
  using enum Meaning;
  return {"chatanywhere",
          {{.word = "chatanywhere_error", .text = "prompt tokens", .meaning = request_refused}}};
}

/// LLM-Red-Team/kimi-free-api, src/api/consts/exceptions.ts and src/lib/consts/exceptions.ts:
/// errors inside a 200.
inline Dialect kimi_free_api_dialect() {
  using enum Meaning;
  const auto row = [](std::string_view code, Meaning meaning, LimitScope scope = LimitScope::unknown) {
    return DialectRow{.word = code, .path = "code", .statuses = {200}, .meaning = meaning, .scope = scope};
  };
  constexpr auto account = LimitScope::account;
  return {"kimi-free-api",
          {row("-1000", broken),                      // internal
           row("-1001", request_refused),             // parameters
           row("-1002", request_refused),             // no such route
           row("-2000", request_refused),             // parameters
           row("-2001", broken),                      // the upstream's request failed
           row("-2002", key_refused),                 // token expired
           row("-2003", request_refused),             // file address
           row("-2004", request_refused),             // file size
           row("-2005", too_fast, account),           // another stream of this account is under way
           row("-2006", allowance_spent, account)}};  // the account's paid allowance is used up
}

/// https://docs.bigmodel.cn/cn/api/api-code; the reset times in its texts carry no zone and are not read.
inline Dialect zhipu_dialect() {
  using enum Meaning;
  const auto row = [](std::string_view code, Meaning meaning, LimitScope scope = LimitScope::unknown,
                      QuotaPeriod period = QuotaPeriod::unknown) {
    return DialectRow{
        .word = code, .path = "error.code", .meaning = meaning, .scope = scope, .period = period};
  };
  constexpr auto account = LimitScope::account;
  return {"zhipu",
          {row("1000", key_refused), row("1002", key_refused), row("1003", key_refused),
           row("1004", key_refused), row("1111", key_refused), row("1112", key_refused),
           row("1121", key_refused), row("1113", must_pay, account), row("1302", too_fast, account),
           row("1303", too_fast, account), row("1304", allowance_spent, account, QuotaPeriod::day_utc),
           row("1305", busy), row("1308", allowance_spent, account), row("1309", must_pay, account),
           row("1310", allowance_spent, account), row("1312", busy), row("1313", too_fast, account)}};
}

/// https://openrouter.ai/docs/api-reference/errors and /limits; astrio-labs/forall#76,
/// Gitlawb/openclaude#936.
inline Dialect openrouter_dialect() {
  using enum Meaning;
  constexpr auto account = LimitScope::account;
  return {"openrouter",
          {{.text = "free-models-per-day",
            .statuses = {429},
            .meaning = allowance_spent,
            .scope = account,
            .period = QuotaPeriod::day_utc},
           {.text = "can only afford", .statuses = {402}, .meaning = allowance_spent, .scope = account}}};
}

/// Providers of which one word each matters: X (docs, error codes and problem types), ElevenLabs (docs, error
/// messages), Volcengine Ark (docs, error codes), one-api and new-api, Cohere's trial keys, Kiro
/// (chaogei/Kiro-account-manager#27).
inline Dialect other_dialects() {
  using enum Meaning;
  constexpr auto month = QuotaPeriod::month_utc;
  constexpr auto account = LimitScope::account;
  return {"others",
          {{.word = "88", .path = "errors.code", .meaning = too_fast},
           {.word = "89", .path = "errors.code", .statuses = {401, 403}, .meaning = key_refused},
           {.word = "*/problems/usage-capped", .meaning = allowance_spent, .scope = account, .period = month},
           {.word = "too_many_concurrent_requests", .meaning = too_fast, .scope = account},
           {.word = "system_busy", .meaning = busy},
           {.word = "quota_exceeded", .path = "detail.status", .meaning = allowance_spent, .scope = account},
           {.word = "AccountOverdueError", .meaning = must_pay, .scope = account},
           {.word = "insufficient_user_quota", .meaning = must_pay, .scope = account},
           {.word = "pre_consume_token_quota_failed", .meaning = must_pay},
           {.word = "MONTHLY_REQUEST_COUNT", .meaning = allowance_spent, .scope = account, .period = month},
           {.text = "api calls / month",
            .statuses = {429},
            .meaning = allowance_spent,
            .scope = account,
            .period = month},
           {.text = "invalid api token", .statuses = {401}, .meaning = key_refused}}};
}

/// AWS, botocore's lists of throttling and credential errors; a throttling may come as a 400.
inline Dialect aws_dialect() {
  using enum Meaning;
  return {"aws",
          {{.word = "*ThrottlingException*", .meaning = too_fast},
           {.word = "Throttling", .meaning = too_fast},
           {.word = "*TooManyRequestsException*", .meaning = too_fast},
           {.word = "*ProvisionedThroughputExceededException*", .meaning = too_fast},
           {.word = "RequestLimitExceeded", .meaning = too_fast},
           {.word = "SlowDown", .meaning = too_fast},
           {.word = "*ExpiredToken*", .meaning = key_refused},
           {.word = "*UnrecognizedClientException*", .meaning = key_refused},
           {.word = "InvalidClientTokenId", .meaning = key_refused}}};
}

}  // namespace tokenpool::detail
