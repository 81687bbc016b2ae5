#include "settings.hpp"

#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "catch_compat.hpp"

using rotate::CommandLine;
using rotate::parse_duration;
using rotate::Settings;
using namespace std::chrono_literals;

namespace {

CommandLine read(const std::vector<const char*>& words) {
  std::vector<const char*> line{"rotate"};
  line.insert(line.end(), words.begin(), words.end());
  return rotate::read_command_line(static_cast<int>(line.size()), line.data());
}

Settings settings(const std::vector<const char*>& words) {
  CommandLine line = read(words);
  REQUIRE(line.settings.has_value());
  return *std::move(line.settings);
}

/// What is said about a line that cannot be used.
std::string complaint(const std::vector<const char*>& words) {
  const std::ostringstream said;
  std::streambuf* const before = std::cerr.rdbuf(said.rdbuf());
  const CommandLine line = read(words);
  std::cerr.rdbuf(before);
  CHECK(!line.settings);
  CHECK(line.exit_code == 2);
  CHECK(said.str().find('\n') + 1 == said.str().size());
  return said.str();
}

struct Mistake {
  std::vector<const char*> words;
  const char* field;
  const char* remedy;
};

}  // namespace

TEST_CASE("a duration is a whole number and a unit") {
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("90s") == 90s);
  CHECK(parse_duration("15m") == 15min);
  CHECK(parse_duration("24h") == 24h);
  CHECK(parse_duration("2d") == 48h);
  CHECK(parse_duration("0ms") == 0ms);
}

TEST_CASE("what is no duration is none") {
  const auto* const text = GENERATE("", "5", "s", "-5s", "1.5h", "5 s", "5sec", "99999999999d");
  CHECK(parse_duration(text) == std::nullopt);
}

TEST_CASE("without a server of the user's the demo has its five tokens and 100 requests for each") {
  const Settings demo = settings({});
  CHECK(demo.demo());
  CHECK(demo.tokens == 5);
  CHECK(demo.limit == 100);
  REQUIRE(demo.limits.size() == 1);
  CHECK(demo.limits[0].scope == tokenpool::Scope::token);
  CHECK(demo.limits[0].amount == 100);
  CHECK(demo.limits[0].window == 24h);
}

TEST_CASE("a demo that counts addresses tells the client both limits") {
  const Settings demo = settings({"--rule", "token-and-ip"});
  CHECK(demo.limit == 150);
  REQUIRE(demo.limits.size() == 2);
  CHECK(demo.limits[1].scope == tokenpool::Scope::egress);
  CHECK(demo.limits[1].amount == 150);
}

TEST_CASE("a demo whose limits are to be learned tells none") {
  CHECK(settings({"--limits", "unknown"}).limits.empty());
}

TEST_CASE("the demo and a real server do not share a file of answers by default") {
  CHECK(settings({}).output == "demo-answers.jsonl");
  CHECK(settings({"--base-url", "http://localhost/v1"}).output == "answers.jsonl");
  CHECK(settings({"--output", "mine"}).output == "mine");
}

TEST_CASE("limits of a real server are read as number and time") {
  const Settings real =
      settings({"--base-url", "http://localhost/v1", "--per-token", "100/24h", "--per-egress", "150/1m"});
  REQUIRE(real.limits.size() == 2);
  CHECK(real.limits[0].scope == tokenpool::Scope::token);
  CHECK(real.limits[0].amount == 100);
  CHECK(real.limits[1].scope == tokenpool::Scope::egress);
  CHECK(real.limits[1].window == 1min);
}

TEST_CASE("a mistake on the command line is one sentence with the field and the remedy") {
  const std::vector<Mistake> mistakes{
      {{"--limit", "0"}, "--limit is 0", "at least 1"},
      {{"--limit", "-3"}, "--limit is -3", "at least 1"},
      {{"--window", "-5s"}, "--window is \"-5s\"", "24h"},
      {{"--window", "0s"}, "--window is \"0s\"", "24h"},
      {{"--max-wait", "soon"}, "--max-wait is \"soon\"", "90s"},
      {{"--delay", "-1ms"}, "--delay is \"-1ms\"", "20ms"},
      {{"--kill", "5:1"}, "--kill is \"5:1\"", "0 to 4"},
      {{"--kill", "soon"}, "--kill is \"soon\"", "INDEX:K"},
      {{"--policy", "best"}, "--policy is \"best\"", "round-robin"},
      {{"--threads", "0"}, "--threads", "1 to 256"},
      {{"--rule", "none"}, "--rule", "token-and-ip"},
      {{"--colour"}, "--colour", "--help"},
      {{"--base-url", ""}, "--base-url is empty", "https://"},
      {{"--base-url", "http://localhost", "--per-token", "100"}, "--per-token is \"100\"", "100/24h"},
      {{"--base-url", "http://localhost", "--per-token", "0/1h"}, "--per-token is 0", "at least 1"},
      {{"--base-url", "http://localhost", "--per-token", "5/-1h"}, "--per-token is \"-1h\"", "24h"},
      {{"--base-url", "http://localhost", "--limit", "5"}, "--limit is for the demo server", "leave it out"},
      {{"--per-egress", "5/1h"}, "--per-egress is for a server of yours", "--base-url"},
  };
  for (const Mistake& mistake : mistakes) {
    const std::string said = complaint(mistake.words);
    CHECK_THAT(said, test::StartsWith("rotate: "));
    CHECK_THAT(said, test::ContainsSubstring(mistake.field));
    CHECK_THAT(said, test::ContainsSubstring(mistake.remedy));
  }
}
