#include "tokenpool/quota/error_text.hpp"

#include <string>
#include <utility>
#include <vector>

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

/// 2025-06-15 15:06:40 UTC
constexpr CalendarTime from{std::chrono::seconds{1750000000}};

}  // namespace

TEST_CASE("the prose of an error is found in the usual places and lowered") {
  CHECK(error_text(R"({"error":{"message":"Too Fast","code":"X"}})") == "too fast\n");
  CHECK(error_text(R"({"message":"A","detail":"B","code":"C"})") == "a\nb\n");
  CHECK(error_text(R"({"error":"Denied"})") == "denied\n");
  CHECK(error_text(R"({"choices":[{"message":{"content":"try again in 5s"}}]})").empty());
}

TEST_CASE("a body that is no JSON is its own prose and is bounded") {
  CHECK(error_text("<h1>Busy</h1>") == "<h1>busy</h1>");
  CHECK(error_text("").empty());
  CHECK(error_text(std::string(100000, 'A')).size() == 4096);
  CHECK(error_text("{\"message\":\"" + std::string(50000, 'A') + "\"}").size() == 4097);
  const auto of_two = [](std::size_t first) {
    return error_text("{\"message\":\"" + std::string(first, 'A') + R"(","detail":"b"})").size();
  };
  CHECK(of_two(4094) == 4097);
  CHECK(of_two(4095) == 4096);
}

TEST_CASE("the time to wait is found behind the words that name it") {
  struct Row {
    const char* source;
    const char* text;
    std::chrono::milliseconds wait;
  };
  const std::vector<Row> rows{
      {"OpenAI, FoundationAgents/MetaGPT issue 523",
       "limit 10000, used 8554, requested 3082. please try again in 9.816s. visit "
       "https://platform.openai.com",
       9816ms},
      {"OpenAI, BuilderIO/micro-agent issue 86", "used 29937, requested 385. please try again in 644ms.",
       644ms},
      {"Groq, continuedev/continue issue 10920", "requested 3619. please try again in 9m38.016s. need more",
       578016ms},
      {"Groq, bklieger-groq/stockbot-on-groq issue 46", "please try again in 1m47.5854s. visit", 107586ms},
      {"Moonshot, LLM-Red-Team/kimi-cc issue 16", "max rpm: 3, please try again after 1 seconds", 1s},
      {"Azure OpenAI, alex-wolf-ps/dbchatprov2 issue 2",
       "pricing tier. please retry after 86400 seconds. please go here:", 24h},
      {"Azure API Management, Azure-Samples/azure-search-openai-demo issue 177",
       "rate limit is exceeded. try again in 30 seconds.", 30s},
      {"Azure API Management docs, quota policy (shape only)", "quota will be replenished in 02:34:56.",
       2h + 34min + 56s},
      {"Azure API Management docs, quota policy with days (shape only)",
       "quota will be replenished in 3.00:00:00.", 72h},
      {"Anthropic, anthropics/claude-code issue 2127", "you will regain access on 2025-07-01 at 00:00 utc.",
       std::chrono::seconds{1751328000 - 1750000000}},
      {"in words (shape only)", "try again in 2 minutes and 5 seconds", 125s},
      {"an hour (shape only)", "try again in 1 hour", 1h},
  };
  for (const Row& row : rows) {
    INFO(row.source);
    CHECK(time_named_in(row.text, from) == row.wait);
  }
}

TEST_CASE("every way to spell a unit is that unit") {
  const std::vector<std::pair<std::chrono::milliseconds, std::vector<std::string>>> rows{
      {1ms, {"ms", "millisecond", "milliseconds"}},
      {1s, {"s", "sec", "secs", "second", "seconds"}},
      {1min, {"m", "min", "mins", "minute", "minutes"}},
      {1h, {"h", "hr", "hour", "hours"}},
      {24h, {"d", "day", "days"}}};
  for (const auto& [unit, words] : rows) {
    for (const std::string& word : words) {
      INFO(word);
      CHECK(time_named_in("try again in 3 " + word, from) == 3 * unit);
    }
  }
}

TEST_CASE("a text that names no time gives none") {
  for (const auto* text :
       {"", "please try again later", "try again in a few minutes", "try again in 5", "try again in 5 moons",
        "wait 20s", "try again in -5s", "try again in 99999999999999999999 seconds",
        "try again in 9223372036854775 s and 9223372036854775 s", "regain access on 2025-02-30 at 00:00 utc",
        "limit 3, used 5 seconds", "retry after"}) {
    INFO(text);
    CHECK_FALSE(time_named_in(text, from));
  }
}

TEST_CASE("a time that is cut at any place is none") {
  for (const std::string text : {"replenished in 3.02:34:56", "regain access on 2025-07-01 at 00:00 utc"}) {
    INFO(text);
    CHECK(time_named_in(text, from));
    for (std::size_t length = 0; length < text.size(); ++length) {
      INFO("cut at " << length);
      CHECK_FALSE(time_named_in(text.substr(0, length), from));
    }
  }
}
