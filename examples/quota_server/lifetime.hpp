#pragma once

// When the server ends: on SIGINT or SIGTERM and, if asked, with the process that started it, so that a test
// or demo that was killed leaves no server behind.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

namespace quota_server {

/// One per process, since signals are the process's.
class Lifetime {
 public:
  /// Takes over the signals. Throws std::system_error if the system has no pipe left.
  explicit Lifetime(bool with_parent) : with_parent_(with_parent), parent_(::getppid()) {
    if (::pipe(signal_pipe()) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    struct sigaction action {};
    action.sa_handler = [](int) {
      const char byte = 0;
      if (::write(signal_pipe()[1], &byte, 1) < 0) return;  // the pipe is full of such news already
    };
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
  }

  /// Returns when it is time to end.
  void wait() const {
    pollfd watched[] = {{signal_pipe()[0], POLLIN, 0}, {watches_stdin() ? STDIN_FILENO : -1, POLLIN, 0}};
    while (true) {
      const int ready = ::poll(watched, 2, with_parent_ ? 200 : -1);
      if (with_parent_ && ::getppid() != parent_) return;
      if (ready <= 0) continue;
      if (watched[0].revents != 0) return;
      if (watched[1].revents != 0 && stdin_ended()) return;
    }
  }

 private:
  static int* signal_pipe() {
    static int ends[2] = {-1, -1};
    return ends;
  }

  /// Only a pipe or socket says by its end that the parent is gone; /dev/null is at its end from the start.
  bool watches_stdin() const {
    struct stat status {};
    return with_parent_ && ::fstat(STDIN_FILENO, &status) == 0 &&
           (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
  }

  static bool stdin_ended() {
    char discarded[512];
    return ::read(STDIN_FILENO, discarded, sizeof discarded) <= 0;
  }

  bool with_parent_;
  pid_t parent_;
};

}  // namespace quota_server
