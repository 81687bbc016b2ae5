#include "tokenpool/http/body.hpp"

#include <algorithm>
#include <memory>
#include <string>

#include "catch_compat.hpp"

using namespace tokenpool;

namespace {

/// A body that produces `text` once.
Body one_shot(std::string text) {
  auto rest = std::make_shared<std::string>(std::move(text));
  return Body::from([rest](char* buffer, std::size_t capacity) {
    const std::size_t count = rest->copy(buffer, capacity);
    rest->erase(0, count);
    return count;
  });
}

}  // namespace

TEST_CASE("a text can be sent as often as one likes") {
  Body body("hello");
  CHECK_FALSE(body.streamed());
  CHECK(body.size() == 5);
  CHECK(body.repeatable());
  CHECK(body.rewind());
  CHECK(body.rewind());
  CHECK(body.text() == "hello");
}

TEST_CASE("a body without text is empty") {
  CHECK(Body().empty());
  CHECK(Body("").empty());
  CHECK_FALSE(Body("x").empty());
  CHECK_FALSE(one_shot("").empty());
}

TEST_CASE("a producer without rewind can be sent once") {
  Body body = one_shot("hello");
  CHECK(body.streamed());
  CHECK(body.size() == std::nullopt);
  CHECK(body.repeatable());
  CHECK(body.rewind());
  char buffer[8];
  CHECK(body.read(buffer, sizeof buffer) == 5);
  CHECK_FALSE(body.repeatable());
  CHECK_FALSE(body.rewind());
}

TEST_CASE("a producer with rewind can be sent again unless the rewind fails") {
  bool can = true;
  int rewinds = 0;
  Body body =
      Body::from([](char*, std::size_t) { return std::size_t{0}; }, 0, [&] { return ++rewinds, can; });
  char buffer[8];
  CHECK(body.rewind());
  CHECK(rewinds == 0);
  static_cast<void>(body.read(buffer, sizeof buffer));
  CHECK(body.repeatable());
  CHECK(body.rewind());
  CHECK(rewinds == 1);
  static_cast<void>(body.read(buffer, sizeof buffer));
  can = false;
  CHECK_FALSE(body.rewind());
}

TEST_CASE("a body needs a producer") {
  CHECK_THROWS_WITH(Body::from({}), test::ContainsSubstring("empty producer"));
}

TEST_CASE("a form is neither a text nor a stream and can always be sent again") {
  Body body = Body::multipart({{.name = "a", .content = "b"}, {.name = "c", .file = "d"}});
  CHECK_FALSE(body.plain());
  CHECK_FALSE(body.streamed());
  CHECK_FALSE(body.empty());
  CHECK(body.size() == std::nullopt);
  CHECK(body.text().empty());
  REQUIRE(body.parts() != nullptr);
  CHECK(body.parts()->at(1).file == "d");
  CHECK(body.rewind());
  CHECK(body.repeatable());
  CHECK(Body("text").parts() == nullptr);
}
