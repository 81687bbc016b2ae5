#include "tokenpool/json/json.hpp"

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "../client/scripted_client.hpp"
#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ScriptedClient;

namespace {

std::string names_of(const nlohmann::json& object) {
  std::string names;
  for (const auto& entry : object.items()) names += (names.empty() ? "" : " ") + entry.key();
  return names;
}

/// The names of all members, however deep.
std::set<std::string> members_of(const nlohmann::json& json) {
  std::set<std::string> names;
  for (const auto& entry : json.items()) {
    if (json.is_object()) names.insert(entry.key());
    if (entry.value().is_structured()) names.merge(members_of(entry.value()));
  }
  return names;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the body of an answer is read as JSON") {
  CHECK(Response{.status = 200, .body = R"({"a": [1, 2]})"}.json()["a"][1] == 2);
}

TEST_CASE("a body that is no JSON is an Error that holds the answer") {
  for (const char* body : {"", "<html>", "{\"a\":", "{} x", "\xff"}) {
    try {
      static_cast<void>(Response{.status = 502, .body = body}.json());
      FAIL("no error for " << body);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::protocol);
      CHECK_THAT(error.what(), test::ContainsSubstring("(status 502"));
      REQUIRE(error.response());
      CHECK(error.response()->body == body);
    }
  }
}

TEST_CASE("post and put and patch send JSON") {
  ScriptedClient t(1);
  t.transport->answer(200).answer(200).answer(200);
  t.client->post("/x", {{"a", 1}});
  t.client->put("/x", {1, 2});
  t.client->patch("/x", nlohmann::json());
  const auto sent = t.transport->sent();
  CHECK(sent[0].method + sent[0].body == "POST{\"a\":1}");
  CHECK(sent[1].method + sent[1].body == "PUT[1,2]");
  CHECK(sent[2].method + sent[2].body == "PATCHnull");
  CHECK(sent[0].headers.get("Content-Type") == "application/json");
}

TEST_CASE("JSON with a text that is no UTF-8 is refused before anything is sent") {
  ScriptedClient t(1);
  CHECK_THROWS_WITH(t.client->post("/x", {{"a", "\xff"}}),
                    "body has a text that is not UTF-8: convert it first");
  CHECK(t.transport->sent().empty());
}

TEST_CASE("a snapshot as JSON has every member that is promised") {
  ScriptedClient t(2, {.limits = {Limit::per_token(5, 1h), Limit::per_egress(9, 1h)}});
  t.transport->answer(429, "{}", {{"Retry-After", "60"}}).answer(200);
  REQUIRE(t.get());
  const nlohmann::json json = to_json(t.client->stats());

  CHECK(names_of(json["pool"]) ==
        "available disabled ejected failures rate_limited requests resting successes waiting waits");
  for (const char* name : {"id", "account", "state", "rest_ms", "cause", "in_flight", "requests", "successes",
                           "rate_limited", "failures", "limits", "server"}) {
    INFO(name);
    CHECK(json["tokens"][0].contains(name));
  }
  for (const char* name :
       {"id", "state", "cause", "in_flight", "requests", "successes", "rate_limited", "failures", "limits"}) {
    INFO(name);
    CHECK(json["egresses"][0].contains(name));
  }
  CHECK(json["accounts"].empty());
  CHECK(names_of(json["tokens"][0]["limits"][0]) == "amount resets_ms scope unit used window_ms");
}

TEST_CASE("a snapshot as JSON tells what happened") {
  ScriptedClient t(2, {.limits = {Limit::per_token(5, 1h)}});
  t.transport->answer(429, "{}", {{"Retry-After", "60"}}).answer(200);
  REQUIRE(t.get());
  const nlohmann::json json = to_json(t.client->stats());
  const nlohmann::json& resting = json["tokens"][0];
  const nlohmann::json& serving = json["tokens"][1];

  CHECK(resting["id"] == "t0");
  CHECK(resting["state"] == "resting");
  CHECK(resting["rest_ms"] == 60000);
  CHECK(resting["rate_limited"] == 1);
  CHECK(serving["state"] == "available");
  CHECK_FALSE(serving.contains("rest_ms"));
  CHECK(serving["successes"] == 1);
  CHECK(serving["limits"][0]["scope"] == "token");
  CHECK(serving["limits"][0]["unit"] == "requests");
  CHECK(serving["limits"][0]["amount"] == 5);
  CHECK(serving["limits"][0]["used"] == 1);
  CHECK(serving["limits"][0]["window_ms"] == 3600000);
  CHECK(serving["limits"][0]["resets_ms"] == 3600000);
  CHECK(json["egresses"][0]["requests"] == 2);
  CHECK(json["pool"]["available"] == 1);
  CHECK(json["pool"]["resting"] == 1);
}

TEST_CASE("a snapshot as JSON lists accounts like egresses") {
  std::vector<Token> tokens = parse_tokens("sk-a, sk-b, sk-c");
  tokens[0].account = tokens[1].account = "acme";
  ScriptedClient t(0, {.tokens = tokens, .limits = {Limit::per_account(5, 1h)}});
  t.transport->answer(429, R"({"error":{"scope":"account"}})", {{"Retry-After", "60"}}).answer(200);
  REQUIRE(t.get());
  const nlohmann::json json = to_json(t.client->stats());
  REQUIRE(json["accounts"].size() == 1);
  const nlohmann::json& account = json["accounts"][0];
  CHECK(account["id"] == "acme");
  CHECK(account["state"] == "resting");
  CHECK(account["rest_ms"] == 60000);
  CHECK(account["rate_limited"] == 1);
  CHECK(account["limits"][0]["used"] == 1);
  CHECK(account["last_error"] ==
        nlohmann::json{
            {"verdict", "rate_limited"}, {"status", 429}, {"reason", "too fast (HTTP 429)"}, {"age_ms", 0}});
  CHECK(account.size() == json["egresses"][0].size() + 1);
}

TEST_CASE("a snapshot as JSON can be written whatever bytes its names have") {
  PoolSnapshot snapshot;
  snapshot.tokens.emplace_back();
  TokenSnapshot& token = snapshot.tokens.back();
  token.id = token.account = token.cause = "caf\xE9";
  token.last_error = LastError{.reason = "\xFF"};
  token.server = {{.name = "\xFE"}};
  token.buckets = {{.id = "\xFD"}};
  std::string text;
  CHECK_NOTHROW(text = to_json(snapshot).dump());
  CHECK_THAT(text, test::ContainsSubstring("\"id\":\"caf?\""));
}

TEST_CASE("a secret serialises as stars") { CHECK(nlohmann::json(Secret("sk-canary")).dump() == "\"***\""); }

TEST_CASE("the page on the snapshot shows what a pool really tells and leaves no member out") {
  const std::string page = text_of(std::string(TOKENPOOL_DOCS) + "/snapshot.md");
  const std::size_t begin = page.find("```json\n") + 8;
  const std::size_t end = page.find("```", begin);
  REQUIRE(end != std::string::npos);
  const nlohmann::json shown = nlohmann::json::parse(page.substr(begin, end - begin));

  std::vector<Token> tokens{{.secret = "sk-canary-a", .id = "alpha", .account = "acme"},
                            {.secret = "sk-canary-b", .id = "beta"}};
  ScriptedClient t(0, {.tokens = tokens,
                       .limits = {Limit::per_token(2, 1min), Limit::per_account(200, 24h)},
                       .egress = {{.id = "office", .source = "192.0.2.7"}}});
  t.transport->answer(200, "{}", {}, 420ms).answer(200, "{}", {}, 380ms).answer(200, "{}", {}, 510ms);
  for (int call = 0; call < 3; ++call) REQUIRE(t.get());
  t.transport
      ->answer(429, "{}",
               {{"Retry-After", "120"},
                {"X-RateLimit-Limit-Requests", "100"},
                {"X-RateLimit-Remaining-Requests", "0"},
                {"X-RateLimit-Reset-Requests", "120s"}},
               80ms)
      .answer(200, "{}", {}, 450ms);
  REQUIRE(t.get());
  t.clock.advance(5s);
  const nlohmann::json told = to_json(t.client->stats());
  INFO(told.dump(2));
  CHECK(shown == told);

  std::set<std::string> explained;
  const std::regex row_head("\\| ((?:`\\w+`(?:, )?)+) \\|");
  for (auto row = std::sregex_iterator(page.begin() + static_cast<std::ptrdiff_t>(end), page.end(), row_head);
       row != std::sregex_iterator(); ++row) {
    const std::string names = row->str(1);
    const std::regex name("\\w+");
    explained.insert(std::sregex_token_iterator(names.begin(), names.end(), name), {});
  }
  std::set<std::string> members = members_of(told);
  for (const char* list : {"version", "tokens", "accounts", "egresses", "pool"}) members.erase(list);
  CHECK(explained == members);
}
