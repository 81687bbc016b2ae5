#pragma once

// The standard error stream as several threads share it: a display that is replaced in place on a terminal,
// and sentences that stay above it.

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <mutex>
#include <string>

namespace rotate {

/// Thread-safe.
class Console {
 public:
  /// How often a display is worth renewing: a log that nobody watches is not to grow by it.
  std::chrono::milliseconds pace() const {
    return terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  }

  /// Columns that a line of the display may have.
  std::size_t width() const {
    winsize size{};
    const bool known = terminal_ && ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return known ? size.ws_col - std::size_t{1} : 99;
  }

  /// Shows `lines` in place of those shown before.
  void show(const std::string& lines) {
    const std::lock_guard lock(mutex_);
    std::cerr << erase() + lines + '\n' << std::flush;
    if (terminal_) {
      shown_ = static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n')) + 1;
    }
  }

  /// One line that stays. What no line can hold, such as a server's idea of colours, is left out.
  void say(std::string sentence) {
    std::replace_if(
        sentence.begin(), sentence.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    const std::lock_guard lock(mutex_);
    std::cerr << erase() + sentence + '\n' << std::flush;
    shown_ = 0;
  }

 private:
  /// Takes the cursor back to where the display began, and clears from there.
  std::string erase() const {
    return shown_ == 0 ? std::string() : "\r\x1b[" + std::to_string(shown_) + "A\x1b[J";
  }

  const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  std::mutex mutex_;
  std::size_t shown_ = 0;
};

}  // namespace rotate
