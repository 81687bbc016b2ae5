#include "answer_book.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "catch_compat.hpp"
#include "support/temporary_folder.hpp"

using rotate::AnswerBook;
using test::ContainsSubstring;
using test::TemporaryFolder;
using Places = std::vector<std::size_t>;

namespace {

const std::vector<std::string> prompts{"one", "two", "three"};

std::string entry(int line, const std::string& prompt, const std::string& answer) {
  return R"({"line":)" + std::to_string(line) + R"(,"prompt":")" + prompt + R"(","answer":")" + answer +
         R"(","token":"t"})";
}

/// What a run left that was killed after it had these lines.
std::string leave_journal(const TemporaryFolder& folder, const std::string& text) {
  folder.write("out.journal", text);
  return folder / "out";
}

}  // namespace

TEST_CASE("answers are written in the order of the prompts whatever order they came in") {
  const TemporaryFolder folder;
  AnswerBook book(folder / "out", prompts);
  book.add(2, "c", "t");
  book.add(0, "a", "t");
  book.add(1, "b", "t");
  book.close();
  CHECK(folder.lines("out") ==
        std::vector<std::string>{entry(1, "one", "a"), entry(2, "two", "b"), entry(3, "three", "c")});
}

TEST_CASE("a closed book leaves no journal") {
  const TemporaryFolder folder;
  {
    AnswerBook book(folder / "out", prompts);
    book.add(0, "a", "t");
    book.close();
  }
  CHECK(folder.names() == std::vector<std::string>{"out"});
}

TEST_CASE("a book that was given no answer leaves no file") {
  const TemporaryFolder folder;
  { const AnswerBook book(folder / "out", prompts); }
  CHECK(folder.names().empty());
}

TEST_CASE("an answer is in the journal as soon as it was given") {
  const TemporaryFolder folder;
  AnswerBook book(folder / "out", prompts);
  book.add(1, "b", "t");
  CHECK(folder.read("out.journal") == entry(2, "two", "b") + "\n");
}

TEST_CASE("a second run misses only what the first did not answer") {
  const TemporaryFolder folder;
  {
    AnswerBook book(folder / "out", prompts);
    book.add(1, "b", "t");
    book.close();
  }
  AnswerBook book(folder / "out", prompts);
  CHECK(book.missing() == Places{0, 2});
  book.add(0, "a", "t");
  book.close();
  CHECK(folder.lines("out") == std::vector<std::string>{entry(1, "one", "a"), entry(2, "two", "b")});
}

TEST_CASE("a journal that a killed run left counts") {
  const TemporaryFolder folder;
  AnswerBook book(leave_journal(folder, entry(3, "three", "c") + "\n"), prompts);
  CHECK(book.missing() == Places{0, 1});
}

TEST_CASE("a line that a kill tore is asked again and spoils none after it") {
  const TemporaryFolder folder;
  const std::string torn = entry(1, "one", "a") + "\n" + entry(2, "two", "b").substr(0, 20);
  {
    AnswerBook book(leave_journal(folder, torn), prompts);
    CHECK(book.missing() == Places{1, 2});
    book.add(2, "c", "t");
  }
  CHECK(AnswerBook(folder / "out", prompts).missing() == Places{1});
}

TEST_CASE("a whole line that lacks only its end counts and spoils none after it") {
  const TemporaryFolder folder;
  {
    AnswerBook book(leave_journal(folder, entry(1, "one", "a")), prompts);
    CHECK(book.missing() == Places{1, 2});
    book.add(1, "b", "t");
  }
  CHECK(AnswerBook(folder / "out", prompts).missing() == Places{2});
}

TEST_CASE("a file of something else is refused and left as it was") {
  const TemporaryFolder folder;
  const std::string text = "my diary\n";
  const std::string path = folder.write("out", text);
  CHECK_THROWS_WITH(AnswerBook(path, prompts),
                    ContainsSubstring("line 1 of " + path + " is not an answer of this program"));
  CHECK(folder.read("out") == text);
  CHECK(folder.names() == std::vector<std::string>{"out"});
}

TEST_CASE("an answer to another prompt is not taken and not destroyed") {
  const TemporaryFolder folder;
  const std::string text = entry(1, "one", "a") + "\n" + entry(2, "zwei", "b") + "\n";
  const std::string path = folder.write("out", text);
  CHECK_THROWS_WITH(AnswerBook(path, prompts),
                    ContainsSubstring("line 2 of " + path) && ContainsSubstring("answers another prompt"));
  CHECK(folder.read("out") == text);
}

TEST_CASE("an answer beyond the last prompt is not destroyed") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(AnswerBook(leave_journal(folder, entry(4, "four", "d") + "\n"), prompts),
                    ContainsSubstring("answers another prompt"));
  CHECK(folder.lines("out.journal").size() == 1);
}

TEST_CASE("a place that cannot be written is refused by name") {
  const TemporaryFolder folder;
  const std::string path = folder / "no/such/folder/out";
  CHECK_THROWS_WITH(AnswerBook(path, prompts),
                    test::StartsWith("--output: " + path + " cannot be written: give another file"));
}

TEST_CASE("a folder is no place for answers") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(AnswerBook(folder.path(), prompts), ContainsSubstring("is no plain file"));
  CHECK(folder.names().empty());
}

TEST_CASE("two runs do not write the same answers") {
  const TemporaryFolder folder;
  const AnswerBook first(folder / "out", prompts);
  CHECK_THROWS_WITH(AnswerBook(folder / "out", prompts), ContainsSubstring("another run is writing"));
}

TEST_CASE("when the end cannot be written the journal still has the answers") {
  const TemporaryFolder folder;
  {
    AnswerBook book(folder / "out", prompts);
    book.add(0, "a", "t");
    std::filesystem::create_directory(folder / "out");
    CHECK_THROWS_WITH(book.close(), ContainsSubstring("cannot be written"));
  }
  CHECK(folder.lines("out.journal").size() == 1);
  CHECK(folder.names() == std::vector<std::string>{"out", "out.journal"});
}

TEST_CASE("a book that is begun again misses every prompt") {
  const TemporaryFolder folder;
  AnswerBook book(folder.write("out", entry(1, "one", "a") + "\n"), prompts);
  book.clear();
  CHECK(book.missing() == Places{0, 1, 2});
}

TEST_CASE("an answer that is no UTF-8 is kept readable") {
  const TemporaryFolder folder;
  AnswerBook book(folder / "out", prompts);
  book.add(0, "\xff!", "t");
  CHECK(nlohmann::json::parse(folder.lines("out.journal").at(0))["answer"] == "\xef\xbf\xbd!");
}
