#include "tokenpool/retry/evidence.hpp"

#include "catch_compat.hpp"
#include "tokenpool/retry/default_dialects.hpp"

using namespace tokenpool;
using detail::begins_like_an_error;
using detail::gather;
using detail::matches;

TEST_CASE("a pattern is the whole word but for a star at either end") {
  CHECK(matches("slow_down", "SLOW_DOWN"));
  CHECK_FALSE(matches("slow_down_now", "slow_down"));
  CHECK(matches("slow_down_now", "slow*"));
  CHECK(matches("do_slow_down", "*down"));
  CHECK(matches("RequestsPerDayPerProject", "*perday*"));
  CHECK_FALSE(matches("slow", "slow_down*"));
  CHECK_FALSE(matches("", "x"));
}

TEST_CASE("codes and types and prose are gathered from their places") {
  const Answer answer{
      429,
      {},
      R"({"error":{"code":"c","type":"t","message":"Prose","other":"x"},"choices":[{"code":"no"}]})"};
  const auto evidence = gather(answer, default_dialects());
  REQUIRE(evidence.codes.size() == 1);
  CHECK((evidence.codes[0].path == "error.code" && evidence.codes[0].text == "c"));
  REQUIRE(evidence.types.size() == 1);
  CHECK(evidence.types[0].text == "t");
  CHECK(evidence.prose == "prose\n");
  CHECK(evidence.status == 429);
}

TEST_CASE("words that are too long or too many are left out") {
  std::string body = "{\"errors\":[{\"code\":\"" + std::string(1000, 'x') + "\"}";
  for (int i = 0; i < 100; ++i) body += ",{\"code\":\"c\"}";
  CHECK(gather(Answer{400, {}, body + "]}"}, default_dialects()).codes.size() == 16);
  const auto kept = [](std::size_t length) {
    const std::string code(length, 'x');
    return gather(Answer{400, {}, R"({"code":")" + code + "\"}"}, default_dialects()).codes.size();
  };
  CHECK(kept(0) == 0);
  CHECK(kept(128) == 1);
  CHECK(kept(129) == 0);
}

TEST_CASE("a header's word counts by its first 128 letters") {
  const Answer answer{400, {{"x-amzn-errortype", "Throttling" + std::string(200, 'x')}}, {}};
  const auto evidence = gather(answer, default_dialects());
  REQUIRE(evidence.codes.size() == 1);
  CHECK(evidence.codes[0].text == "Throttling" + std::string(118, 'x'));
}

TEST_CASE("an error inside a success stands for the status it names") {
  const auto evidence = gather(Answer{200, {}, R"({"error":{"code":502}})"}, default_dialects());
  CHECK(evidence.is_error_in_success);
  CHECK(evidence.status == 502);
  CHECK(gather(Answer{200, {}, R"({"error":{"code":"x"}})"}, default_dialects()).status == 200);
  CHECK(gather(Answer{500, {}, R"({"error":{"code":429}})"}, default_dialects()).status == 500);
}

TEST_CASE("an error that is null is none") {
  CHECK_FALSE(gather(Answer{200, {}, R"({"error":null,"id":1})"}, default_dialects()).is_error_in_success);
}

TEST_CASE("the scope is read from header and body in the words of several providers") {
  const auto scope = [](Headers headers, std::string body) {
    return gather(Answer{429, std::move(headers), std::move(body)}, default_dialects()).scope;
  };
  CHECK(scope({{"X-RateLimit-Scope", "user"}}, "") == LimitScope::token);
  CHECK(scope({{"X-RateLimit-Scope", "shared"}}, "") == LimitScope::bucket);
  CHECK(scope({{"X-RateLimit-Scope", "IP"}}, "") == LimitScope::egress);
  CHECK(scope({{"X-RateLimit-Scope", "account"}}, "") == LimitScope::account);
  CHECK(scope({{"X-RateLimit-Scope", "service"}}, "") == LimitScope::service);
  CHECK(scope({{"X-RateLimit-Global", "true"}}, "") == LimitScope::token);
  CHECK(scope({}, R"({"global":true})") == LimitScope::token);
  CHECK(scope({}, R"({"error":{"scope":"ip"}})") == LimitScope::egress);
  CHECK(scope({{"X-RateLimit-Scope", "galaxy"}}, R"({"global":false})") == LimitScope::unknown);
}

TEST_CASE("a body begins like an error if its first key is an error's") {
  for (const auto* body : {R"({"error":1})", "\t{\r\n \"code\" : 1}", R"({"message":"x"})",
                           R"({"detail":[]})", R"({"errors":[]})", R"({"type": "error","error":{}})"}) {
    INFO(body);
    CHECK(begins_like_an_error(body));
  }
  CHECK(begins_like_an_error(std::string(249, ' ') + R"({"error":1})"));
  CHECK_FALSE(begins_like_an_error(std::string(250, ' ') + R"({"error":1})"));
  for (const auto* body : {"", "{}", "{", R"({"id":1,"error":null})", R"([{"error":1}])", "error",
                           R"({"codes":1})", R"({"type":"message"})"}) {
    INFO(body);
    CHECK_FALSE(begins_like_an_error(body));
  }
}
