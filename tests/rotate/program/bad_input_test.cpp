#include <cstdlib>

#include "catch_compat.hpp"
#include "support/program.hpp"

using test::ContainsSubstring;
using test::Ended;
using test::rotate_in;
using test::TemporaryFolder;

namespace {

constexpr const char* variable = "ROTATE_TEST_TOKENS";

std::vector<std::string> against(const std::string& base_url) {
  return {"--base-url", base_url, "--tokens-env", variable};
}

/// The one sentence that is said instead of a run; nothing is left behind but it.
std::string refusal(const std::vector<std::string>& words, const TemporaryFolder& folder,
                    const std::vector<std::string>& files = {}) {
  const Ended ended = rotate_in(folder, words);
  CHECK(ended.exit_code == 2);
  CHECK(ended.out.empty());
  CHECK_THAT(ended.err, test::StartsWith("rotate: "));
  CHECK(test::occurrences(ended.err, "\n") == 1);
  std::vector<std::string> expected = files;
  expected.emplace_back("stderr");
  CHECK(folder.names() == expected);
  return ended.err;
}

std::string refusal_with_tokens(const char* tokens, const std::string& base_url) {
  ::setenv(variable, tokens, 1);
  return refusal(against(base_url), TemporaryFolder());
}

}  // namespace

TEST_CASE("a run without tokens is refused") {
  ::unsetenv(variable);
  CHECK_THAT(refusal(against("http://127.0.0.1:9/v1"), TemporaryFolder()),
             ContainsSubstring("ROTATE_TEST_TOKENS is not set: set it"));
  CHECK_THAT(refusal_with_tokens(" , ", "http://127.0.0.1:9/v1"),
             ContainsSubstring("ROTATE_TEST_TOKENS is empty: give at least one"));
}

TEST_CASE("a token that is there twice is refused and not shown") {
  const std::string said = refusal_with_tokens("sk-canary,sk-canary", "http://127.0.0.1:9/v1");
  CHECK_THAT(said, ContainsSubstring("is there twice: give each token once"));
  CHECK_THAT(said, !ContainsSubstring("canary"));
}

TEST_CASE("a token with a control character is refused and not shown") {
  const std::string said = refusal_with_tokens(
      "sk-other,sk-\x01"
      "canary",
      "http://127.0.0.1:9/v1");
  CHECK_THAT(said, ContainsSubstring("token 2") && ContainsSubstring("control character: give the bare"));
  CHECK_THAT(said, !ContainsSubstring("canary"));
}

TEST_CASE("a base URL that is none of HTTP is refused") {
  const std::string url = GENERATE("api.example.com/v1", "ftp://api.example.com/v1");
  CHECK_THAT(refusal_with_tokens("sk-a", url),
             ContainsSubstring("base_url is \"" + url + "\": give an http:// or https:// URL"));
}

TEST_CASE("a limit or window that admits nothing is refused") {
  CHECK_THAT(refusal({"--limit", "0"}, TemporaryFolder()),
             ContainsSubstring("--limit is 0: give at least 1"));
  CHECK_THAT(refusal({"--window", "-1h"}, TemporaryFolder()),
             ContainsSubstring("--window is \"-1h\": give a time above 0"));
}

TEST_CASE("a line of the prompts that is no JSON is refused") {
  const TemporaryFolder folder;
  folder.write("prompts", "{\"prompt\": \"one\"}\nhello\n");
  CHECK_THAT(refusal({"--prompts", "prompts"}, folder, {"prompts"}),
             ContainsSubstring("--prompts: line 2 of prompts is not a JSON object"));
}

TEST_CASE("an output that cannot be written is refused") {
  CHECK_THAT(refusal({"--output", "no/such/folder/out"}, TemporaryFolder()),
             ContainsSubstring("--output: no/such/folder/out cannot be written: give another file"));
}

TEST_CASE("an output of something else is refused and left as it was") {
  const TemporaryFolder folder;
  folder.write("diary", "Dear diary\n");
  CHECK_THAT(refusal({"--output", "diary"}, folder, {"diary"}), ContainsSubstring("give another file"));
  CHECK(folder.read("diary") == "Dear diary\n");
}
