#pragma once

// A Redis server as the guest of a test: on a free port of the loopback, with nothing in it and nothing of it
// left on the disk.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "child_process.hpp"

namespace test {

class RedisServer {
 public:
  /// `arguments` go to redis-server, such as {"--requirepass", "secret"}. TOKENPOOL_REDIS_SERVER names
  /// another program than redis-server. Throws std::runtime_error if it does not come to listen.
  explicit RedisServer(std::vector<std::string> arguments = {})
      : arguments_(std::move(arguments)), folder_(make_folder()) {
    for (int attempt = 0; attempt < 5; ++attempt) {
      port_ = free_port();
      if (try_to_start()) return;
    }
    std::filesystem::remove_all(folder_);
    throw std::runtime_error("redis-server did not start: is the package redis-server installed?");
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() {
    process_.reset();
    std::filesystem::remove_all(folder_);
  }

  int port() const { return port_; }

  /// What a command answers, as redis-cli prints it to a pipe: a value on each line.
  std::string command(std::vector<std::string> words) const {
    words.insert(words.begin(), {"/usr/bin/redis-cli", "-p", std::to_string(port_)});
    return support::ChildProcess(std::move(words)).read_all();
  }
  const std::string& folder() const { return folder_; }

  /// Ends it; what it held is gone, unless its arguments make it keep it.
  void stop(int signal = SIGTERM) {
    process_->end(signal);
    process_.reset();
  }

  /// Starts it again on the same port.
  void start() {
    if (!try_to_start()) throw std::runtime_error("redis-server did not start again");
  }

  /// Holds it still, connections and all, until resume().
  void pause() { process_->send(SIGSTOP); }
  void resume() { process_->send(SIGCONT); }

 private:
  static std::string make_folder() {
    std::string path = (std::filesystem::temp_directory_path() / "tokenpool-redis-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path);
    return path;
  }

  /// Redis cannot be told to choose a port itself; somebody else may take this one before it does. A node of
  /// a cluster takes the one 10,000 above as well.
  static int free_port() {
    for (;;) {
      const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t size = sizeof address;
      auto* plain = reinterpret_cast<sockaddr*>(&address);
      const bool bound = ::bind(probe, plain, size) == 0 && ::getsockname(probe, plain, &size) == 0;
      ::close(probe);
      if (!bound) throw std::system_error(errno, std::generic_category(), "bind");
      if (const int port = ntohs(address.sin_port); port < 55'000) return port;
    }
  }

  std::vector<std::string> command_line() const {
    const char* const other = std::getenv("TOKENPOOL_REDIS_SERVER");
    const bool tls = std::find(arguments_.begin(), arguments_.end(), "--tls-cert-file") != arguments_.end();
    const std::string port = std::to_string(port_);
    // setpriv: it ends with this program, even if that is killed.
    std::vector<std::string> line{"/usr/bin/setpriv", "--pdeathsig", "KILL"};
    line.insert(line.end(), {other ? other : "/usr/bin/redis-server", "--port", tls ? "0" : port});
    line.insert(line.end(), {"--tls-port", tls ? port : "0", "--bind", "127.0.0.1", "--dir", folder_});
    line.insert(line.end(), {"--save", "", "--always-show-logo", "no"});
    line.insert(line.end(), arguments_.begin(), arguments_.end());
    return line;
  }

  bool try_to_start() {
    process_ = std::make_unique<support::ChildProcess>(command_line());
    for (std::string line; !(line = process_->read_line()).empty();) {
      if (line.find("eady to accept connections") != std::string::npos) return true;
    }
    process_.reset();
    return false;
  }

  std::vector<std::string> arguments_;
  std::string folder_;
  int port_ = 0;
  std::unique_ptr<support::ChildProcess> process_;
};

}  // namespace test
