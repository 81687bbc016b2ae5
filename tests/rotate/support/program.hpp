#pragma once

// The program as its user runs it: in a folder, with words, watched from outside.

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "child_process.hpp"
#include "support/temporary_folder.hpp"

namespace test {

/// How it ended and what it said.
struct Ended {
  int exit_code{};
  std::string out{};
  std::string err{};
};

/// A run of the program in `folder`.
class Program {
 public:
  Program(const TemporaryFolder& folder, std::vector<std::string> words)
      : folder_(folder), process_(command(folder, std::move(words))) {}

  support::ChildProcess& process() { return process_; }

  /// Waits for its end.
  Ended finish() {
    Ended ended;
    ended.out = process_.read_all();
    ended.exit_code = process_.wait();
    ended.err = folder_.read("stderr");
    return ended;
  }

 private:
  static std::vector<std::string> command(const TemporaryFolder& folder, std::vector<std::string> words) {
    std::vector<std::string> command{"/bin/sh", "-c", "cd \"$0\" && exec \"$@\" 2>stderr", folder.path(),
                                     ROTATE_PATH};
    command.insert(command.end(), words.begin(), words.end());
    return command;
  }

  const TemporaryFolder& folder_;
  support::ChildProcess process_;
};

/// A whole run.
inline Ended rotate_in(const TemporaryFolder& folder, std::vector<std::string> words) {
  return Program(folder, std::move(words)).finish();
}

/// How often each status went to each token (its last four characters), by the server's own log.
inline std::map<std::pair<std::string, int>, int> tally(const TemporaryFolder& folder,
                                                        const std::string& log) {
  std::map<std::pair<std::string, int>, int> counts;
  for (const std::string& line : folder.lines(log)) {
    const auto visit = nlohmann::json::parse(line);
    ++counts[{visit["token"], visit["status"]}];
  }
  return counts;
}

/// How many requests had that status.
inline int with_status(const TemporaryFolder& folder, const std::string& log, int status) {
  int sum = 0;
  for (const auto& [visit, count] : tally(folder, log)) sum += visit.second == status ? count : 0;
  return sum;
}

/// How often `part` occurs in `text`.
inline int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

}  // namespace test
