#pragma once

// The server that the demo runs against: a process of its own, which ends with this one.

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "child_process.hpp"
#include "settings.hpp"

namespace rotate {

class DemoServer {
 public:
  /// Throws std::runtime_error if it does not come to listen.
  explicit DemoServer(const Settings& settings) : process_(command(settings)) {
    const std::string greeting = "listening on ";
    const std::string line = process_.read_line();
    if (line.rfind(greeting, 0) != 0) {
      throw std::runtime_error("the demo server did not start: see its message above");
    }
    base_url_ = line.substr(greeting.size()) + "/v1";
  }

  const std::string& base_url() const { return base_url_; }

  /// The tokens that it knows, comma-joined.
  static std::string tokens(std::size_t count) {
    std::string list;
    for (std::size_t i = 1; i <= count; ++i) {
      list.append(list.empty() ? "" : ",").append("sk-demo-").append(std::to_string(1000 + i));
    }
    return list;
  }

 private:
  static std::vector<std::string> command(const Settings& settings) {
    std::vector<std::string> words{
        QUOTA_SERVER,    "--exit-with-parent", "--tokens",      tokens(settings.tokens),
        "--rule",        settings.rule,        "--limit",       std::to_string(settings.limit),
        "--window",      settings.window,      "--window-kind", settings.window_kind,
        "--retry-after", settings.retry_after, "--delay",       settings.delay};
    for (const std::string& kill : settings.kill) {
      words.insert(words.end(), {"--kill", kill});
    }
    if (!settings.server_log.empty()) {
      words.insert(words.end(), {"--log", settings.server_log});
    }
    return words;
  }

  support::ChildProcess process_;
  std::string base_url_;
};

}  // namespace rotate
