#include "answers.hpp"

#include <nlohmann/json.hpp>

#include "catch_compat.hpp"

using namespace quota_server;
using nlohmann::json;

namespace {

Chat hello() {
  return parse_chat(R"({"model":"m","messages":[
    {"role":"system","content":"be kind"},
    {"role":"user","content":"first"},
    {"role":"assistant","content":"yes"},
    {"role":"user","content":"Hello  \"world\""}]})");
}

}  // namespace

TEST_CASE("the answer echoes the last user message and counts words as usage") {
  const json answer = json::parse(completion(hello()));
  CHECK(answer["choices"][0]["message"]["content"] == "echo: Hello  \"world\"");
  CHECK(answer["choices"][0]["finish_reason"] == "stop");
  CHECK(answer["model"] == "m");
  CHECK(answer["usage"]["prompt_tokens"] == 6);
  CHECK(answer["usage"]["total_tokens"] == 9);
}

TEST_CASE("the streamed pieces joined are the whole answer and DONE is the last event") {
  const std::vector<std::string> events = completion_events(hello());
  std::string joined;
  for (std::size_t i = 0; i + 1 < events.size(); ++i) {
    CHECK_THAT(events[i], test::StartsWith("data: {") && test::EndsWith("}\n\n"));
    joined += json::parse(events[i].substr(6))["choices"][0]["delta"].value("content", "");
  }
  CHECK(joined == "echo: Hello  \"world\"");
  CHECK(events.back() == "data: [DONE]\n\n");
  CHECK(json::parse(events[events.size() - 2].substr(6))["usage"]["total_tokens"] == 9);
}

TEST_CASE("a message in parts is its texts joined") {
  const Chat chat = parse_chat(
      R"({"messages":[{"role":"user","content":[{"type":"text","text":"a "},{"type":"image_url"},{"type":"text","text":"b"}]}]})");
  CHECK(chat.prompt == "a b");
}

TEST_CASE("a body that is no chat request is refused") {
  for (const char* body : {"", "{", "[]", "{}", R"({"messages":1})", R"({"messages":[1]})",
                           R"({"messages":[{"content":"no role"}]})", R"({"messages":[],"stream":"yes"})"}) {
    CHECK_THROWS_AS(parse_chat(body), std::invalid_argument);
  }
}

TEST_CASE("an error body has the four members of OpenAI") {
  const json error = json::parse(error_body("no", "requests", "rate_limit_exceeded"))["error"];
  CHECK(error ==
        json{{"message", "no"}, {"type", "requests"}, {"param", nullptr}, {"code", "rate_limit_exceeded"}});
  CHECK(json::parse(error_body("no", "server_error", ""))["error"]["code"].is_null());
}
