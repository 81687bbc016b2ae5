#include "options.hpp"

#include <initializer_list>

#include "catch_compat.hpp"

using namespace quota_server;
using namespace std::chrono_literals;

namespace {

Options parse(std::initializer_list<const char*> arguments) {
  std::vector<const char*> line{"quota_server", "--tokens", "aaaa,bbbb"};
  line.insert(line.end(), arguments);
  return parse_options(static_cast<int>(line.size()), line.data());
}

std::string complaint(std::initializer_list<const char*> arguments) {
  try {
    parse(arguments);
  } catch (const CommandLineEnd& end) {
    CHECK(end.exit_code == 2);
    return end.text;
  }
  return {};
}

}  // namespace

TEST_CASE("each rule has the limit of its article unless one is given") {
  CHECK(parse({}).quota.amount == 100);
  CHECK(parse({"--rule", "token-and-ip"}).quota.amount == 150);
  CHECK(parse({"--rule", "token-and-ip", "--limit", "3"}).quota.amount == 3);
  CHECK(parse({}).quota.window == 24h);
}

TEST_CASE("durations carry their unit") {
  CHECK(parse({"--window", "500ms"}).quota.window == 500ms);
  CHECK(parse({"--window", "90s"}).quota.window == 90s);
  CHECK(parse({"--delay", "2m"}).faults.delay == 2min);
  CHECK(parse({"--keep-alive", "1h"}).keep_alive == 1h);
}

TEST_CASE("a token to kill is named by value or index") {
  const Options options = parse({"--kill", "bbbb:5", "--kill", "0:7"});
  CHECK(options.deaths == std::map<std::size_t, std::size_t>{{0, 7}, {1, 5}});
}

TEST_CASE("counts are kept in memory unless a store is named") {
  CHECK_FALSE(parse({}).store);
  CHECK(parse({"--store", "redis://127.0.0.1:7000"}).store->port == 7000);
  CHECK_THAT(complaint({"--store", "mysql://a"}), test::ContainsSubstring("--store: must be redis://"));
}

TEST_CASE("help is asked for without an error") {
  try {
    parse({"--help"});
    FAIL("help was served");
  } catch (const CommandLineEnd& end) {
    CHECK(end.exit_code == 0);
    CHECK_THAT(end.text, test::ContainsSubstring("--window-kind"));
  }
}

TEST_CASE("a bad argument is named with what it should have been") {
  using test::ContainsSubstring;
  CHECK_THAT(complaint({"--limit", "0"}), ContainsSubstring("--limit: '0' is not a whole number from 1"));
  CHECK_THAT(complaint({"--window", "24"}), ContainsSubstring("--window: '24' is not a duration"));
  CHECK_THAT(complaint({"--window", "0s"}), ContainsSubstring("above zero"));
  CHECK_THAT(complaint({"--window", "9223372036854775807h"}), ContainsSubstring("--window"));
  CHECK_THAT(complaint({"--delay", "-1s"}), ContainsSubstring("--delay"));
  CHECK_THAT(complaint({"--rule", "per-day"}), ContainsSubstring("not one of per-token, token-and-ip"));
  CHECK_THAT(complaint({"--fail-rate", "nan"}), ContainsSubstring("share from 0 to 1"));
  CHECK_THAT(complaint({"--fail-rate", "0.6", "--drop-rate", "0.6"}), ContainsSubstring("above 1"));
  CHECK_THAT(complaint({"--kill", "2:5"}), ContainsSubstring("--kill"));
  CHECK_THAT(complaint({"--port", "70000"}), ContainsSubstring("65535"));
}

TEST_CASE("tokens that cannot be used are refused without being shown") {
  const auto refusal = [](const char* tokens) -> std::string {
    const char* const line[] = {"quota_server", "--tokens", tokens};
    try {
      parse_options(3, line);
    } catch (const CommandLineEnd& end) {
      return end.text;
    }
    return {};
  };
  CHECK_THAT(refusal("canary,canary"), test::ContainsSubstring("number 2 is there twice"));
  CHECK_THAT(refusal("good,canary\x01"), test::ContainsSubstring("number 2 holds a character"));
  CHECK_THAT(refusal("good,canary\x01"), !test::ContainsSubstring("canary"));
  CHECK_THAT(refusal(","), test::ContainsSubstring("none given"));
}

TEST_CASE("a token file that cannot be read is refused") {
  const char* const line[] = {"quota_server", "--token-file", "no/such/file"};
  CHECK_THROWS_AS(parse_options(3, line), CommandLineEnd);
}
