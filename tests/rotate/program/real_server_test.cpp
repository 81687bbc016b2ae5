#include <cstdlib>

#include "catch_compat.hpp"
#include "support/odd_server.hpp"
#include "support/program.hpp"
#include "support/quota_server.hpp"

using test::ContainsSubstring;
using test::Ended;
using test::occurrences;
using test::OddServer;
using test::QuotaServer;
using test::rotate_in;
using test::TemporaryFolder;

namespace {

constexpr const char* tokens = "canary-secret-aaaa,canary-secret-bbbb";

Ended ask(const TemporaryFolder& folder, const std::string& base_url, std::vector<std::string> words = {}) {
  ::setenv("ROTATE_TEST_TOKENS", tokens, 1);
  words.insert(words.end(), {"--base-url", base_url, "--tokens-env", "ROTATE_TEST_TOKENS"});
  return rotate_in(folder, std::move(words));
}

/// Everything that the run printed and wrote.
std::string everything(const TemporaryFolder& folder, const Ended& ended) {
  std::string all = ended.out + ended.err;
  for (const std::string& name : folder.names()) all += name + folder.read(name);
  return all;
}

void write_prompts(const TemporaryFolder& folder, int count) {
  std::string lines;
  for (int i = 1; i <= count; ++i) lines += "{\"prompt\": \"question " + std::to_string(i) + "\"}\n";
  folder.write("prompts", lines);
}

}  // namespace

TEST_CASE("a real server is asked within the limits that the user names") {
  QuotaServer server({"--tokens", tokens, "--limit", "5"});
  const TemporaryFolder folder;
  write_prompts(folder, 20);
  const Ended ended = ask(folder, server.base_url(), {"--prompts", "prompts", "--per-token", "5/24h"});
  CHECK(ended.exit_code == 1);
  CHECK_THAT(ended.out, ContainsSubstring("10 of 20 prompts answered, in answers.jsonl"));
  CHECK_THAT(ended.out, ContainsSubstring("exhausted until 20"));
  CHECK(server.counts()["total"]["refused"] == 0);
}

TEST_CASE("a secret is in nothing that is printed or written") {
  const std::string end = GENERATE("", "--json");
  QuotaServer server({"--tokens", tokens, "--limit", "8", "--kill", "1:3"});
  const TemporaryFolder folder;
  write_prompts(folder, 20);
  std::vector<std::string> words{"--prompts", "prompts"};
  if (!end.empty()) words.push_back(end);
  const Ended ended = ask(folder, server.base_url(), words);
  CHECK(folder.lines("answers.jsonl").size() == 11);
  CHECK_THAT(everything(folder, ended), !ContainsSubstring("canary"));
}

TEST_CASE("a wrong URL shows no token that was put into it") {
  const TemporaryFolder folder;
  const Ended ended = ask(folder, "https://canary-secret@localhost/v1");
  CHECK(ended.exit_code == 2);
  CHECK_THAT(everything(folder, ended), !ContainsSubstring("canary"));
}

TEST_CASE("tokens that the server does not know end the run with its answer") {
  QuotaServer server({"--tokens", "another-token"});
  const TemporaryFolder folder;
  const Ended ended = ask(folder, server.base_url());
  CHECK(ended.exit_code == 1);
  CHECK_THAT(ended.out, ContainsSubstring("stopped: "));
  CHECK_THAT(ended.out, ContainsSubstring("0 of 500 prompts answered"));
  CHECK(server.counts()["total"]["unauthorised"] <= 6);
}

TEST_CASE("a server that does not listen ends the run clearly and what was answered is kept") {
  std::string base_url;
  {
    const QuotaServer server({"--tokens", tokens});
    base_url = server.base_url();
  }
  const TemporaryFolder folder;
  write_prompts(folder, 30);
  const std::string kept = R"({"line":1,"prompt":"question 1","answer":"a","token":"t"})";
  folder.write("answers.jsonl", kept + "\n");
  const Ended ended = ask(folder, base_url, {"--prompts", "prompts", "--max-wait", "1s"});
  CHECK(ended.exit_code == 1);
  CHECK_THAT(ended.out, ContainsSubstring("stopped: ") && ContainsSubstring("onnect"));
  CHECK_THAT(ended.out, ContainsSubstring("1 of 30 prompts answered"));
  CHECK(folder.lines("answers.jsonl") == std::vector<std::string>{kept});
}

TEST_CASE("prompts that the server cannot answer are reported and the others are answered") {
  const OddServer server;
  const TemporaryFolder folder;
  std::string lines;
  for (const char* prompt : {"good", "refuse", "silent", "fail", "good"}) {
    lines += std::string("{\"prompt\": \"") + prompt + "\"}\n";
  }
  folder.write("prompts", lines);
  const Ended ended = ask(folder, server.base_url(), {"--prompts", "prompts"});
  CHECK(ended.exit_code == 1);
  CHECK_THAT(ended.err, ContainsSubstring("prompt 2: the server answered 400: "));
  CHECK_THAT(ended.err, ContainsSubstring("prompt 3: the server's answer has no chat message"));
  CHECK_THAT(ended.err, ContainsSubstring("prompt 4: the server answered 500: "));
  CHECK(folder.lines("answers.jsonl").size() == 2);
  CHECK_THAT(everything(folder, ended), !ContainsSubstring("canary"));
}

TEST_CASE("a run whose every prompt is refused ends after ten") {
  const OddServer server;
  const TemporaryFolder folder;
  std::string lines;
  for (int i = 0; i < 30; ++i) lines += "{\"prompt\": \"refuse\"}\n";
  folder.write("prompts", lines);
  const Ended ended = ask(folder, server.base_url(), {"--prompts", "prompts", "--threads", "1"});
  CHECK(ended.exit_code == 1);
  CHECK_THAT(ended.out, ContainsSubstring("stopped: 10 prompts in a row failed"));
  CHECK(occurrences(ended.err, ": the server answered 400") == 10);
  CHECK(folder.names() == std::vector<std::string>{"answers.jsonl", "prompts", "stderr"});
}
