#pragma once

// What the user asked for on the command line.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tokenpool/quota/limit.hpp>

namespace rotate {

/// Where the demo's answers go by default: never among those of a real server.
inline constexpr const char* demo_output = "demo-answers.jsonl";

struct Settings {
  // Of a real server; without base_url the demo server is started.
  std::string base_url{};
  std::string tokens_env{"ROTATE_TOKENS"};
  std::string model{"demo"};
  std::vector<tokenpool::Limit> limits{};

  // Of the demo server.
  std::string rule{"per-token"};
  std::int64_t limit{};
  std::string window{"24h"};
  std::string window_kind{"first-request"};
  std::string retry_after{"seconds"};
  std::string delay{"0ms"};
  std::size_t tokens{5};
  std::vector<std::string> kill{};
  std::string server_log{};

  std::string prompts{};
  std::string output{};
  std::string policy{"round-robin"};
  std::size_t threads{4};
  std::chrono::milliseconds max_wait{};
  bool json{false};

  bool demo() const { return base_url.empty(); }
};

/// What is left to do after the command line was read: go on with `settings`, or end with `exit_code`.
struct CommandLine {
  std::optional<Settings> settings{};
  int exit_code{};
};

/// Reads the command line; help goes to stdout, one sentence about a mistake to stderr (exit code 2).
CommandLine read_command_line(int count, const char* const* words);

/// "90s", "24h", "500ms", "15m", "2d" in milliseconds; nothing for anything else or a negative time.
std::optional<std::chrono::milliseconds> parse_duration(const std::string& text);

}  // namespace rotate
