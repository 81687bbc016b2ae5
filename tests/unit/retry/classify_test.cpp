#include "tokenpool/retry/classify.hpp"

#include <string>
#include <vector>

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

/// 2025-06-15 15:06:40 UTC
const std::chrono::system_clock::time_point now{std::chrono::seconds{1750000000}};

Classification meaning(int status, std::string body = {}, Headers headers = {}) {
  return classify(Answer{status, std::move(headers), std::move(body)}, now);
}

bool is_delivered(const Classification& meaning) {
  return !meaning.retryable && !meaning.try_another_token && !meaning.eject && !meaning.rest;
}

}  // namespace

TEST_CASE("a success or a redirect is delivered as it is") {
  for (const int status : {200, 201, 204, 206, 299, 301, 302, 304, 308}) {
    INFO(status);
    CHECK(meaning(status) == Classification{});
  }
}

TEST_CASE("a final refusal is the caller's and delivered as it is") {
  for (const int status : {400, 404, 405, 410, 413, 414, 415, 418, 422, 428, 431, 451, 499}) {
    INFO(status);
    CHECK(meaning(status).verdict == Verdict::caller_error);
    CHECK(is_delivered(meaning(status)));
  }
}

TEST_CASE("a server's failure blames nobody and may be repeated") {
  for (const int status : {408, 425, 500, 502, 503, 504, 520, 524, 599}) {
    INFO(status);
    const auto result = meaning(status);
    CHECK(result.verdict == Verdict::server_error);
    CHECK(result.scope == LimitScope::service);
    CHECK(result.retryable);
    CHECK_FALSE(result.try_another_token);
    CHECK_FALSE(result.eject);
    CHECK_FALSE(result.rest);
  }
  CHECK(meaning(529).verdict == Verdict::overloaded);
  CHECK(meaning(529).retryable);
}

TEST_CASE("a status that does not exist is a server's failure") {
  for (const int status : {-1, 0, 99, 100, 103, 600, 999}) {
    INFO(status);
    CHECK(meaning(status).verdict == Verdict::server_error);
  }
}

TEST_CASE("a bare 429 is too fast and another token may go at once") {
  const auto result = meaning(429);
  CHECK(result.verdict == Verdict::rate_limited);
  CHECK(result.scope == LimitScope::unknown);
  CHECK(result.try_another_token);
  CHECK(result.retryable);
  CHECK_FALSE(result.eject);
  CHECK_FALSE(result.rest);
}

TEST_CASE("a refusal rests for as long as the server says") {
  CHECK(meaning(429, "", {{"Retry-After", "3"}}).rest == 3s);
  CHECK(meaning(503, "", {{"Retry-After", "3"}}).rest == 3s);
  CHECK(meaning(529, "", {{"retry-after-ms", "250"}}).rest == 250ms);
  CHECK(meaning(429, "", {{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "6m0s"}})
            .rest == 6min);
}

TEST_CASE("a bare 401 leaves the token in doubt") {
  const auto result = meaning(401);
  CHECK(result.verdict == Verdict::token_invalid);
  CHECK(result.scope == LimitScope::token);
  CHECK(result.try_another_token);
  CHECK(result.retryable);
  CHECK_FALSE(result.eject);
  CHECK_FALSE(result.rest);
}

TEST_CASE("a 401 page of a firewall leaves the token in doubt") {
  CHECK_FALSE(meaning(401, "<html><h1>401 Authorization Required</h1></html>").eject);
}

TEST_CASE("an expired bearer token in WWW-Authenticate is refused for good") {
  const auto result = meaning(401, "", {{"WWW-Authenticate", "Bearer realm=\"x\", error=\"invalid_token\""}});
  CHECK(result.verdict == Verdict::token_invalid);
  CHECK(result.eject);
}

TEST_CASE("a bare 402 has to be paid and one with a time rests") {
  CHECK(meaning(402).verdict == Verdict::quota_exhausted);
  CHECK(meaning(402).eject);
  CHECK(meaning(402).try_another_token);
  CHECK_FALSE(meaning(402).retryable);

  const auto resets = meaning(402, "", {{"Retry-After", "3600"}});
  CHECK(resets.verdict == Verdict::quota_exhausted);
  CHECK_FALSE(resets.eject);
  CHECK(resets.rest == 1h);
}

TEST_CASE("a bare 403 is about the resource and delivered") {
  CHECK(meaning(403).verdict == Verdict::forbidden);
  CHECK(is_delivered(meaning(403)));
}

TEST_CASE("a 403 whose code speaks of key or project or plan lets another token try") {
  for (const auto* code :
       {"API_KEY_SERVICE_BLOCKED", "project_access_denied", "plan_required", "no_subscription"}) {
    INFO(code);
    const auto result = meaning(403, std::string(R"({"error":{"code":")") + code + "\"}}");
    CHECK(result.verdict == Verdict::forbidden);
    CHECK(result.try_another_token);
    CHECK_FALSE(result.eject);
  }
}

TEST_CASE("a 403 or 503 that says rate limit is too fast") {
  for (const int status : {403, 503}) {
    for (const auto* body :
         {R"({"message":"Rate limit exceeded"})", "Too Many Requests", R"({"code":"too_many_requests"})"}) {
      INFO(status << " " << body);
      CHECK(meaning(status, body).verdict == Verdict::rate_limited);
    }
  }
}

TEST_CASE("what a proxy refuses is the egress's affair") {
  for (const auto& result :
       {meaning(407), meaning(511), meaning(503, "", {{"X-Squid-Error", "ERR_CONNECT_FAIL 111"}}),
        meaning(429, "", {{"Proxy-Authenticate", "Basic realm=\"x\""}}),
        meaning(401, "", {{"Server", "tinyproxy/1.11.1"}}),
        meaning(429, "", {{"X-Squid-Error", "ERR_ACCESS_DENIED 0"}})}) {
    CHECK(result.verdict == Verdict::network_error);
    CHECK(result.scope == LimitScope::egress);
    CHECK(result.retryable);
    CHECK_FALSE(result.try_another_token);
  }
}

TEST_CASE("a 409 is a lock unless it names another conflict") {
  CHECK(meaning(409).retryable);
  CHECK(meaning(409, R"({"error":{"message":"Could not acquire lock"}})").verdict == Verdict::server_error);
  CHECK(meaning(409, R"({"type":"error","error":{"type":"conflict_error","message":"x"}})").retryable);
  CHECK(meaning(409, R"({"message":"Git Repository is empty."})").verdict == Verdict::caller_error);
  CHECK(is_delivered(meaning(409, R"({"error":{"code":"already_exists"}})")));
}

TEST_CASE("x-should-retry overrules the status") {
  CHECK(meaning(400, "", {{"x-should-retry", "true"}}).retryable);
  CHECK(meaning(409, R"({"message":"conflict"})", {{"x-should-retry", "true"}}).retryable);
  CHECK_FALSE(meaning(500, "", {{"x-should-retry", "false"}}).retryable);
  CHECK(meaning(429, "", {{"x-should-retry", "false"}}).try_another_token);
}

TEST_CASE("a code counts for more than a type and a type for more than the prose") {
  CHECK(meaning(429,
                R"({"error":{"code":"insufficient_quota","type":"overloaded_error","message":"rate limit"}})")
            .verdict == Verdict::quota_exhausted);
  CHECK(meaning(429, R"({"error":{"code":null,"type":"overloaded_error","message":"insufficient balance"}})")
            .verdict == Verdict::overloaded);
  CHECK(meaning(429, R"({"error":{"code":"x","type":"y","message":"Insufficient balance"}})").verdict ==
        Verdict::quota_exhausted);
}

TEST_CASE("a phrase of a server that nobody knows means what it says at each status that goes with it") {
  struct Row {
    std::string phrase;
    std::vector<int> statuses;
    Verdict verdict;
    bool eject;
  };
  const std::vector<Row> rows{
      {"Request too large for model", {413, 429}, Verdict::caller_error, false},
      {"Insufficient balance", {400, 402, 403, 429}, Verdict::quota_exhausted, true},
      {"insufficient credits", {402, 403, 429}, Verdict::quota_exhausted, true},
      {"exhausted balance", {402, 403, 429}, Verdict::quota_exhausted, true},
      {"您的账户余额不足", {402, 403, 429}, Verdict::quota_exhausted, true},
      {"账户已欠费", {402, 403, 429}, Verdict::quota_exhausted, true},
      {"daily limit reached", {402, 403, 429}, Verdict::quota_exhausted, false},
      {"daily quota reached", {402, 403, 429}, Verdict::quota_exhausted, false},
      {"requests per day (RPD)", {429}, Verdict::quota_exhausted, false},
      {"tokens per day (TPD)", {429}, Verdict::quota_exhausted, false},
      {"monthly limit reached", {402, 403, 429}, Verdict::quota_exhausted, false},
      {"monthly quota reached", {402, 403, 429}, Verdict::quota_exhausted, false},
      {"You exceeded your current quota", {403, 429}, Verdict::quota_exhausted, false},
      {"overloaded", {429, 503}, Verdict::overloaded, false},
      {"at capacity", {429, 503}, Verdict::overloaded, false},
      {"over capacity", {429, 503}, Verdict::overloaded, false},
      {"rate limit", {403, 503}, Verdict::rate_limited, false},
      {"too many requests", {403, 503}, Verdict::rate_limited, false},
      {"Incorrect API key", {401}, Verdict::token_invalid, true},
      {"invalid api key", {401}, Verdict::token_invalid, true},
      {"API key not valid", {400, 401, 403}, Verdict::token_invalid, true},
      {"the key has been revoked", {401}, Verdict::token_invalid, true},
      {"lock", {409}, Verdict::server_error, false},
      {"timeout", {409}, Verdict::server_error, false},
      {"try again", {409}, Verdict::server_error, false},
  };
  for (const Row& row : rows) {
    for (const int status : row.statuses) {
      CAPTURE(row.phrase, status);
      // A time beside it would turn a mere 402 into an allowance.
      const Headers headers = status == 402 ? Headers{{"Retry-After", "9"}} : Headers{};
      const auto result = meaning(status, R"({"message":")" + row.phrase + R"("})", headers);
      CHECK(result.verdict == row.verdict);
      CHECK(result.eject == row.eject);
    }
    CHECK(meaning(404, R"({"message":")" + row.phrase + R"("})").verdict == Verdict::caller_error);
  }
}

TEST_CASE("a phrase that names a period rests until its end") {
  for (const int status : {402, 403, 429}) {
    CAPTURE(status);
    CHECK(meaning(status, "daily limit").rest == 8h + 53min + 20s);
    CHECK(meaning(status, "daily quota").rest == 8h + 53min + 20s);
    CHECK(meaning(status, "monthly limit").rest == 24h * 15 + 8h + 53min + 20s);
    CHECK(meaning(status, "monthly quota").rest == 24h * 15 + 8h + 53min + 20s);
  }
  CHECK(meaning(429, "limit (rpd)").rest == 8h + 53min + 20s);
  CHECK(meaning(429, "limit (tpd)").rest == 8h + 53min + 20s);
}

TEST_CASE("whose limit it is may stand in plain text") {
  for (const int status : {403, 429}) {
    for (const char* page :
         {"error code: 1015", "You are being blocked from accessing our API temporarily"}) {
      CAPTURE(status, page);
      CHECK(meaning(status, page).verdict == Verdict::rate_limited);
      CHECK(meaning(status, page).scope == LimitScope::egress);
      CHECK_FALSE(meaning(status, page).try_another_token);
    }
  }
  for (const int status : {400, 403, 429}) {
    CHECK(meaning(status, "You have reached your specified API usage limits").scope == LimitScope::account);
  }
}

TEST_CASE("a limit shared by all tokens is no reason to try another") {
  for (const auto* scope : {"ip", "shared", "service"}) {
    INFO(scope);
    const auto result = meaning(429, "", {{"X-RateLimit-Scope", scope}});
    CHECK(result.verdict == Verdict::rate_limited);
    CHECK_FALSE(result.try_another_token);
    CHECK(result.retryable);
  }
  CHECK(meaning(429, "", {{"X-RateLimit-Scope", "account"}}).try_another_token);
}

TEST_CASE("a success is not read for errors unless it begins like one") {
  CHECK(meaning(200, R"({"id":"x","choices":[],"code":-2002,"error":{"code":429}})") == Classification{});
  CHECK(meaning(200, R"({"message":"insufficient_quota, rate limit, try again in 5s"})") == Classification{});
  CHECK(meaning(200, R"({"code":0,"data":{"available_balance":49.58894},"scode":"0x0","status":true})") ==
        Classification{});
  CHECK(meaning(200, R"({"error":null,"result":1})") == Classification{});
  CHECK(meaning(200, R"({"code":"insufficient_quota","meaning":"out of money"})") == Classification{});
  CHECK(meaning(302, R"({"error":{"code":429}})") == Classification{});
}

TEST_CASE("an error inside a success is judged by what it says") {
  CHECK(meaning(200, R"({"error":{"message":"x","code":502}})").verdict == Verdict::server_error);
  CHECK(meaning(200, R"({"error":{"message":"x","code":429}})").verdict == Verdict::rate_limited);
  CHECK(meaning(200, R"({"error":{"type":"rate_limit_error","message":"x"}})").verdict ==
        Verdict::rate_limited);
  CHECK(meaning(200, R"({"error":{"message":"unheard of","code":"whatever"}})") == Classification{});
}

TEST_CASE("an error inside a success rests for as long as the server says") {
  const auto graphql =
      meaning(200, R"({"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]})",
              {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1750000060"}});
  CHECK(graphql.verdict == Verdict::rate_limited);
  CHECK(graphql.rest == 60s);
  CHECK(meaning(200, R"({"error":{"code":429,"message":"try again in 5s"}})").rest == 5s);
}

TEST_CASE("a number inside a success that is no status of an error is no error") {
  for (const char* code : {"0", "200", "399", "600", "98765", "-500"}) {
    CAPTURE(code);
    CHECK(meaning(200, std::string(R"({"error":{"code":)") + code + "}}") == Classification{});
  }
  CHECK(meaning(300, R"({"error":{"code":"invalid_api_key"}})") == Classification{});
}

TEST_CASE("bodies of every kind are judged without harm") {
  const std::string huge =
      "{\"error\":{\"message\":\"" + std::string(8'000'000, 'x') + "\",\"code\":\"insufficient_quota\"}}";
  CHECK(meaning(429, huge).verdict == Verdict::rate_limited);
  CHECK(meaning(429, std::string(8'000'000, '[')).verdict == Verdict::rate_limited);
  CHECK(meaning(429, "<html><body>429 Too Many Requests</body></html>").verdict == Verdict::rate_limited);
  CHECK(meaning(429, std::string("\0\xFF\xFE", 3)).verdict == Verdict::rate_limited);
  CHECK(meaning(403, "<!DOCTYPE html><title>Attention Required!</title>").verdict == Verdict::forbidden);
}

TEST_CASE("a body that is cut means at every length what was read before the cut") {
  const std::string body =
      R"({"error":{"code":"insufficient_quota","type":"insufficient_quota","message":"You exceeded your current quota"}})";
  const auto end_of_code = body.find(",\"type\"");
  for (std::size_t length = 0; length <= body.size(); ++length) {
    const auto verdict = meaning(429, body.substr(0, length)).verdict;
    if (verdict != (length < end_of_code ? Verdict::rate_limited : Verdict::quota_exhausted))
      FAIL("cut at " << length);
  }
  SUCCEED("every cut was judged");
}

TEST_CASE("the reason names status and code") {
  CHECK(meaning(429, R"({"error":{"code":"rate_limit_exceeded"}})").reason ==
        "too fast (HTTP 429, rate_limit_exceeded)");
  CHECK(meaning(400, R"({"error":{"code":null,"type":"invalid_request_error"}})").reason ==
        "request refused (HTTP 400, invalid_request_error)");
  CHECK(meaning(429, R"({"error":{"code":"429"}})").reason == "too fast (HTTP 429)");
  CHECK(meaning(429, R"({"error":{"code":"1302"}})").reason == "too fast (HTTP 429, 1302)");
  CHECK(meaning(429, R"({"error":{"code":-1}})").reason == "too fast (HTTP 429, -1)");
  const auto with_code = [](std::size_t length) {
    return meaning(429, R"({"error":{"code":")" + std::string(length, 'x') + R"("}})").reason;
  };
  CHECK(with_code(64) == "too fast (HTTP 429, " + std::string(64, 'x') + ")");
  CHECK(with_code(65) == "too fast (HTTP 429)");
}

TEST_CASE("no token that a server echoes reaches the reason") {
  for (const std::string secret : {"sk-canary-secret", "sk_live_4711abcdef", "AIzaNoRealKey4711",
                                   "ghp_NoRealToken4711", "eyJhbGciOi.eyJzdWIi.c2ln", "12345678901234"}) {
    for (const std::string before : {R"({"error":{"code":")", R"({"error":{"type":")", R"({"message":")",
                                     R"({"code":")", R"({"type":")", R"({"status":")"}) {
      const std::string body = std::string(before).append(secret).append("\"}}");
      for (const int status : {200, 400, 401, 403, 429, 500}) {
        INFO(body);
        CHECK(meaning(status, body).reason.find(secret) == std::string::npos);
      }
    }
    CHECK(meaning(429, "rejected " + secret, {{"x-amzn-errortype", secret}}).reason.find(secret) ==
          std::string::npos);
  }
}

TEST_CASE("the first opinion of a stack counts") {
  const Classifier no_opinion = [](const Answer&, auto) { return std::nullopt; };
  const Classifier teapot = [](const Answer& answer, auto) -> std::optional<Classification> {
    if (answer.status != 418) return std::nullopt;
    return Classification{.verdict = Verdict::overloaded, .retryable = true, .reason = "teapot"};
  };
  const std::vector<Classifier> stack{nullptr, no_opinion, teapot};
  CHECK(classify_with(stack, Answer{418, {}, {}}, now).reason == "teapot");
  CHECK(classify_with(stack, Answer{429, {}, {}}, now).verdict == Verdict::rate_limited);
  CHECK(classify_with({}, Answer{418, {}, {}}, now).verdict == Verdict::caller_error);
}
