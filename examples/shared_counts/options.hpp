#pragma once

// The command line, as one value.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace shared_counts {

struct Options {
  std::string url = "http://127.0.0.1:8080/v1";
  std::string tokens = "sk-demo-0001,sk-demo-0002";
  std::string counts = "counts.db";  ///< a file, or redis://HOST:PORT
  std::int64_t limit = 100;
  std::chrono::milliseconds window{10'000};
  std::chrono::milliseconds length{30'000};
  unsigned threads = 4;
  bool fresh_wait = false;
  unsigned alone_of = 0;  ///< processes, when the program goes on without its ledger
};

struct CommandLine {
  std::optional<Options> options{};
  int exit_code = 0;
};

/// Prints help, or what is wrong; then there are no options.
CommandLine read_command_line(int count, char** words);

}  // namespace shared_counts
