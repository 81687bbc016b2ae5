#include "tokenpool/quota/dialects.hpp"

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

/// 2025-06-15 15:06:40 UTC
const std::chrono::system_clock::time_point now{std::chrono::seconds{1750000000}};

struct Row {
  const char* source;
  Headers headers;
  std::vector<LimitFact> facts;
};

// Names and values as the source shows them; instants are moved to lie near `now` where the row says "moved".
const std::vector<Row> rows{
    {"OpenAI: platform docs, guides/rate-limits, table of header fields",
     {{"x-ratelimit-limit-requests", "60"},
      {"x-ratelimit-limit-tokens", "150000"},
      {"x-ratelimit-remaining-requests", "59"},
      {"x-ratelimit-remaining-tokens", "149984"},
      {"x-ratelimit-reset-requests", "1s"},
      {"x-ratelimit-reset-tokens", "6m0s"}},
     {{"requests", 60, 59, 1s}, {"tokens", 150000, 149984, 6min}}},
    {"Azure OpenAI: reset in whole seconds, -1 for unknown (shape only)",
     {{"x-ratelimit-limit-requests", "-1"},
      {"x-ratelimit-remaining-requests", "9"},
      {"x-ratelimit-reset-requests", "60"}},
     {{"requests", {}, 9, 60s}}},
    {"Groq: console docs, rate-limits, table of header fields",
     {{"retry-after", "2"},
      {"x-ratelimit-limit-requests", "14400"},
      {"x-ratelimit-limit-tokens", "18000"},
      {"x-ratelimit-remaining-requests", "14370"},
      {"x-ratelimit-remaining-tokens", "17997"},
      {"x-ratelimit-reset-requests", "2m59.56s"},
      {"x-ratelimit-reset-tokens", "7.66s"}},
     {{"requests", 14400, 14370, 179560ms}, {"tokens", 18000, 17997, 7660ms}}},
    {"Anthropic: docs, api/rate-limits, names; instants moved",
     {{"anthropic-ratelimit-requests-limit", "50"},
      {"anthropic-ratelimit-requests-remaining", "0"},
      {"anthropic-ratelimit-requests-reset", "2025-06-15T15:07:40Z"},
      {"anthropic-ratelimit-input-tokens-limit", "50000"},
      {"anthropic-ratelimit-input-tokens-remaining", "49500"},
      {"anthropic-ratelimit-input-tokens-reset", "2025-06-15T15:06:41Z"}},
     {{"requests", 50, 0, 60s}, {"input-tokens", 50000, 49500, 1s}}},
    {"GitHub: REST docs, rate-limits, names; epoch moved",
     {{"x-ratelimit-limit", "60"},
      {"x-ratelimit-remaining", "0"},
      {"x-ratelimit-used", "60"},
      {"x-ratelimit-resource", "core"},
      {"x-ratelimit-reset", "1750003600"}},
     {{"requests", 60, 0, 1h}}},
    {"Discord: docs, topics/rate-limits, exceeded user rate limit (the epoch there is past)",
     {{"Retry-After", "65"},
      {"X-RateLimit-Limit", "10"},
      {"X-RateLimit-Remaining", "0"},
      {"X-RateLimit-Reset", "1470173023.123"},
      {"X-RateLimit-Reset-After", "64.57"},
      {"X-RateLimit-Bucket", "abcd1234"},
      {"X-RateLimit-Scope", "user"}},
     {{"requests", 10, 0, 64570ms}}},
    {"Mistral: header of a successful answer in an integration's log",
     {{"x-ratelimit-limit-req-minute", "60"},
      {"x-ratelimit-limit-tokens-minute", "50000"},
      {"x-ratelimit-limit-tokens-month", "4000000"},
      {"x-ratelimit-remaining-req-minute", "59"},
      {"x-ratelimit-remaining-tokens-minute", "47196"},
      {"x-ratelimit-remaining-tokens-month", "3950246"},
      {"x-ratelimit-tokens-query-cost", "2804"}},
     {{"req-minute", 60, 59, {}},
      {"tokens-minute", 50000, 47196, {}},
      {"tokens-month", 4000000, 3950246, {}}}},
    {"Mistral: the older by-size family",
     {{"ratelimitbysize-limit", "500000"},
      {"ratelimitbysize-remaining", "499900"},
      {"ratelimitbysize-reset", "28"},
      {"x-ratelimitbysize-limit-month", "1000000000"}},
     {{"size", 500000, 499900, 28s}, {"size-month", 1000000000, {}, {}}}},
    {"X: docs, rate limits, names; epoch moved",
     {{"x-rate-limit-limit", "900"}, {"x-rate-limit-remaining", "0"}, {"x-rate-limit-reset", "1750000900"}},
     {{"requests", 900, 0, 15min}}},
    {"OpenRouter: names; epoch milliseconds, moved",
     {{"X-RateLimit-Limit", "50"}, {"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "1750000060000"}},
     {{"requests", 50, 0, 60s}}},
    {"IETF draft 06: three fields, the limit with its policies",
     {{"RateLimit-Limit", "100, 100;w=10"}, {"RateLimit-Remaining", "50"}, {"RateLimit-Reset", "50"}},
     {{"requests", 100, 50, 50s}}},
    {"IETF draft 07: one dictionary",
     {{"RateLimit", "limit=100, remaining=50, reset=5"}},
     {{"requests", 100, 50, 5s}}},
    {"IETF draft 10: policies",
     {{"RateLimit-Policy", "\"default\";q=100;w=10"}, {"RateLimit", "\"default\";r=50;t=5"}},
     {{"default", 100, 50, 5s}}},
};

}  // namespace

TEST_CASE("every dialect of limit fields is read") {
  for (const Row& row : rows) {
    INFO(row.source);
    const auto facts = limit_facts(row.headers, now);
    REQUIRE(facts.size() == row.facts.size());
    for (std::size_t i = 0; i < facts.size(); ++i) {
      CHECK(facts[i].name == row.facts[i].name);
      CHECK(facts[i].limit == row.facts[i].limit);
      CHECK(facts[i].remaining == row.facts[i].remaining);
      CHECK(facts[i].reset_in == row.facts[i].reset_in);
    }
  }
}

TEST_CASE("a reset epoch is measured by the server's own Date") {
  const Headers headers{{"Date", "Sun, 15 Jun 2025 15:06:30 GMT"}, {"x-ratelimit-reset", "1750000000"}};
  CHECK(limit_facts(headers, now) == std::vector<LimitFact>{{"requests", {}, {}, 10s}});
}

TEST_CASE("fields that are no limits give no facts") {
  CHECK(limit_facts(Headers{{"x-ratelimit-used", "5"},
                            {"x-ratelimit-resource", "core"},
                            {"x-ratelimit-", "5"},
                            {"x-ratelimit", "5"},
                            {"ratelimit-policy", "\"a\";q=1"},
                            {"retry-after", "5"}},
                    now)
            .empty());
}

TEST_CASE("unusable values are absent and a fact without any is left out") {
  CHECK(limit_facts(Headers{{"x-ratelimit-remaining", "many"}, {"x-ratelimit-reset", "-5"}}, now).empty());
  CHECK(limit_facts(Headers{{"x-ratelimit-limit", "99999999999999999999"}, {"x-ratelimit-remaining", "1"}},
                    now) == std::vector<LimitFact>{{"requests", {}, 1, {}}});
}

TEST_CASE("of contradicting copies the first usable one counts") {
  CHECK(limit_facts(
            Headers{
                {"x-ratelimit-remaining", "x"}, {"x-ratelimit-remaining", "1"}, {"ratelimit-remaining", "2"}},
            now) == std::vector<LimitFact>{{"requests", {}, 1, {}}});
}
