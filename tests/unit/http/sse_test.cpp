#include "tokenpool/http/sse.hpp"

#include <stdexcept>
#include <vector>

#include "catch_compat.hpp"

using tokenpool::ServerSentEvent;
using tokenpool::SseParser;
using tokenpool::SseStatus;
using namespace std::chrono_literals;

namespace {

std::vector<ServerSentEvent> events_of(std::string_view bytes, std::size_t chunk = 1 << 20) {
  std::vector<ServerSentEvent> events;
  SseParser parser;
  for (; !bytes.empty(); bytes.remove_prefix((std::min)(chunk, bytes.size()))) {
    parser.feed(bytes.substr(0, chunk), [&](const ServerSentEvent& event) { events.push_back(event); });
  }
  return events;
}

std::vector<std::string> data_of(std::string_view bytes) {
  std::vector<std::string> data;
  for (const auto& event : events_of(bytes)) data.push_back(event.data);
  return data;
}

ServerSentEvent message(std::string data) { return ServerSentEvent{"message", std::move(data), {}, {}}; }

}  // namespace

TEST_CASE("a blank line ends an event and joins its data lines") {
  CHECK(events_of("data: a\ndata: b\n\n") == std::vector{message("a\nb")});
}

TEST_CASE("an event has the name that the stream gave it for this one event") {
  const auto events = events_of("event: delta\ndata: 1\n\ndata: 2\n\n");
  CHECK(events == std::vector{ServerSentEvent{"delta", "1", {}, {}}, message("2")});
}

TEST_CASE("an event without a data line is none and its name is forgotten") {
  CHECK(events_of("event: ping\n\ndata: x\n\n") == std::vector{message("x")});
}

TEST_CASE("an empty data line makes an event with empty data") {
  CHECK(events_of("data\n\n") == std::vector{message("")});
  CHECK(events_of("data:\n\n") == std::vector{message("")});
  CHECK(events_of("data\ndata\n\n") == std::vector{message("\n")});
}

TEST_CASE("exactly one space behind the colon is dropped") {
  CHECK(data_of("data:a\n\ndata: b\n\ndata:  c\n\ndata:\td\n\n") ==
        std::vector<std::string>{"a", "b", " c", "\td"});
}

TEST_CASE("lines end with LF or CR or both") {
  const std::vector<std::string> wanted{"a\nb", "c"};
  CHECK(data_of("data:a\ndata:b\n\ndata:c\n\n") == wanted);
  CHECK(data_of("data:a\rdata:b\r\rdata:c\r\r") == wanted);
  CHECK(data_of("data:a\r\ndata:b\r\n\r\ndata:c\r\n\r\n") == wanted);
  CHECK(data_of("data:a\r\ndata:b\n\rdata:c\n\n") == wanted);
}

TEST_CASE("chunks may end anywhere") {
  const std::string_view stream =
      "\xEF\xBB\xBF: hello\r\nid: 7\r\nevent: x\r\ndata: {\"t\":\"\u4f60\"}\r\ndata: b\r\n\r\nretry: "
      "5\rdata: z\r\r";
  const auto whole = events_of(stream);
  REQUIRE(whole.size() == 2);
  for (std::size_t chunk = 1; chunk < stream.size(); ++chunk) {
    INFO(chunk);
    CHECK(events_of(stream, chunk) == whole);
  }
}

TEST_CASE("a byte order mark is dropped at the very start only") {
  CHECK(data_of("\xEF\xBB\xBF"
                "data: a\n\n\xEF\xBB\xBF"
                "data: b\n\ndata: c\n\n") == std::vector<std::string>{"a", "c"});
}

TEST_CASE("comments and unknown fields are ignored") {
  CHECK(data_of(": keep-alive\n\nfoo: bar\nDATA: no\n data: no\ndata: yes\n\n") ==
        std::vector<std::string>{"yes"});
}

TEST_CASE("an id stays until the next one and an empty one clears it") {
  const auto events = events_of("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n");
  REQUIRE(events.size() == 3);
  CHECK(events[0].id == "1");
  CHECK(events[1].id == "1");
  CHECK(events[2].id.empty());
}

TEST_CASE("an id with a NUL in it is ignored") {
  using namespace std::string_view_literals;
  const auto events = events_of("id: 1\nid: 2\0\ndata: a\n\n"sv);
  REQUIRE(events.size() == 1);
  CHECK(events[0].id == "1");
}

TEST_CASE("a retry of digits only is the reconnection time from then on") {
  const auto events = events_of("retry: 3000\ndata: a\n\nretry: 1s\nretry: -1\nretry:\ndata: b\n\n");
  REQUIRE(events.size() == 2);
  CHECK(events[0].retry == 3000ms);
  CHECK(events[1].retry == 3000ms);
}

TEST_CASE("an absurd retry is ignored") {
  const auto events = events_of("retry: 99999999999999999999\ndata: a\n\n");
  REQUIRE(events.size() == 1);
  CHECK_FALSE(events[0].retry);
}

TEST_CASE("an event that is unfinished at the end is dropped") {
  CHECK(events_of("data: a\n\ndata: b\n") == std::vector{message("a")});
  CHECK(events_of("data: a\n\ndata: b") == std::vector{message("a")});
}

TEST_CASE("a callback that returns false stops the parser for good") {
  SseParser parser;
  int seen = 0;
  const auto stop = [&](const ServerSentEvent&) { return ++seen < 2; };
  CHECK(parser.feed("data: a\n\n", stop) == SseStatus::more);
  CHECK(parser.feed("data: b\n\ndata: c\n\n", stop) == SseStatus::stopped);
  CHECK(parser.feed("data: d\n\n", stop) == SseStatus::stopped);
  CHECK(seen == 2);
}

TEST_CASE("an event that outgrows the bound ends the reading") {
  const auto ignore = [](const ServerSentEvent&) {};
  SECTION("in one line") {
    SseParser parser{100};
    for (int i = 0; i < 9; ++i) CHECK(parser.feed("data: 6789", ignore) == SseStatus::more);
    CHECK(parser.feed("data: 67890", ignore) == SseStatus::too_large);
    CHECK(parser.feed("\n\n", ignore) == SseStatus::too_large);
  }
  SECTION("in many lines") {
    SseParser parser{100};
    std::string lines;
    for (int i = 0; i < 30; ++i) lines += "data: 6789\n";
    CHECK(parser.feed(lines, ignore) == SseStatus::too_large);
    CHECK(parser.status() == SseStatus::too_large);
  }
}

TEST_CASE("many small events in one chunk stay within the bound") {
  std::string stream;
  for (int i = 0; i < 100; ++i) stream += "data: 6789\n\n";
  SseParser parser{40};
  int seen = 0;
  CHECK(parser.feed(stream, [&](const ServerSentEvent&) { ++seen; }) == SseStatus::more);
  CHECK(seen == 100);
}

TEST_CASE("what the callback throws passes through and the parser goes on behind that event") {
  SseParser parser;
  const auto fail = [](const ServerSentEvent&) { throw std::runtime_error("full"); };
  CHECK_THROWS_AS(parser.feed("data: a\n\n", fail), std::runtime_error);
  std::vector<std::string> seen;
  parser.feed("data: b\n\n", [&](const ServerSentEvent& event) { seen.push_back(event.data); });
  CHECK(seen == std::vector<std::string>{"b"});
}

TEST_CASE("events can be taken one at a time from the bytes at hand") {
  SseParser parser;
  std::string_view bytes = "data: a\n\ndata: b\n\nda";
  CHECK(parser.next(bytes) == message("a"));
  CHECK(bytes == "data: b\n\nda");
  CHECK(parser.next(bytes) == message("b"));
  CHECK_FALSE(parser.next(bytes));
  CHECK(bytes.empty());
  bytes = "ta: c\n\n";
  CHECK(parser.next(bytes) == message("c"));
}
