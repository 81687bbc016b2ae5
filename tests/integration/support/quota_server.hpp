#pragma once

// The example server as a guest of a test: it listens on a free port of the loopback while the object lives,
// and its counts and log are the outside view of what a client did.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "child_process.hpp"
#include "plain_http.hpp"

namespace test {

using support::ChildProcess;

/// A file name nobody else has; the file is removed with the object.
class TemporaryFile {
 public:
  TemporaryFile() : path_((std::filesystem::temp_directory_path() / "tokenpool-XXXXXX").string()) {
    const int descriptor = ::mkstemp(path_.data());
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), path_);
    ::close(descriptor);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path_); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class QuotaServer {
 public:
  /// `arguments` are those of examples/quota_server, such as {"--tokens", "sk-a,sk-b", "--limit", "3"}.
  /// Throws std::runtime_error if it does not come to listen.
  explicit QuotaServer(std::vector<std::string> arguments) : process_(command(std::move(arguments))) {
    const std::string greeting = "listening on ";
    const std::string line = process_.read_line();
    if (line.rfind(greeting, 0) != 0) throw std::runtime_error("the quota server did not start");
    origin_ = line.substr(greeting.size());
  }

  /// http://127.0.0.1:PORT
  const std::string& origin() const { return origin_; }

  /// What a client is given.
  std::string base_url() const { return origin_ + "/v1"; }

  /// GET /_counts.
  nlohmann::json counts() const { return nlohmann::json::parse(plain_get(origin_ + "/_counts").body); }

  /// The log so far, a JSON object for each request; a line is there before its answer.
  std::vector<nlohmann::json> log() const {
    std::ifstream file(log_.path());
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }

  /// To stop, continue or end the server in the middle of a test.
  ChildProcess& process() { return process_; }

 private:
  std::vector<std::string> command(std::vector<std::string> arguments) const {
    std::vector<std::string> command{TOKENPOOL_QUOTA_SERVER_PATH, "--exit-with-parent", "--log", log_.path()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }

  TemporaryFile log_;  // before the process, which is told its name
  ChildProcess process_;
  std::string origin_;
};

}  // namespace test
