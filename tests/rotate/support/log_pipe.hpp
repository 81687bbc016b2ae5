#pragma once

// The server's access log as a pipe: a test that reads it knows how far the run has come, and when the server
// is gone, without waiting for any length of time.

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace test {

class LogPipe {
 public:
  /// `path` is what the server is told as its log.
  explicit LogPipe(std::string path) : path_(std::move(path)) {
    if (::mkfifo(path_.c_str(), 0600) != 0) throw std::system_error(errno, std::generic_category(), path_);
    file_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  LogPipe(const LogPipe&) = delete;
  LogPipe& operator=(const LogPipe&) = delete;
  ~LogPipe() { ::close(file_); }

  const std::string& path() const { return path_; }

  /// Returns once the server has written that many lines.
  void wait_for_lines(int count) {
    while (count > 0) {
      const char c = next();
      if (c == '\0') throw std::runtime_error("the server ended too early");
      count -= c == '\n' ? 1 : 0;
    }
  }

  /// Returns once the server is gone; throws std::runtime_error if it stays.
  void wait_for_end() {
    while (next() != '\0') {
    }
  }

 private:
  /// '\0' when nobody can write any more.
  char next() {
    constexpr int long_enough = 60'000;
    pollfd watched{file_, POLLIN, 0};
    if (::poll(&watched, 1, long_enough) != 1) throw std::runtime_error("the server neither wrote nor ended");
    char c{};
    return ::read(file_, &c, 1) == 1 ? c : '\0';
  }

  std::string path_;
  int file_ = -1;
};

}  // namespace test
