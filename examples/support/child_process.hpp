#pragma once

// A program that lives as long as the object: its standard input is a pipe that closes with this process, its
// standard output is read line by line.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <system_error>
#include <vector>

extern "C" char** environ;

namespace support {

class ChildProcess {
 public:
  /// `command` begins with the program's path. Throws std::system_error if it cannot be started.
  explicit ChildProcess(std::vector<std::string> command) {
    int input[2];
    int output[2];
    // Close-on-exec, or a second child would hold the first one's input open.
    check(::pipe2(input, O_CLOEXEC) == 0 ? 0 : errno, "pipe");
    check(::pipe2(output, O_CLOEXEC) == 0 ? 0 : errno, "pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    // A process group of its own: Ctrl-C at a terminal is for the program that started it. And no signal
    // blocked, whatever this program blocks for itself.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    std::vector<char*> arguments;
    for (std::string& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    const int error = ::posix_spawn(&id_, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    ::close(input[0]);
    ::close(output[1]);
    input_ = input[1];
    output_ = output[0];
    check(error, command[0]);
  }

  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  ~ChildProcess() {
    end();
    ::close(input_);
    ::close(output_);
  }

  pid_t id() const { return id_; }

  /// The next line of its output, without the new line; what there is of one when the output ends.
  std::string read_line() {
    std::string line;
    char c{};
    while (::read(output_, &c, 1) == 1 && c != '\n') line.push_back(c);
    return line;
  }

  /// All that is left of its output, to its end.
  std::string read_all() {
    std::string text;
    char block[4096];
    for (ssize_t size = 0; (size = ::read(output_, block, sizeof block)) > 0;) {
      text.append(block, static_cast<std::size_t>(size));
    }
    return text;
  }

  /// Sends the signal, such as SIGSTOP or SIGCONT, to the living program.
  void send(int signal) {
    if (!ended_) ::kill(id_, signal);
  }

  /// Asks it to end (SIGKILL does not ask) and waits; returns its exit code, or -1 if a signal ended it. One
  /// that was stopped goes on first: a SIGCONT that came later would undo how a leak checker stops it at its
  /// end.
  int end(int signal = SIGTERM) {
    send(SIGCONT);
    send(signal);
    return wait();
  }

  /// Waits until it ends by itself; returns what `end` does. Its output must be read before, or it may hang.
  int wait() {
    while (!ended_ && ::waitpid(id_, &status_, 0) < 0 && errno == EINTR) {
    }
    ended_ = true;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  }

 private:
  static void check(int error, const std::string& what) {
    if (error != 0) throw std::system_error(error, std::generic_category(), what);
  }

  pid_t id_ = -1;
  int input_ = -1;
  int output_ = -1;
  int status_ = 0;
  bool ended_ = false;
};

}  // namespace support
