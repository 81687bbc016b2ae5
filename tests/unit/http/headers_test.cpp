#include "tokenpool/http/headers.hpp"

#include "catch_compat.hpp"

using tokenpool::equal_ignoring_case;
using tokenpool::Headers;

TEST_CASE("names are compared without regard to case") {
  CHECK(equal_ignoring_case("Retry-After", "retry-AFTER"));
  CHECK_FALSE(equal_ignoring_case("Retry-After", "Retry-After-Ms"));
  CHECK_FALSE(equal_ignoring_case("@", "`"));
  CHECK(equal_ignoring_case("", ""));
}

TEST_CASE("headers are made from pairs and keep their order") {
  const Headers headers{{"B", "1"}, {"A", "2"}};
  std::string seen;
  for (const auto& [name, value] : headers) {
    seen += name + "=" + value + " ";
  }
  CHECK(seen == "B=1 A=2 ");
  CHECK(headers.size() == 2);
  CHECK(headers.begin()->name == "B");
}

TEST_CASE("a repeated field is kept and get returns the first") {
  Headers headers{{"X-Tag", "a"}};
  headers.add("x-tag", "b");
  CHECK(headers.get("X-TAG") == "a");
  CHECK(headers.all("x-Tag") == std::vector<std::string_view>{"a", "b"});
}

TEST_CASE("a field that is absent gives nothing while an empty one gives its empty value") {
  const Headers headers{{"Empty", ""}};
  CHECK_FALSE(headers.get("Absent"));
  CHECK(headers.all("Absent").empty());
  CHECK(headers.get("Empty") == "");
}

TEST_CASE("set replaces every field of the name in the place of the first") {
  Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}, {"C", "4"}};
  headers.set("a", "5");
  CHECK(headers == Headers{{"a", "5"}, {"B", "2"}, {"C", "4"}});
  headers.set("D", "6");
  CHECK(headers == Headers{{"a", "5"}, {"B", "2"}, {"C", "4"}, {"D", "6"}});
}

TEST_CASE("remove takes every field of the name and counts them") {
  Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  CHECK(headers.remove("A") == 2);
  CHECK(headers.remove("A") == 0);
  CHECK(headers == Headers{{"B", "2"}});
}

TEST_CASE("cleared headers are empty") {
  Headers headers{{"A", "1"}};
  CHECK_FALSE(headers.empty());
  headers.clear();
  CHECK(headers.empty());
}
