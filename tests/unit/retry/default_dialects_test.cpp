#include "tokenpool/retry/default_dialects.hpp"

#include <algorithm>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/retry/classify.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

/// 2025-06-15 15:06:40 UTC
const std::chrono::system_clock::time_point now{std::chrono::seconds{1750000000}};

}  // namespace

TEST_CASE("an allowance's own time counts before its calendar") {
  const Answer answer{
      429, {{"Retry-After", "120"}}, R"({"error":{"code":"organization_spend_limit_exceeded"}})"};
  CHECK(classify(answer, now).rest == 2min);
}

TEST_CASE("the calendar is that of the server's Date") {
  const Answer answer{429,
                      {{"Date", "Mon, 30 Jun 2025 23:59:00 GMT"}},
                      R"({"error":{"code":"project_spend_limit_exceeded"}})"};
  CHECK(classify(answer, now).rest == 60s);
}

TEST_CASE("a provider's sign means the same at each status that goes with it and nothing at another") {
  struct Row {
    const char* body;
    std::vector<int> statuses;
    Verdict verdict;
    LimitScope scope;
    bool eject = false;
  };
  using enum LimitScope;
  const std::vector<Row> rows{
      {R"({"error":{"type":"authentication_error"}})", {401, 403}, Verdict::token_invalid, token, true},
      {R"({"code":"model_not_found"})", {403}, Verdict::forbidden, token},
      {R"({"code":"wrong_api_key_here"})", {403}, Verdict::forbidden, token},
      {R"({"error":{"status":"UNAVAILABLE"}})", {503}, Verdict::overloaded, service},
      {R"({"code":"account_suspended"})", {401, 403}, Verdict::token_invalid, token, true},
      {R"({"code":"invalid_token"})", {401}, Verdict::token_invalid, token, true},
      {R"({"code":-1001})", {200}, Verdict::caller_error, unknown},
      {R"({"code":-2003})", {200}, Verdict::caller_error, unknown},
      {R"({"code":-2004})", {200}, Verdict::caller_error, unknown},
      {"Your credit balance is too low", {400, 403, 429}, Verdict::quota_exhausted, account, true},
      {"experiencing high demand", {429, 503}, Verdict::overloaded, service},
      {"Out of call volume quota", {403, 429}, Verdict::quota_exhausted, unknown},
      {"Out of bandwidth quota", {403, 429}, Verdict::quota_exhausted, unknown},
      {"error code: 1020", {403}, Verdict::forbidden, egress},
      {"a secondary rate limit", {403, 429}, Verdict::rate_limited, unknown},
      {"abuse detection mechanism", {403, 429}, Verdict::rate_limited, unknown},
      {"Your location is not supported", {400, 403}, Verdict::forbidden, egress},
      {"Your key was reported as leaked", {400, 401, 403}, Verdict::token_invalid, token, true},
      {"Organization has been restricted", {400, 401, 403}, Verdict::token_invalid, token, true},
      {"Service tier capacity exceeded", {429, 503}, Verdict::overloaded, service},
      {"reached your usage limit", {403, 429}, Verdict::quota_exhausted, account},
      {"Your account has been deactivated", {401, 403}, Verdict::token_invalid, token, true},
      {"not on the IP allowlist", {401, 403}, Verdict::forbidden, egress},
      {"of 1000 API calls / month", {429}, Verdict::quota_exhausted, account},
      {"Invalid API token", {401}, Verdict::token_invalid, token, true},
  };
  for (const Row& row : rows) {
    for (const int status : row.statuses) {
      CAPTURE(row.body, status);
      const Classification meaning = classify(Answer{status, {}, row.body}, now);
      CHECK(meaning.verdict == row.verdict);
      CHECK(meaning.scope == row.scope);
      CHECK(meaning.eject == row.eject);
    }
    CHECK(classify(Answer{404, {}, row.body}, now).scope == unknown);
  }
}

TEST_CASE("a limit that the request itself is too large for is the caller's whatever its words") {
  const char* const body = R"({"error":{"code":"rate_limit_exceeded"}})";
  CHECK(classify(Answer{413, {}, body}, now).verdict == Verdict::caller_error);
  CHECK(classify(Answer{429, {}, body}, now).verdict == Verdict::rate_limited);
}

TEST_CASE("a 403 whose header speaks of a limit needs no words") {
  CHECK(classify(Answer{403, {{"x-ratelimit-remaining", "0"}}, {}}, now).verdict == Verdict::rate_limited);
  CHECK(classify(Answer{403, {{"x-ratelimit-remaining", "1"}}, {}}, now).verdict == Verdict::forbidden);
  CHECK(classify(Answer{403, {{"Retry-After", "5"}}, {}}, now).verdict == Verdict::rate_limited);
}

TEST_CASE("without the server's word a secondary limit rests for a minute") {
  for (const int status : {403, 429}) {
    CHECK(classify(Answer{status, {}, "You have exceeded a secondary rate limit"}, now).rest == 60s);
    CHECK(classify(Answer{status, {}, "You have triggered an abuse detection mechanism"}, now).rest == 60s);
  }
}

TEST_CASE("a conflict with a time to wait is a lock whatever its words") {
  CHECK(classify(Answer{409, {{"Retry-After", "1"}}, "conflict"}, now).verdict == Verdict::server_error);
  CHECK(classify(Answer{409, {}, "conflict"}, now).verdict == Verdict::caller_error);
}

TEST_CASE("a dialect's name is unique and every row has a sign") {
  const auto& dialects = default_dialects().dialects;
  for (const Dialect& dialect : dialects) {
    INFO(dialect.name);
    CHECK(std::count_if(dialects.begin(), dialects.end(),
                        [&](const Dialect& d) { return d.name == dialect.name; }) == 1);
    CHECK_FALSE(dialect.rows.empty());
    for (const DialectRow& row : dialect.rows) {
      CHECK_FALSE((row.word.empty() && row.text.empty() && row.header.empty()));
      CHECK(std::none_of(row.text.begin(), row.text.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
      CHECK((row.path.empty() || !row.word.empty()));
    }
  }
}
