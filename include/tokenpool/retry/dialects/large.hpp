#pragma once
// The dialects of OpenAI, whose shape most others copied, and of the other large providers, with the page
// that shows each of them. A word that merely repeats the status in letters has no row; a word that two
// providers use for different things has its place with it.

#include <chrono>
#include <string_view>

#include "tokenpool/quota/verdict.hpp"
#include "tokenpool/retry/dialect.hpp"
#include "tokenpool/retry/period.hpp"

namespace tokenpool::detail {

/// https://platform.openai.com/docs/guides/error-codes and /guides/rate-limits; the shape
/// that most others copied.
inline Dialect openai_dialect() {
  using enum Meaning;
  constexpr auto month = QuotaPeriod::month_utc;
  constexpr auto account = LimitScope::account;
  return {"openai",
          {{.word = "rate_limit_exceeded", .statuses = {413}, .meaning = request_refused},
           {.word = "rate_limit_exceeded", .text = "request too large", .meaning = request_refused},
           {.word = "rate_limit_exceeded", .text = "in organization", .meaning = too_fast, .scope = account},
           {.word = "rate_limit_exceeded", .meaning = too_fast},
           {.word = "insufficient_quota", .meaning = must_pay, .scope = account},
           {.word = "credit_balance_exhausted", .meaning = must_pay, .scope = account},
           {.word = "billing_not_active", .meaning = must_pay, .scope = account},
           {.word = "billing_hard_limit_reached", .meaning = must_pay, .scope = account},
           {.word = "organization_spend_limit_exceeded",
            .meaning = allowance_spent,
            .scope = account,
            .period = month},
           {.word = "project_spend_limit_exceeded",
            .meaning = allowance_spent,
            .scope = account,
            .period = month},
           {.word = "organization_usage_limit_exceeded",
            .meaning = allowance_spent,
            .scope = account,
            .period = month},
           {.word = "slow_down", .meaning = busy},
           {.word = "server_is_overloaded", .meaning = busy},
           {.word = "invalid_api_key", .meaning = key_refused},
           {.word = "account_deactivated", .meaning = key_refused},
           {.word = "unsupported_country_region_territory", .meaning = address_refused},
           {.word = "model_not_found", .statuses = {403}, .meaning = key_not_allowed},
           {.text = "ip allowlist", .statuses = {401, 403}, .meaning = address_refused},
           {.text = "account has been deactivated", .statuses = {401, 403}, .meaning = key_refused}}};
}

/// https://learn.microsoft.com/azure/ai-services/openai/quotas-limits and API Management's quota policies.
inline Dialect azure_dialect() {
  using enum Meaning;
  return {"azure",
          {{.text = "experiencing high demand", .statuses = {429, 503}, .meaning = busy},
           {.text = "out of call volume quota", .statuses = {403, 429}, .meaning = allowance_spent},
           {.text = "out of bandwidth quota", .statuses = {403, 429}, .meaning = allowance_spent}}};
}

/// https://docs.claude.com/en/api/errors and /rate-limits; the spend limits that users set
/// themselves are a 400.
inline Dialect anthropic_dialect() {
  using enum Meaning;
  constexpr auto month = QuotaPeriod::month_utc;
  constexpr auto account = LimitScope::account;
  return {"anthropic",
          {{.word = "enforced_spend_limit_reached",
            .meaning = allowance_spent,
            .scope = account,
            .period = month},
           {.word = "billing_error", .meaning = must_pay, .scope = account},
           {.word = "authentication_error", .statuses = {401, 403}, .meaning = key_refused},
           {.word = "permission_error", .statuses = {403}, .meaning = key_not_allowed},
           {.word = "overloaded_error", .meaning = busy},
           {.word = "conflict_error", .statuses = {409}, .meaning = broken},
           {.word = "rate_limit_error", .text = "your organization", .meaning = too_fast, .scope = account},
           {.word = "rate_limit_error", .text = "your account", .meaning = too_fast, .scope = account},
           {.word = "rate_limit_error", .meaning = too_fast},
           {.text = "api usage limits",
            .statuses = {400, 403, 429},
            .meaning = allowance_spent,
            .scope = account,
            .period = month},
           {.text = "credit balance is too low",
            .statuses = {400, 403, 429},
            .meaning = must_pay,
            .scope = account}}};
}

/// https://ai.google.dev/gemini-api/docs/troubleshooting and /rate-limits; google.rpc.Status with ErrorInfo
/// and QuotaFailure. The words "exceeded your current quota" stand in every 429 of theirs and mean nothing.
inline Dialect google_dialect() {
  using enum Meaning;
  constexpr auto account = LimitScope::account;
  constexpr auto day = QuotaPeriod::day_pacific;
  return {"google",
          {{.word = "*PerDay*",
            .path = "error.details.violations.quotaId",
            .meaning = allowance_spent,
            .scope = account,
            .period = day},
           {.word = "*PerMinute*",
            .path = "error.details.violations.quotaId",
            .meaning = too_fast,
            .scope = account},
           {.word = "MODEL_CAPACITY_EXHAUSTED", .meaning = busy},
           {.word = "rateLimitExceeded", .text = "no capacity available", .meaning = busy},
           {.word = "RESOURCE_EXHAUSTED", .text = "no capacity available", .meaning = busy},
           {.word = "dailyLimitExceeded", .meaning = allowance_spent, .scope = account, .period = day},
           {.word = "quotaExceeded",
            .path = "error.errors.reason",
            .meaning = allowance_spent,
            .scope = account,
            .period = day},
           {.word = "rateLimitExceeded", .meaning = too_fast},
           {.word = "userRateLimitExceeded", .meaning = too_fast},
           {.word = "RESOURCE_EXHAUSTED", .meaning = too_fast},
           {.word = "API_KEY_INVALID", .meaning = key_refused},
           {.word = "ACCESS_TOKEN_EXPIRED", .meaning = key_refused},
           {.word = "CONSUMER_SUSPENDED", .meaning = key_refused},
           {.word = "CONSUMER_INVALID", .meaning = key_refused},
           {.word = "BILLING_DISABLED", .meaning = must_pay, .scope = account},
           {.word = "SERVICE_DISABLED", .meaning = key_not_allowed},
           {.word = "API_KEY_IP_ADDRESS_BLOCKED", .meaning = address_refused},
           {.word = "UNAVAILABLE", .statuses = {503}, .meaning = busy},
           {.text = "reported as leaked", .statuses = {400, 401, 403}, .meaning = key_refused},
           {.text = "location is not supported", .statuses = {400, 403}, .meaning = address_refused}}};
}

/// https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api and troubleshooting: without
/// the server's word a secondary limit asks for a minute at least.
inline Dialect github_dialect() {
  using enum Meaning;
  constexpr std::chrono::seconds minute{60};
  return {"github",
          {{.header = "x-ratelimit-remaining", .header_value = "0", .statuses = {403}, .meaning = too_fast},
           {.header = "retry-after", .statuses = {403}, .meaning = too_fast},
           {.text = "secondary rate limit", .statuses = {403, 429}, .meaning = too_fast, .rest = minute},
           {.text = "abuse detection mechanism", .statuses = {403, 429}, .meaning = too_fast, .rest = minute},
           {.text = "bad credentials", .statuses = {401}, .meaning = key_refused},
           {.text = "resource not accessible by", .statuses = {403}, .meaning = key_not_allowed}}};
}

/// https://docs.discord.com/developers/topics/rate-limits; whose limit it is stands in
/// X-RateLimit-Scope, which is read for every server. Cloudflare in front of it (and of many others)
/// refuses addresses in plain text.
inline Dialect discord_dialect() {
  using enum Meaning;
  return {
      "discord",
      {{.text = "blocked from accessing our api",
        .statuses = {403, 429},
        .meaning = too_fast,
        .scope = LimitScope::egress},
       {.text = "error code: 1015", .statuses = {403, 429}, .meaning = too_fast, .scope = LimitScope::egress},
       {.text = "error code: 1020", .statuses = {403}, .meaning = address_refused}}};
}

}  // namespace tokenpool::detail
