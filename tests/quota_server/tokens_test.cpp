#include "tokens.hpp"

#include <set>

#include "catch_compat.hpp"

using namespace quota_server;

TEST_CASE("tokens are parted by commas and white space") {
  CHECK(split_tokens(" a, b\n\nc,,") == std::vector<std::string>{"a", "b", "c"});
  CHECK(split_tokens(" ,\n").empty());
}

TEST_CASE("of a token no more than the last four characters are shown") {
  CHECK(tail("sk-secret-1234") == "1234");
  CHECK(tail("abc") == "abc");
}

TEST_CASE("a known bearer token is found whatever the case of the scheme") {
  Tokens tokens({"first-token", "second-token"}, {}, 1);
  CHECK(tokens.pick("Bearer second-token").token == 1);
  CHECK(tokens.pick("bearer first-token").token == 0);
}

TEST_CASE("an unknown token has a tail but no index") {
  Tokens tokens({"first-token"}, {}, 1);
  const Credential credential = tokens.pick("Bearer stranger");
  CHECK_FALSE(credential.token.has_value());
  CHECK(credential.tail == "nger");
}

TEST_CASE("without a bearer scheme there is no credential") {
  Tokens tokens({"first-token"}, {}, 1);
  for (const char* header : {"", "Bearer ", "first-token", "Basic first-token"}) {
    CHECK_FALSE(tokens.pick(header).token.has_value());
  }
}

TEST_CASE("of comma-joined tokens each is taken at some time") {
  Tokens tokens({"a", "b", "c"}, {}, 1);
  std::set<std::size_t> taken;
  for (int i = 0; i < 100; ++i) taken.insert(tokens.pick("Bearer a,b, c").token.value());
  CHECK(taken.size() == 3);
}

TEST_CASE("the same seed takes the same tokens") {
  Tokens one({"a", "b", "c"}, {}, 7);
  Tokens other({"a", "b", "c"}, {}, 7);
  for (int i = 0; i < 20; ++i) CHECK(one.pick("Bearer a,b,c").token == other.pick("Bearer a,b,c").token);
}
