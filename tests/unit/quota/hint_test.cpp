#include "tokenpool/quota/hint.hpp"

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

/// 2025-06-15 15:06:40 UTC
const std::chrono::system_clock::time_point now{std::chrono::seconds{1750000000}};

std::optional<std::chrono::milliseconds> hint(int status, Headers headers, std::string body = {}) {
  return retry_hint(Answer{status, std::move(headers), std::move(body)}, now);
}

constexpr auto retry_info = R"({"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[
  {"@type":"type.googleapis.com/google.rpc.Help"},
  {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.074824224s"}]}})";

}  // namespace

TEST_CASE("an answer that says nothing gives no hint") {
  CHECK_FALSE(hint(429, {}));
  CHECK_FALSE(hint(429, {{"Content-Type", "text/html"}}, "<html>Too many requests</html>"));
}

TEST_CASE("the words of a server count in their order") {
  Headers headers{{"retry-after-ms", "1500"},
                  {"Retry-After", "7"},
                  {"x-ratelimit-remaining-requests", "0"},
                  {"x-ratelimit-reset-requests", "9s"}};
  const std::string body = R"({"retry_after": 11.5, "message": "try again in 13s"})";
  CHECK(hint(429, headers, body) == 1500ms);
  headers.remove("retry-after-ms");
  CHECK(hint(429, headers, body) == 7s);
  headers.remove("Retry-After");
  CHECK(hint(429, headers, body) == 9s);
  headers.clear();
  CHECK(hint(429, headers, body) == 11500ms);
  CHECK(hint(429, headers, R"({"message": "try again in 13s"})") == 13s);
}

TEST_CASE("zero is a word") { CHECK(hint(429, {{"Retry-After", "0"}, {"x-ratelimit-reset", "60"}}) == 0ms); }

TEST_CASE("the latest of the exhausted windows counts and not the latest of all") {
  CHECK(hint(429, {{"x-ratelimit-remaining-requests", "0"},
                   {"x-ratelimit-reset-requests", "6m0s"},
                   {"x-ratelimit-remaining-input", "0"},
                   {"x-ratelimit-reset-input", "8m0s"},
                   {"x-ratelimit-remaining-tokens", "5"},
                   {"x-ratelimit-reset-tokens", "10h"}}) == 8min);
}

TEST_CASE("windows that are not exhausted give no hint") {
  CHECK_FALSE(hint(429, {{"x-ratelimit-remaining-tokens", "63"}, {"x-ratelimit-reset-tokens", "1m"}}));
}

TEST_CASE("where no window tells what remains the soonest reset counts") {
  CHECK(hint(429, {{"x-ratelimit-reset-requests", "1s"}, {"x-ratelimit-reset-tokens", "6m0s"}}) == 1s);
}

TEST_CASE("an internal error beside an exhausted window does not mean that window") {
  const Headers exhausted{{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "3600"}};
  for (const int status : {400, 401, 404, 500, 502, 504, 530}) {
    CAPTURE(status);
    CHECK_FALSE(hint(status, exhausted));
  }
  for (const int status : {402, 403, 429, 503, 529}) {
    CAPTURE(status);
    CHECK(hint(status, exhausted) == 1h);
  }
}

TEST_CASE("a success gives only what Retry-After says") {
  CHECK_FALSE(hint(200, {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "60"}},
                   R"({"message":"try again in 5s"})"));
  CHECK(hint(202, {{"Retry-After", "5"}}) == 5s);
}

TEST_CASE("an answer of which only the header is known may be asked too") {
  CHECK(hint(0, {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "60"}}) == 60s);
}

TEST_CASE("the body says how long at Gemini and Discord and Telegram and OpenRouter") {
  CHECK(hint(429, {}, retry_info) == 34075ms);
  CHECK(hint(429, {}, std::string("[") + retry_info + "]") == 34075ms);
  CHECK(hint(429, {}, R"({"message":"You are being rate limited.","retry_after":64.57,"global":false})") ==
        64570ms);
  CHECK(hint(429, {}, R"({"ok":false,"error_code":429,"parameters":{"retry_after":12}})") == 12s);
  CHECK(hint(429, {}, R"({"error":{"code":429,"metadata":{"headers":{"X-RateLimit-Limit":"50",
        "X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1750000060000"}}}})") == 60s);
}

TEST_CASE("the IETF fields give the reset of the exhausted policy") {
  CHECK(hint(429, {{"RateLimit", "\"burst\";r=0;t=30, \"day\";r=5;t=3000"}}) == 30s);
}

TEST_CASE("hints in a body that is cut count if they came before the cut") {
  const std::string body = retry_info;
  CHECK(hint(429, {}, body.substr(0, body.size() - 4)) == 34075ms);
  CHECK_FALSE(hint(429, {}, body.substr(0, body.find("24s"))));
}

TEST_CASE("no header and no body makes it throw or overflow") {
  for (const auto* value :
       {"", "-1", "99999999999999999999", "9223372036854775807", "nan", "\xFF\xFE", "Fri, 31 Dec 9999"}) {
    for (const auto* name :
         {"Retry-After", "retry-after-ms", "x-ratelimit-reset", "anthropic-ratelimit-requests-reset"}) {
      INFO(name << ": " << value);
      const auto wait = hint(429, {{name, value}}, "{\"retry_after\":1e400}");
      CHECK(wait.value_or(0ms) >= 0ms);
    }
  }
}
