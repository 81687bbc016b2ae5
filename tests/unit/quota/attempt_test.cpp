#include "tokenpool/quota/attempt.hpp"

#include "catch_compat.hpp"

using tokenpool::Attempt;
using tokenpool::Error;
using tokenpool::ErrorCode;
using tokenpool::Response;

TEST_CASE("a 2xx response passes through or_throw") {
  const Response response{.status = 204};
  CHECK(response.ok());
  CHECK(&response.or_throw() == &response);
  CHECK(Response{.status = 299, .body = "x"}.or_throw().body == "x");
}

TEST_CASE("any other status is thrown with the answer and the trail") {
  const Response response{.status = 404, .body = "gone", .attempts = {Attempt{.token_id = "a"}}};
  CHECK_FALSE(response.ok());
  try {
    static_cast<void>(response.or_throw());
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::http_status);
    REQUIRE(error.response());
    CHECK(error.response()->body == "gone");
    REQUIRE(error.attempts().size() == 1);
    CHECK(error.attempts()[0].token_id == "a");
    CHECK(std::string(error.what()).find("404") != std::string::npos);
    CHECK(std::string(error.what()).find("gone") == std::string::npos);
  }
}
