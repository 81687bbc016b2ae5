#include "tokenpool/base/error.hpp"

#include <set>
#include <type_traits>

#include "catch_compat.hpp"
#include "tokenpool/quota/attempt.hpp"

using tokenpool::Error;
using tokenpool::ErrorCode;

TEST_CASE("an error is a runtime_error whose copies never throw") {
  STATIC_REQUIRE(std::is_base_of_v<std::runtime_error, Error>);
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<Error>);
  STATIC_REQUIRE(std::is_nothrow_copy_assignable_v<Error>);
}

TEST_CASE("an error says its kind and its sentence") {
  const Error error(ErrorCode::exhausted, "egress default is exhausted");
  CHECK(error.code() == ErrorCode::exhausted);
  CHECK(std::string(error.what()) == "egress default is exhausted");
}

TEST_CASE("an error without details has none") {
  const Error error(ErrorCode::network, "lost");
  CHECK_FALSE(error.retry_at());
  CHECK(error.attempts().empty());
  CHECK_FALSE(error.response());
}

TEST_CASE("each kind of error has its own name") {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::ledger); ++code) {
    names.insert(to_string(static_cast<ErrorCode>(code)));
  }
  CHECK(names.size() == 11);
  CHECK(names.count("unknown") == 0);
}
