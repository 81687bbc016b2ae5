#include "tokenpool/http/structured_fields.hpp"

#include "catch_compat.hpp"

using tokenpool::detail::parse_sf_dictionary;
using tokenpool::detail::parse_sf_list;
using tokenpool::detail::SfType;

TEST_CASE("a list has items of every type") {
  const auto list = parse_sf_list(
      {R"(-42, 4.5, "a \"b\\", tok/en:*, :aGk=:, ?1, @1659578233, %"f%c3%bc", (1 "x";q=2 t);w=3, *)"});
  REQUIRE(list);
  REQUIRE(list->size() == 10);
  const auto item = [&](std::size_t i) { return (*list)[i].item; };
  CHECK((item(0).type == SfType::integer && item(0).number == -42));
  CHECK((item(1).type == SfType::decimal && item(1).number == 4500));
  CHECK((item(2).type == SfType::string && item(2).text == "a \"b\\"));
  CHECK((item(3).type == SfType::token && item(3).text == "tok/en:*"));
  CHECK((item(4).type == SfType::byte_sequence && item(4).text == "aGk="));
  CHECK((item(5).type == SfType::boolean && item(5).number == 1));
  CHECK((item(6).type == SfType::date && item(6).number == 1659578233));
  CHECK((item(7).type == SfType::display_string && item(7).text == "f%c3%bc"));
  CHECK(item(8).type == SfType::inner_list);
  CHECK((*list)[8].parameter("w")->as_count() == 3);
  CHECK(item(9).type == SfType::token);
}

TEST_CASE("parameters belong to their member and the last of a name counts") {
  const auto list = parse_sf_list({"\"a\"; r=1;t=2;r=3, \"b\";flag"});
  REQUIRE(list);
  CHECK((*list)[0].parameter("r")->as_count() == 3);
  CHECK((*list)[0].parameter("t")->as_count() == 2);
  CHECK((*list)[0].parameter("flag") == nullptr);
  CHECK((*list)[1].parameter("flag")->type == SfType::boolean);
}

TEST_CASE("keys and tokens and bytes and lists have all the characters that are theirs") {
  const auto list = parse_sf_list({"t0k!/*;*k_1-2.3*=?0, :aG1+/k==:, (a;x=1 ?0);y  "});
  REQUIRE(list);
  REQUIRE(list->size() == 3);
  CHECK((*list)[0].item.text == "t0k!/*");
  REQUIRE((*list)[0].parameter("*k_1-2.3*") != nullptr);
  CHECK((*list)[0].parameter("*k_1-2.3*")->number == 0);
  CHECK((*list)[1].item.text == "aG1+/k==");
  CHECK((*list)[2].parameter("y") != nullptr);
}

TEST_CASE("several lines are one list") {
  CHECK(parse_sf_list({"a", "b, c"})->size() == 3);
  CHECK_FALSE(parse_sf_list({"a", "b,,c"}));
  CHECK(parse_sf_list({})->empty());
  CHECK(parse_sf_list({""})->empty());
}

TEST_CASE("a list that is malformed anywhere fails as a whole") {
  for (const auto* text : {"a,",
                           "a,,b",
                           ",a",
                           "a b",
                           "\"a",
                           "\"a\\n\"",
                           "\"\x7F\"",
                           "1.",
                           "1.2345",
                           "1234567890123456",
                           "1234567890123.1",
                           "-",
                           "?2",
                           ":a",
                           ":a*:",
                           "(a",
                           "(a,b)",
                           "(\"a\"\"b\")",
                           "a;",
                           "a;R=1",
                           "a;r=",
                           "@1.5",
                           "%\"a",
                           "%a",
                           "\ta",
                           "(?2)",
                           "(a;)",
                           "@x",
                           "?",
                           "\"\x1F\"",
                           "%\"\x1F\"",
                           "%\"\x7F\"",
                           "=",
                           "\xC3\xA4"}) {
    INFO(text);
    CHECK_FALSE(parse_sf_list({text}));
  }
}

TEST_CASE("a dictionary has named members and of equal keys the last counts") {
  const auto dictionary = parse_sf_dictionary({"limit=10, remaining=5;x=1", "flag, limit=20"});
  REQUIRE(dictionary);
  REQUIRE(dictionary->size() == 3);
  CHECK((*dictionary)[0].name == "remaining");
  CHECK((*dictionary)[1].name == "flag");
  CHECK((*dictionary)[2].item.as_count() == 20);
}

TEST_CASE("a dictionary that is malformed anywhere fails as a whole") {
  for (const auto* text :
       {"Limit=1", "limit=", "limit=1,", "limit = 1", "\"limit\"=1", "limit=1 remaining=2", "1=2"}) {
    INFO(text);
    CHECK_FALSE(parse_sf_dictionary({text}));
  }
}

TEST_CASE("only an integer that is not negative is a count") {
  const auto list = parse_sf_list({"0, -1, 1.0, \"1\""});
  REQUIRE(list);
  CHECK((*list)[0].item.as_count() == 0);
  for (std::size_t i = 1; i < 4; ++i) CHECK_FALSE((*list)[i].item.as_count());
}
