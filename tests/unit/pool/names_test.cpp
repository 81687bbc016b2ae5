#include "tokenpool/pool/names.hpp"

#include "catch_compat.hpp"

using tokenpool::detail::Names;

TEST_CASE("a name keeps its number and the empty one is zero") {
  Names names;
  CHECK(names.number("") == 0);
  CHECK(names.number("a") == 1);
  CHECK(names.number("b") == 2);
  CHECK(names.number("a") == 1);
  CHECK(names.name(2) == "b");
  CHECK(names.name(0).empty());
  CHECK(names.size() == 3);
  CHECK(names.in_use() == 2);
}

TEST_CASE("looking a name up gives it no number") {
  Names names;
  CHECK(names.find("a") == Names::unknown);
  CHECK(names.find("") == 0);
  CHECK(names.in_use() == 0);
}

TEST_CASE("a number that is taken back goes to the next new name") {
  Names names;
  names.number("first");
  names.number("second");
  names.release(1);
  CHECK(names.find("first") == Names::unknown);
  CHECK(names.name(1).empty());
  CHECK(names.number("a name that needs memory of its own") == 1);
  CHECK(names.name(1) == "a name that needs memory of its own");
  CHECK(names.number("second") == 2);
  CHECK(names.number("fourth") == 3);
}

TEST_CASE("many names stay apart while more come") {
  Names names;
  for (int i = 0; i < 1000; ++i) {
    names.number("n" + std::to_string(i));
  }
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(names.name(names.find("n" + std::to_string(i))) == "n" + std::to_string(i));
  }
}
