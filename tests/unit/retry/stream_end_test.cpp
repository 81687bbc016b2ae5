#include "tokenpool/retry/stream_end.hpp"

#include <string>

#include "catch_compat.hpp"

using namespace tokenpool;

namespace {

ServerSentEvent named(std::string name, std::string data = "{}") {
  return {.event = std::move(name), .data = std::move(data)};
}
ServerSentEvent message(std::string data) { return named("message", std::move(data)); }

const ServerSentEvent chat_chunk = message(R"({"id":"1","object":"chat.completion.chunk","choices":[]})");

}  // namespace

TEST_CASE("the mark DONE ends every stream and is no event") {
  for (const char* mark : {"[DONE]", " [DONE] "}) {
    StreamEnd empty;
    CHECK(empty.read(message(mark)) == StreamSign::end);
    StreamEnd plain;
    plain.read(message("hello"));
    CHECK(plain.read(message(mark)) == StreamSign::end);
  }
  StreamEnd talking;
  CHECK(talking.read(message("say [DONE] when done")) == StreamSign::event);
}

TEST_CASE("a stream of choices has to end with DONE") {
  StreamEnd end;
  CHECK(end.read(chat_chunk) == StreamSign::event);
  CHECK_FALSE(end.may_end());
  CHECK(end.promised() == "[DONE]");
}

TEST_CASE("a stream of anything but choices promises no mark") {
  for (const char* data : {R"({"id":1})", R"(["choices"])", R"(say "choices")", ""}) {
    CAPTURE(data);
    StreamEnd end;
    CHECK(end.read(message(data)) == StreamSign::event);
    CHECK(end.may_end());
    CHECK(end.promised().empty());
  }
}

TEST_CASE("a stream of messages has to end with message_stop") {
  StreamEnd end;
  CHECK(end.read(named("message_start")) == StreamSign::event);
  CHECK(end.read(named("content_block_delta")) == StreamSign::event);
  CHECK_FALSE(end.may_end());
  CHECK(end.promised() == "message_stop");
  CHECK(end.read(named("message_stop")) == StreamSign::last_event);
}

TEST_CASE("a stream of response events has to end with one that says how") {
  for (const char* last : {"response.completed", "response.incomplete"}) {
    StreamEnd end;
    CHECK(end.read(named("response.created")) == StreamSign::event);
    CHECK(end.promised() == "response.completed");
    CHECK(end.read(named(last)) == StreamSign::last_event);
  }
}

TEST_CASE("any other stream may end with its body once it had an event") {
  StreamEnd end;
  CHECK_FALSE(end.may_end());
  CHECK(end.read(message("hello")) == StreamSign::event);
  CHECK(end.may_end());
  CHECK(end.promised().empty());
  CHECK(end.read(named("message_stop")) == StreamSign::event);
  CHECK(end.read(chat_chunk) == StreamSign::event);
  CHECK(end.may_end());
}

TEST_CASE("an event may be an error by its name or by how its data begins") {
  CHECK(may_be_error(named("error", "overloaded")));
  CHECK(may_be_error(named("response.failed")));
  CHECK(may_be_error(message(R"({"error":{"message":"no"}})")));
  CHECK(may_be_error(message(R"({"type":"error","error":{}})")));
  CHECK_FALSE(may_be_error(chat_chunk));
  CHECK_FALSE(may_be_error(named("message_start", R"({"type":"message_start"})")));
  CHECK(is_named_error(named("error")));
  CHECK_FALSE(is_named_error(message(R"({"error":1})")));
}
