// A server that repeats the credential wherever it can, and a transport that quotes it in its errors: nothing
// that the client says may show it, and nothing that the server said may be changed.

#include <string>

#include "catch_compat.hpp"
#include "scripted_client.hpp"
#include "tokenpool/json/json.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::ScriptedClient;

namespace {

const std::string secret = "sk-canary-0";

/// All that an Error and its trail say in the client's own words.
std::string words_of(const Error& error) {
  std::string words = error.what();
  for (const Attempt& attempt : error.attempts()) {
    words += "\n" + attempt.token_id + attempt.egress_id + attempt.reason;
    for (const Skipped& skipped : attempt.skipped) words += skipped.token_id + skipped.reason;
  }
  return words;
}

}  // namespace

TEST_CASE("what a transport quotes of the secret is masked") {
  for (const FailureKind kind : {FailureKind::connect, FailureKind::tls, FailureKind::protocol,
                                 FailureKind::unfit, FailureKind::lost}) {
    ScriptedClient t(1, {.retry = {.max_attempts = 1}});
    t.transport->fail(kind, true, "cannot send Bearer " + secret + " there");
    const auto result = t.post();
    REQUIRE_FALSE(result);
    CHECK_THAT(words_of(result.error()), !ContainsSubstring(secret));
    CHECK_THAT(words_of(result.error()), ContainsSubstring("cannot send Bearer *** there"));
  }
}

TEST_CASE("an answer that repeats the secret is kept as it is and not repeated by us") {
  const std::string body = R"({"error": {"message": "key )" + secret + R"( is over its rate limit"}})";
  std::string heard;
  ScriptedClient t(
      1, {.limits = {},
          .observer = {.on_attempt = [&](const AttemptEvent& event) { heard += event.attempt.reason; },
                       .on_rest = [&](const RestEvent& event) { heard += event.reason; },
                       .on_exhausted = [&](const ExhaustedEvent& event) { heard += event.reason; }}});
  t.transport->answer(429, body, {{"Retry-After", "3600"}, {"X-Echo", secret}});
  const auto result = t.get();
  REQUIRE_FALSE(result);
  REQUIRE(result.error().response());
  CHECK(result.error().response()->body == body);
  CHECK(result.error().response()->headers.get("X-Echo") == secret);
  CHECK_THAT(words_of(result.error()) + heard, !ContainsSubstring(secret));
  CHECK_THAT(to_json(t.client->stats()).dump(), !ContainsSubstring(std::string(test::canary)));
}

TEST_CASE("a classifier that quotes the secret is masked") {
  ScriptedClient t(1, {.classify = {[](const Answer&, WallTime) {
                         return Classification{.verdict = Verdict::server_error, .reason = "bad " + secret};
                       }}});
  t.transport->answer(500);
  const auto result = t.get();
  CHECK_THAT(words_of(result.error()), !ContainsSubstring(secret) && ContainsSubstring("bad ***"));
}

TEST_CASE("a delivered answer is what the server sent") {
  ScriptedClient t(1);
  t.transport->answer(200, "you are " + secret);
  CHECK(t.get()->body == "you are " + secret);
}
