#include <nlohmann/json.hpp>

#include "catch_compat.hpp"
#include "support/program.hpp"

using test::ContainsSubstring;
using test::Ended;
using test::occurrences;
using test::rotate_in;
using test::tally;
using test::TemporaryFolder;
using test::with_status;

namespace {

/// The answers are those to the 500 prompts that come along, in their order.
void check_complete(const TemporaryFolder& folder) {
  const std::vector<std::string> lines = folder.lines("out");
  REQUIRE(lines.size() == 500);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto entry = nlohmann::json::parse(lines[i]);
    CHECK(entry["line"] == i + 1);
    CHECK(entry["answer"] == "echo: " + entry["prompt"].get<std::string>());
  }
}

}  // namespace

TEST_CASE("the demo answers all prompts with 100 for each token and meets no 429") {
  const std::string threads = GENERATE("1", "4", "16");
  const TemporaryFolder folder;
  const Ended ended = rotate_in(folder, {"--output", "out", "--server-log", "log", "--threads", threads});
  CHECK(ended.exit_code == 0);
  CHECK_THAT(ended.out, ContainsSubstring("500 of 500 prompts answered, in out"));
  check_complete(folder);
  std::map<std::pair<std::string, int>, int> expected;
  for (const char* tail : {"1001", "1002", "1003", "1004", "1005"}) expected[{tail, 200}] = 100;
  CHECK(tally(folder, "log") == expected);
}

TEST_CASE("one caller that has to learn the limits meets at most one 429 for each token") {
  const std::string policy = GENERATE("round-robin", "random", "failover");
  const TemporaryFolder folder;
  const Ended ended = rotate_in(folder, {"--output", "out", "--server-log", "log", "--threads", "1",
                                         "--limits", "unknown", "--policy", policy});
  CHECK(ended.exit_code == 0);
  check_complete(folder);
  CHECK(with_status(folder, "log", 429) <= 5);
}

TEST_CASE("a limit of the address ends the run clearly and with no 429 where it is known") {
  const std::string threads = GENERATE("1", "4", "16");
  const TemporaryFolder folder;
  const Ended ended = rotate_in(folder, {"--output", "out", "--server-log", "log", "--threads", threads,
                                         "--rule", "token-and-ip", "--tokens", "3"});
  CHECK(ended.exit_code == 1);
  CHECK_THAT(ended.out, ContainsSubstring("stopped: egress default exhausted until 20"));
  CHECK_THAT(ended.out, ContainsSubstring("150 of 500 prompts answered"));
  CHECK(folder.lines("out").size() == 150);
  CHECK(with_status(folder, "log", 200) == 150);
  CHECK(with_status(folder, "log", 429) == 0);
}

TEST_CASE("a limit of the address that has to be learned costs one caller at most three 429s") {
  const TemporaryFolder folder;
  const Ended ended = rotate_in(folder, {"--output", "out", "--server-log", "log", "--threads", "1",
                                         "--limits", "unknown", "--rule", "token-and-ip", "--tokens", "3"});
  CHECK(ended.exit_code == 1);
  CHECK_THAT(ended.out, ContainsSubstring("stopped: egress default exhausted until 20"));
  CHECK(folder.lines("out").size() == 150);
  CHECK(with_status(folder, "log", 429) <= 3);
}

TEST_CASE("a token that dies costs one request and is reported once by its id") {
  const TemporaryFolder folder;
  const Ended ended = rotate_in(folder, {"--output", "out", "--server-log", "log", "--threads", "1", "--kill",
                                         "2:50", "--limit", "150"});
  CHECK(ended.exit_code == 0);
  check_complete(folder);
  CHECK(with_status(folder, "log", 401) == 1);
  CHECK(occurrences(ended.err, "token 3c7a6f16ed08bbfc is out of the pool") == 1);
  CHECK(occurrences(ended.err, "is out of the pool") == 1);
}

TEST_CASE("a demo that was complete begins again") {
  const TemporaryFolder folder;
  CHECK(rotate_in(folder, {}).exit_code == 0);
  const Ended again = rotate_in(folder, {"--server-log", "log"});
  CHECK(again.exit_code == 0);
  CHECK_THAT(again.err, ContainsSubstring("the demo begins again"));
  CHECK(with_status(folder, "log", 200) == 500);
}

TEST_CASE("complete answers in a file of the user's choice are left alone") {
  const TemporaryFolder folder;
  folder.write("prompts", "{\"prompt\": \"one\"}\n");
  folder.write("out", "{\"line\":1,\"prompt\":\"one\",\"answer\":\"dear\",\"token\":\"t\"}\n");
  const Ended ended = rotate_in(folder, {"--prompts", "prompts", "--output", "out"});
  CHECK(ended.exit_code == 0);
  CHECK_THAT(ended.out, ContainsSubstring("all 1 prompts are answered"));
  CHECK_THAT(folder.read("out"), ContainsSubstring("dear"));
}

TEST_CASE("with --json the standard output is the state of the pool and nothing else") {
  const TemporaryFolder folder;
  folder.write("prompts", "{\"prompt\": \"one\"}\n");
  const Ended ended = rotate_in(folder, {"--prompts", "prompts", "--json"});
  CHECK(ended.exit_code == 0);
  const auto state = nlohmann::json::parse(ended.out);
  CHECK(state["tokens"].size() == 5);
  CHECK(state["version"] == 1);
  CHECK(state["egresses"][0]["successes"] == 1);
  CHECK(state["egresses"][0]["p99_ms"] > 0);
  CHECK(state["pool"]["requests"] == 1);
  CHECK_THAT(ended.err, ContainsSubstring("1 of 1 prompts answered"));
}
