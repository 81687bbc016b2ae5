#include "tokenpool/json/load_tokens.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "catch_compat.hpp"

using namespace tokenpool;
using test::ContainsSubstring;

namespace {

/// A file that nobody else can read, for the time of a test.
class TokenFile {
 public:
  explicit TokenFile(const std::string& text)
      : path_((std::filesystem::temp_directory_path() / "tokens-XXXXXX").string()) {
    ::close(::mkstemp(path_.data()));
    std::ofstream(path_) << text;
  }
  TokenFile(const TokenFile&) = delete;
  TokenFile& operator=(const TokenFile&) = delete;
  ~TokenFile() { std::filesystem::remove(path_); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string secrets_in(const std::string& text) {
  std::string secrets;
  for (const Token& token : load_tokens(TokenFile(text).path())) {
    secrets.append(secrets.empty() ? "" : " ").append(token.secret.reveal());
  }
  return secrets;
}

std::string complaint(const std::string& text) {
  try {
    return "none, but " + secrets_in(text);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_request);
    CHECK_THAT(error.what(), !ContainsSubstring("canary") && ContainsSubstring("the token file "));
    return error.what();
  }
}

}  // namespace

TEST_CASE("a token file has one token a line and comments") {
  CHECK(secrets_in("sk-a\nsk-b\n") == "sk-a sk-b");
  CHECK(secrets_in("# mine\nsk-a # the old one\r\n\n  sk-b\t# x\nsk#c") == "sk-a sk-b sk#c");
  CHECK(secrets_in("sk-a,sk-b") == "sk-a sk-b");
}

TEST_CASE("a token file may be a JSON array of texts") {
  CHECK(secrets_in(" [\"sk-a\", \"sk-b\"]\n") == "sk-a sk-b");
}

TEST_CASE("a token file may begin with the mark of UTF-8") {
  CHECK(secrets_in("\xEF\xBB\xBFsk-a\nsk-b") == "sk-a sk-b");
  CHECK(secrets_in("\xEF\xBB\xBF[\"sk-a\"]") == "sk-a");
}

TEST_CASE("a token file may be a JSON array of objects with all that a token has") {
  const TokenFile file(R"([{"secret": "sk-a", "id": "a", "account": "team", "weight": 2.5, "priority": 3,
                           "base_url": "https://host"}, {"secret": "sk-b"}])");
  const std::vector<Token> tokens = load_tokens(file.path());
  REQUIRE(tokens.size() == 2);
  CHECK(tokens[0].secret == Secret("sk-a"));
  CHECK(tokens[0].id == "a");
  CHECK(tokens[0].account == "team");
  CHECK(tokens[0].weight == 2.5);
  CHECK(tokens[0].priority == 3);
  CHECK(tokens[0].base_url == "https://host");
  CHECK(tokens[1].weight == 1);
}

TEST_CASE("an unfit token file is told with the entry and the remedy and no secret") {
  CHECK_THAT(complaint(""), ContainsSubstring("is empty"));
  CHECK_THAT(complaint("# nothing\n"), ContainsSubstring("is empty"));
  CHECK_THAT(complaint("sk-canary\nsk-canary\n"), ContainsSubstring("token 2") && ContainsSubstring("twice"));
  CHECK_THAT(complaint("[\"sk-canary\", "), ContainsSubstring("begins like a JSON array but is none"));
  CHECK_THAT(complaint("[]"), ContainsSubstring("has no token"));
  CHECK_THAT(complaint("[1]"), ContainsSubstring("unfit entry 1"));
  CHECK_THAT(complaint("[\"sk-a\", {\"key\": \"sk-canary\"}]"), ContainsSubstring("unfit entry 2"));
  CHECK_THAT(complaint("[{\"secret\": 5}]"), ContainsSubstring("wrong kind in entry 1"));
  CHECK_THAT(complaint("[{\"secret\": \"sk-canary\", \"weight\": \"x\"}]"), ContainsSubstring("wrong kind"));
  CHECK_THAT(complaint("[{\"secret\": \"sk-canary\", \"weight\": 0}]"), ContainsSubstring("entry 1.weight"));
  CHECK_THAT(complaint(R"([{"secret": "canary", "priority": 1.5}])"),
             ContainsSubstring("priority in entry 1"));
  CHECK_THAT(complaint(R"([{"secret": "canary", "priority": 4294967297}])"), ContainsSubstring("priority"));
  CHECK_THAT(complaint(R"([{"secret": "canary", "wieght": 2}])"),
             ContainsSubstring("unknown member in entry 1"));
  CHECK_THAT(complaint(R"({"tokens": ["canary"]})"),
             ContainsSubstring("begins with a quotation mark or a bracket"));
  CHECK_THAT(complaint(R"("canary", "b")"),
             ContainsSubstring("token 1") && ContainsSubstring("bare credentials"));
  CHECK_THAT(complaint("[\"\"]"), ContainsSubstring("entry 1.secret is empty"));
  CHECK_THAT(complaint("[\"sk-canary\\r\\n\"]"), ContainsSubstring("entry 1.secret has a control character"));
  CHECK_THAT(complaint("[\"sk-canary\", \"sk-canary\"]"),
             ContainsSubstring("entry 2") && ContainsSubstring("twice"));
}

TEST_CASE("a token file that cannot be read is named") {
  CHECK_THROWS_WITH(load_tokens("/nowhere/tokens"),
                    "the token file /nowhere/tokens cannot be read: check the path and its rights");
  CHECK_THROWS_AS(load_tokens(std::filesystem::temp_directory_path().string()), Error);
}

TEST_CASE("a token file that others can read is a warning") {
  const TokenFile file("sk-a");
  std::string warning;
  const Observer observer{.on_warning = [&](const WarningEvent& event) { warning = event.text; }};
  CHECK(load_tokens(file.path(), observer).size() == 1);
  CHECK(warning.empty());
  ::chmod(file.path().c_str(), 0644);
  CHECK(load_tokens(file.path(), observer).size() == 1);
  CHECK(warning == "the token file " + file.path() + " can be read by others: chmod 600 it");
  CHECK_NOTHROW(load_tokens(file.path()));
}
