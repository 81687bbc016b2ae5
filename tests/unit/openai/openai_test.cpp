#include "tokenpool/openai.hpp"

#include <string>
#include <vector>

#include "../client/scripted_client.hpp"
#include "catch_compat.hpp"

using namespace tokenpool;
using nlohmann::json;
using openai::ChatStream;
using test::ContainsSubstring;

namespace {

ServerSentEvent event(const json& data) { return {.event = "message", .data = data.dump()}; }

json chunk(const json& delta, const json& finish_reason = nullptr) {
  return {{"choices", {{{"index", 0}, {"delta", delta}, {"finish_reason", finish_reason}}}},
          {"usage", nullptr}};
}

json call(const json& index, const json& function, const json& id = nullptr) {
  json fragment{{"function", function}};
  if (!index.is_null()) fragment["index"] = index;
  if (!id.is_null()) fragment["id"] = id;
  return {{"tool_calls", {fragment}}};
}

Response answer(const json& body) { return {.status = 200, .body = body.dump()}; }

}  // namespace

TEST_CASE("a chat request has its messages and fields and the model as its bucket") {
  const Request request = openai::chat(
      "kimi",
      {openai::system("Be brief."), openai::user("Hello"), openai::assistant("Hi"), openai::tool("c1", "4")},
      {{"temperature", 0}, {"new_field", {1, 2}}});
  CHECK(request.method == "POST");
  CHECK(request.path == "/chat/completions");
  CHECK(request.bucket == "kimi");
  CHECK(json::parse(request.body.text()) ==
        json{{"model", "kimi"},
             {"temperature", 0},
             {"new_field", {1, 2}},
             {"messages",
              {{{"role", "system"}, {"content", "Be brief."}},
               {{"role", "user"}, {"content", "Hello"}},
               {{"role", "assistant"}, {"content", "Hi"}},
               {{"role", "tool"}, {"content", "4"}, {"tool_call_id", "c1"}}}}});
}

TEST_CASE("a stream asks for its usage unless told otherwise") {
  CHECK(json::parse(openai::chat_stream("m", {}).body.text()) ==
        json{{"model", "m"},
             {"messages", json::array()},
             {"stream", true},
             {"stream_options", {{"include_usage", true}}}});
  const Request without = openai::chat_stream("m", {}, {{"stream_options", nullptr}});
  CHECK(json::parse(without.body.text())["stream_options"] == nullptr);
}

TEST_CASE("further fields that are no object and texts that are no UTF-8 are refused") {
  CHECK_THROWS_WITH(openai::chat("m", {}, 3), "more is no JSON object: give the further fields by name");
  CHECK_THROWS_WITH(openai::chat_stream("m", {}, json::array()),
                    "more is no JSON object: give the further fields by name");
  CHECK_THROWS_AS(openai::chat("m", {openai::user("\xff")}), Error);
}

TEST_CASE("a whole answer is read") {
  const json body{{"choices",
                   {{{"index", 0},
                     {"finish_reason", "tool_calls"},
                     {"message",
                      {{"role", "assistant"},
                       {"content", "Hello"},
                       {"reasoning_content", "hm"},
                       {"refusal", nullptr},
                       {"tool_calls",
                        {{{"id", "c1"},
                          {"type", "function"},
                          {"function", {{"name", "add"}, {"arguments", "{\"a\":1}"}}}},
                         {{"id", "c2"}, {"function", {{"name", "mul"}, {"arguments", "{}"}}}}}}}}}}},
                  {"usage", {{"prompt_tokens", 3}, {"completion_tokens", 4}, {"total_tokens", 7}}}};
  const openai::Completion read = openai::completion_of(answer(body));
  CHECK(read.content == "Hello");
  CHECK(read.reasoning == "hm");
  CHECK(read.refusal.empty());
  CHECK(read.finish_reason == "tool_calls");
  REQUIRE(read.tool_calls.size() == 2);
  CHECK(read.tool_calls[0].id == "c1");
  CHECK(read.tool_calls[0].arguments == "{\"a\":1}");
  CHECK(read.tool_calls[1].name == "mul");
  REQUIRE(read.usage);
  CHECK(read.usage->prompt == 3);
  CHECK(read.usage->completion == 4);
  CHECK(read.usage->total == 7);
}

TEST_CASE("content that comes as a list of parts is one text") {
  const json parts =
      json::array({{{"type", "text"}, {"text", "a"}}, {{"type", "image"}}, {{"text", "b"}}, 3});
  CHECK(openai::completion_of(answer({{"choices", {{{"message", {{"content", parts}}}}}}})).content == "ab");
}

TEST_CASE("an answer that is no chat completion is a clear error") {
  for (const char* body : {"{}", R"({"choices": []})", R"({"choices": null})", R"({"choices": [{}]})", "[1]",
                           "3", R"({"choices": [{"message": 3}]})", R"({"choices": {"message": {}}})"}) {
    INFO(body);
    try {
      static_cast<void>(openai::completion_of({.status = 200, .body = body}));
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::protocol);
      CHECK_THAT(error.what(), ContainsSubstring("has no choice with a message"));
      CHECK(error.response());
    }
  }
  CHECK_THROWS_WITH(openai::completion_of({.status = 200, .body = "<html>"}),
                    ContainsSubstring("is not JSON"));
  CHECK_THROWS_WITH(openai::completion_of({.status = 404, .body = "{}"}), "the server answered 404");
}

TEST_CASE("a stream is put together from its events") {
  ChatStream stream;
  CHECK(stream.feed(event({{"choices", json::array()}, {"prompt_filter_results", json::array()}})).empty());
  CHECK(stream.feed(event(chunk({{"role", "assistant"}, {"content", ""}}))).empty());
  CHECK(stream.feed(event(chunk({{"content", "Hel"}}))) == "Hel");
  CHECK(stream.feed(event(chunk({{"content", "lo"}}))) == "lo");
  CHECK(stream.feed(event(chunk({{"content", nullptr}, {"reasoning_content", "hm"}}))).empty());
  CHECK(stream.feed(event(chunk(json::object(), "stop"))).empty());
  CHECK_FALSE(stream.completion().usage);
  CHECK(stream
            .feed(event({{"choices", json::array()},
                         {"usage", {{"prompt_tokens", 3}, {"completion_tokens", 2}, {"total_tokens", 5}}}}))
            .empty());
  CHECK(stream.completion().content == "Hello");
  CHECK(stream.completion().reasoning == "hm");
  CHECK(stream.completion().finish_reason == "stop");
  CHECK(stream.completion().usage->total == 5);
}

TEST_CASE("fragments of several tool calls come together by their index") {
  ChatStream stream;
  stream.feed(event(chunk(call(0, {{"name", "add"}, {"arguments", ""}}, "c0"))));
  stream.feed(event(chunk(call(0, {{"arguments", "{\"a\""}}))));
  stream.feed(event(chunk(call(1, {{"name", "mul"}, {"arguments", "{"}}, "c1"))));
  stream.feed(event(chunk(call(0, {{"name", "add"}, {"arguments", ":1}"}}, ""))));
  stream.feed(event(chunk(call(1, {{"name", nullptr}, {"arguments", "}"}}))));
  stream.feed(event(chunk(call(1'000'000'000'000, {{"name", "far"}}))));
  const auto& calls = stream.completion().tool_calls;
  REQUIRE(calls.size() == 3);
  CHECK(calls[0].id == "c0");
  CHECK(calls[0].name == "add");
  CHECK(calls[0].arguments == "{\"a\":1}");
  CHECK(calls[1].name == "mul");
  CHECK(calls[1].arguments == "{}");
  CHECK(calls[2].name == "far");
}

TEST_CASE("without an index a new id begins a new tool call") {
  ChatStream stream;
  stream.feed(event(chunk(call(nullptr, {{"name", "add"}, {"arguments", "{"}}, "c0"))));
  stream.feed(event(chunk(call(nullptr, {{"arguments", "}"}}))));
  stream.feed(event(chunk(call(nullptr, {{"name", "mul"}, {"arguments", "{}"}}, "c1"))));
  const auto& calls = stream.completion().tool_calls;
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].arguments == "{}");
  CHECK(calls[1].name == "mul");
}

TEST_CASE("of several choices the first is read wherever it stands") {
  ChatStream stream;
  CHECK(stream.feed(event({{"choices",
                            {{{"index", 1}, {"delta", {{"content", "no"}}}},
                             {{"index", 0}, {"delta", {{"content", "yes"}}}}}}})) == "yes");
  CHECK(stream.feed(event({{"choices", {{{"index", 1}, {"delta", {{"content", "no"}}}}}}})).empty());
  CHECK(stream.completion().content == "yes");
}

TEST_CASE("an event of the wrong shape adds nothing and one that is no JSON is a clear error") {
  ChatStream stream;
  for (const char* data :
       {"{}", "[]", "3", "null", "\"x\"", R"({"choices": 3})", R"({"choices": [3, null]})",
        R"({"choices": {"delta": {"content": "x"}}})", R"({"choices": [{"delta": []}]})",
        R"({"choices": [{"index": 0, "delta": {"content": 3, "tool_calls": 7}}], "usage": 3})",
        R"({"choices": [{"delta": {"tool_calls": [3, null]}, "finish_reason": {}}]})"}) {
    INFO(data);
    CHECK(stream.feed({.event = "message", .data = data}).empty());
  }
  CHECK(stream.completion().tool_calls.empty());
  CHECK(stream.completion().finish_reason.empty());
  CHECK_FALSE(stream.completion().usage);
  CHECK(stream.feed({.event = "ping", .data = "no JSON"}).empty());
  CHECK_THROWS_WITH(stream.feed({.event = "message", .data = "{\"choices\""}),
                    "an event of the stream (10 bytes) is not JSON");
}

TEST_CASE("what an answer cost is its usage") {
  CHECK(openai::cost_of(answer({{"usage", {{"total_tokens", 12}}}})) == 12);
  CHECK(openai::cost_of(answer({{"usage", {{"prompt_tokens", 5}, {"completion_tokens", 6}}}})) == 11);
  CHECK(openai::cost_of(answer({{"usage", {{"input_tokens", 5}, {"output_tokens", 2}}}})) == 7);
  CHECK(openai::cost_of(answer({{"choices", {{{"index", 0}, {"usage", {{"total_tokens", 9}}}}}}})) == 9);
}

TEST_CASE("numbers that no server should send are bounded") {
  CHECK(openai::cost_of(answer({{"usage", {{"total_tokens", -3}, {"prompt_tokens", "5"}}}})) == 0);
  CHECK(openai::cost_of({.status = 200,
                         .body = R"({"usage": {"prompt_tokens": 18446744073709551615, "completion_tokens": )"
                                 R"(18446744073709551615, "total_tokens": 1.5}})"}) == 2'000'000'000'000'000);
}

TEST_CASE("an answer that does not tell its usage leaves the estimate") {
  for (const char* body : {"", "{}", "<html>", "[1]", R"({"usage": null})", "data: [DONE]\n\n",
                           "data: {\"usage\"\n", "data: {\"usage\":null}\n\n"}) {
    INFO(body);
    CHECK_FALSE(openai::cost_of({.status = 200, .body = body}));
  }
}

TEST_CASE("what a stream cost is found at its end") {
  const std::string end = GENERATE("\n", "\r\n");
  const std::string usage =
      "data: " + json{{"choices", json::array()}, {"usage", {{"total_tokens", 21}}}}.dump() + end + end;
  const std::string text = "data: " + chunk({{"content", "\"usage\""}}).dump() + end + end;
  std::string body = R"(ontent": "cut off in the middle"}}]})" + end + end;
  for (int i = 0; i < 3; ++i) body += text;
  body += usage + "data: [DONE]" + end + end;
  CHECK(openai::cost_of({.status = 200, .body = body}) == 21);
  CHECK(openai::cost_of({.status = 200, .body = usage.substr(0, usage.size() - 2 * end.size())}) == 21);
}

TEST_CASE("a chat over a pool counts what the usage says") {
  test::ScriptedClient t(1, {.limits = {{.amount = 100, .window = std::chrono::hours(1), .unit = Unit::cost}},
                             .cost_of = openai::cost_of});
  t.transport
      ->answer(
          200,
          json{{"choices", {{{"message", {{"content", "Hi"}}}}}}, {"usage", {{"total_tokens", 40}}}}.dump())
      .answer(200,
              "data: " + chunk({{"content", "Hi"}}).dump() +
                  "\n\ndata: " + json{{"choices", json::array()}, {"usage", {{"total_tokens", 30}}}}.dump() +
                  "\n\ndata: [DONE]\n\n",
              {{"Content-Type", "text/event-stream"}});
  CHECK(openai::completion_of(t.client->send(openai::chat("m", {openai::user("Hello")}))).content == "Hi");
  ChatStream stream;
  t.client->stream(openai::chat_stream("m", {openai::user("Hello")}),
                   [&](const ServerSentEvent& one) { stream.feed(one); });
  CHECK(stream.completion().content == "Hi");
  CHECK(stream.completion().usage->total == 30);
  CHECK(t.client->stats().egresses[0].limits[0].used == 70);
}
