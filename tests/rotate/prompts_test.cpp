#include "prompts.hpp"

#include "catch_compat.hpp"
#include "support/temporary_folder.hpp"

using rotate::read_prompts;
using test::ContainsSubstring;
using test::TemporaryFolder;

TEST_CASE("each line gives a prompt and empty lines none") {
  const TemporaryFolder folder;
  const std::string path =
      folder.write("prompts", "{\"prompt\": \"one\"}\n\n \r\n{\"prompt\": \"two\", \"id\": 7}");
  CHECK(read_prompts(path) == std::vector<std::string>{"one", "two"});
}

TEST_CASE("a line that is no prompt is refused by its number") {
  const TemporaryFolder folder;
  const auto* const line =
      GENERATE("hello", "[1]", "{\"prompt\": 3}", "{\"question\": \"?\"}", "{\"prompt\":");
  const std::string path = folder.write("prompts", std::string("{\"prompt\": \"one\"}\n") + line + "\n");
  CHECK_THROWS_WITH(read_prompts(path), test::StartsWith("--prompts: line 2 of " + path + " is not") &&
                                            test::EndsWith("mend or remove it"));
}

TEST_CASE("a file of prompts without any is refused") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(read_prompts(folder.write("prompts", "\n\n")), ContainsSubstring("has no prompt"));
}

TEST_CASE("a file of prompts that cannot be read is refused by name") {
  CHECK_THROWS_WITH(read_prompts("no/such/file"), test::StartsWith("--prompts: no/such/file cannot be read"));
}
