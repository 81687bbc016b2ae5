#include <csignal>

#include <nlohmann/json.hpp>

#include "catch_compat.hpp"
#include "support/log_pipe.hpp"
#include "support/program.hpp"

using test::ContainsSubstring;
using test::Ended;
using test::LogPipe;
using test::Program;
using test::rotate_in;
using test::TemporaryFolder;
using test::with_status;

namespace {

std::vector<std::string> slow_demo(const LogPipe& pipe) {
  return {"--output", "out", "--delay", "20ms", "--server-log", pipe.path()};
}

/// The second run asks for exactly what the first did not answer, and the file is whole and in order.
void check_second_run(const TemporaryFolder& folder, const std::vector<std::string>& kept) {
  const Ended ended = rotate_in(folder, {"--output", "out", "--server-log", "second"});
  CHECK(ended.exit_code == 0);
  CHECK_THAT(ended.err, ContainsSubstring(std::to_string(kept.size()) + " prompts are answered already"));
  CHECK(with_status(folder, "second", 200) == 500 - static_cast<int>(kept.size()));
  const std::vector<std::string> lines = folder.lines("out");
  REQUIRE(lines.size() == 500);
  for (std::size_t i = 0; i < lines.size(); ++i) CHECK(nlohmann::json::parse(lines[i])["line"] == i + 1);
  for (const std::string& line : kept) CHECK(std::find(lines.begin(), lines.end(), line) != lines.end());
  CHECK(folder.names() == std::vector<std::string>{"out", "pipe", "second", "stderr"});
}

}  // namespace

TEST_CASE("what an interrupted run has answered is kept and the next run completes it") {
  const int signal = GENERATE(SIGINT, SIGTERM);
  const TemporaryFolder folder;
  LogPipe pipe(folder / "pipe");
  Program program(folder, slow_demo(pipe));
  pipe.wait_for_lines(50);
  program.process().send(signal);
  const Ended ended = program.finish();
  CHECK(ended.exit_code == 130);
  CHECK_THAT(ended.out, ContainsSubstring("interrupted: what was answered is kept"));
  const std::vector<std::string> kept = folder.lines("out");
  // The log has a line before its answer, so that the four callers may not have had theirs.
  CHECK(kept.size() >= 46);
  CHECK(kept.size() < 500);
  check_second_run(folder, kept);
}

TEST_CASE("what a killed run has answered is kept and the next run completes it") {
  const TemporaryFolder folder;
  LogPipe pipe(folder / "pipe");
  Program program(folder, slow_demo(pipe));
  pipe.wait_for_lines(50);
  CHECK(program.process().end(SIGKILL) == -1);
  pipe.wait_for_end();
  const std::vector<std::string> kept = folder.lines("out.journal");
  CHECK(kept.size() >= 46);
  CHECK(kept.size() < 500);
  check_second_run(folder, kept);
}

TEST_CASE("a killed run leaves no server behind") {
  const TemporaryFolder folder;
  LogPipe pipe(folder / "pipe");
  Program program(folder, slow_demo(pipe));
  pipe.wait_for_lines(1);
  program.process().end(SIGKILL);
  CHECK_NOTHROW(pipe.wait_for_end());
}
