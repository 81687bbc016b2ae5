#include "tokenpool/base/result.hpp"

#include <memory>
#include <string>

#include "catch_compat.hpp"

using tokenpool::Error;
using tokenpool::ErrorCode;
using tokenpool::Result;
using tokenpool::Unexpected;

namespace {
using Number = std::unique_ptr<int>;

Result<Number> number(int value) { return std::make_unique<int>(value); }
Result<Number> failure(ErrorCode code = ErrorCode::network) { return Unexpected(Error(code, "lost")); }
Result<int> half(int value) {
  if (value % 2 != 0) {
    return Unexpected(Error(ErrorCode::protocol, "odd"));
  }
  return value / 2;
}
}  // namespace

TEST_CASE("a result with a value gives it out") {
  Result<std::string> result = "text";
  REQUIRE(result);
  CHECK(result.has_value());
  CHECK(*result == "text");
  CHECK(result->size() == 4);
  CHECK(result.value() == "text");
  CHECK(result == std::string("text"));
  CHECK(result.error_or(Error(ErrorCode::tls, "none")).code() == ErrorCode::tls);
}

TEST_CASE("a result without a value gives the error out and throws it when asked for the value") {
  const Result<std::string> result = Unexpected(Error(ErrorCode::tls, "no chain"));
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::tls);
  CHECK_THROWS_AS(result.value(), Error);
  CHECK(result.value_or("other") == "other");
  CHECK_FALSE(result == std::string());
}

TEST_CASE("a result holds what can only be moved") {
  Result<Number> result = number(7);
  const Number taken = std::move(result).value();
  CHECK(*taken == 7);
  CHECK(*failure().value_or(std::make_unique<int>(9)) == 9);
  CHECK(*number(8).value_or(nullptr) == 8);
}

TEST_CASE("a default-made result has a default-made value") { CHECK(Result<int>().value() == 0); }

TEST_CASE("steps that may fail are chained until the first failure") {
  const Result<int> twelve = 12;
  CHECK(twelve.and_then(half).and_then(half) == 3);
  CHECK(twelve.and_then(half).and_then(half).and_then(half).error().code() == ErrorCode::protocol);
  CHECK(number(4).and_then([](Number value) { return half(*value); }) == 2);
  CHECK(failure().and_then([](Number value) { return half(*value); }).error().code() == ErrorCode::network);
}

TEST_CASE("a value is changed and an error passes through") {
  CHECK(number(4).transform([](Number value) { return *value + 1; }) == 5);
  CHECK(failure().transform([](Number value) { return *value; }).error().code() == ErrorCode::network);
  const Result<int> four = 4;
  CHECK(four.transform([](int value) { return std::to_string(value); }) == std::string("4"));
}

TEST_CASE("a failure can be recovered from or told otherwise") {
  CHECK(**failure().or_else([](const Error&) { return number(1); }) == 1);
  CHECK(**number(2).or_else([](const Error&) { return number(1); }) == 2);
  const auto as_tls = [](const Error& error) { return Error(ErrorCode::tls, error.what()); };
  CHECK(failure().transform_error(as_tls).error().code() == ErrorCode::tls);
  CHECK(**number(3).transform_error(as_tls) == 3);
}

TEST_CASE("a result is refilled and swapped") {
  Result<int> first = Unexpected(Error(ErrorCode::network, "lost"));
  first.emplace(5);
  Result<int> second = Unexpected(Error(ErrorCode::tls, "no chain"));
  swap(first, second);
  CHECK(first.error().code() == ErrorCode::tls);
  CHECK(second == 5);
}
