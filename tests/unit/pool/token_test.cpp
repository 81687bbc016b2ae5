#include "tokenpool/pool/token.hpp"

#include <limits>

#include "catch_compat.hpp"

using tokenpool::Error;
using tokenpool::parse_tokens;
using tokenpool::Token;

namespace {
std::vector<std::string> secrets(std::string_view list) {
  std::vector<std::string> found;
  for (const Token& token : parse_tokens(list)) {
    found.emplace_back(token.secret.reveal());
  }
  return found;
}
std::string refusal(std::string_view list) {
  try {
    parse_tokens(list, "KEYS");
  } catch (const Error& error) {
    CHECK(error.code() == tokenpool::ErrorCode::invalid_request);
    return error.what();
  }
  return "accepted";
}
}  // namespace

TEST_CASE("commas and white space and line ends part tokens") {
  const std::vector<std::string> expected = {"sk-a", "sk-b", "sk-c"};
  CHECK(secrets("sk-a,sk-b,sk-c") == expected);
  CHECK(secrets(" sk-a,, sk-b\r\n\tsk-c ,\n") == expected);
  CHECK(secrets("sk-a sk-b sk-c") == expected);
}

TEST_CASE("a list that cannot be meant is refused with its name and a remedy and no secret") {
  CHECK(refusal("") == "KEYS is empty: give at least one token, for example \"sk-a,sk-b\"");
  CHECK(refusal(" , \n") == refusal(""));
  CHECK(refusal("canary,b,canary") == "token 3 of KEYS is there twice: give each token once");
  CHECK(refusal(std::string_view("a,ca\0nary", 9)) ==
        "token 2 of KEYS has a control character: give the bare credential");
  CHECK(refusal("a,can\x7f"
                "ary") == "token 2 of KEYS has a control character: give the bare credential");
  for (const char* quoted : {"\"canary,b\"", "'canary'", "[canary]", "{\"tokens\": \"canary\"}"}) {
    CHECK(
        refusal(quoted) ==
        "token 1 of KEYS begins with a quotation mark or a bracket: give bare credentials, parted by commas");
  }
}

TEST_CASE("a token without an id gets one that tells nothing of its secret") {
  CHECK(token_id(tokenpool::Secret("abc")) == "ba7816bf8f01cfea");
  CHECK(tokenpool::detail::id_of({.secret = "abc"}) == "ba7816bf8f01cfea");
  CHECK(tokenpool::detail::id_of({.secret = "abc", .id = "mine"}) == "mine");
}

TEST_CASE("an egress without an id goes by where it leaves and never by the credentials of its proxy") {
  const auto id = [](const tokenpool::Egress& egress) { return tokenpool::detail::id_of(egress); };
  CHECK(id({.id = "mine", .source = "eth0"}) == "mine");
  CHECK(id({.source = "eth0", .proxy = "http://proxy"}) == "eth0");
  CHECK(id({.proxy = "http://user:canary@proxy:8080"}) == "http://proxy:8080");
  CHECK(id({.proxy = "user:canary@proxy:8080"}) == "proxy:8080");
  CHECK(id({.proxy = "user:can@ry@proxy"}) == "proxy");
  CHECK(id({.proxy = "http://@proxy"}) == "http://proxy");
  CHECK(id({.proxy = "@proxy"}) == "proxy");
  CHECK(id({.proxy = "socks5h://proxy"}) == "socks5h://proxy");
  CHECK(id({}) == "default");
}

TEST_CASE("control characters are those below the blank and delete") {
  for (const char* text : {"\x01", "a\x1f", "\x7f"}) {
    CHECK(tokenpool::detail::has_control_character(text));
  }
  for (const char* text : {"", "a b", "~", "\x80", "\xC3\xA4"}) {
    CHECK_FALSE(tokenpool::detail::has_control_character(text));
  }
}

TEST_CASE("an unfit token is refused in a sentence that shows no secret") {
  const auto problem = [](const Token& token) { return problem_with(token, "tokens[2]").value_or("fit"); };
  CHECK(problem({.secret = "canary"}) == "fit");
  CHECK_THAT(problem({}), test::StartsWith("tokens[2].secret is empty"));
  CHECK_THAT(problem({.secret = "canary\r\n"}), test::StartsWith("tokens[2].secret has a control character"));
  CHECK_THAT(problem({.secret = "canary\r\n"}), !test::ContainsSubstring("canary"));
  CHECK_THAT(problem({.secret = "a", .id = "x\ny"}), test::StartsWith("tokens[2].id"));
  CHECK_THAT(problem({.secret = "a", .account = "x\ny"}), test::StartsWith("tokens[2].id or .account"));
  CHECK_THAT(problem({.secret = "a", .base_url = "https://u:canary@host"}),
             test::StartsWith("tokens[2].base_url is not fit") && !test::ContainsSubstring("canary"));
  CHECK(problem({.secret = "a", .base_url = "https://host/v1"}) == "fit");
  CHECK_THAT(problem({.secret = "a", .limits = {{.amount = 0}}}),
             test::StartsWith("tokens[2].limits[0].amount is 0"));
}

TEST_CASE("a weight is a number above zero") {
  for (const double weight :
       {0.0, -1.0, 1e13, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    CAPTURE(weight);
    CHECK_THAT(problem_with(Token{.secret = "a", .weight = weight}, "t").value_or("fit"),
               test::StartsWith("t.weight is "));
  }
  CHECK_FALSE(problem_with(Token{.secret = "a", .weight = 1e-6}, "t"));
  CHECK_FALSE(problem_with(Token{.secret = "a", .weight = 1e12}, "t"));
  CHECK(Token{}.weight == 1);
}
