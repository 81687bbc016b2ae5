#pragma once

// What must outlive a kill: a file that grows by whole lines and belongs to one program at a time.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace rotate {

class Journal {
 public:
  /// Opens or makes the file and locks it against other runs. Throws std::runtime_error with one sentence.
  explicit Journal(std::string path)
      : path_(std::move(path)), file_(::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {
    if (file_ < 0) {
      throw cannot_write(path_);
    }
    // A name that is gone by now was removed by a run that has just ended.
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0 || status().st_nlink == 0) {
      ::close(file_);
      throw std::runtime_error("--output: another run is writing " + path_ +
                               ": wait for its end, or give another file");
    }
    end_torn_line();
  }

  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// One with nothing in it is no news for the next run.
  ~Journal() {
    if (status().st_size == 0) {
      remove();
    }
    ::close(file_);
  }

  const std::string& path() const { return path_; }

  /// `line` without its line end. Throws std::runtime_error when it cannot be written; nothing of it is there
  /// then.
  void add(const std::string& line) {
    const auto before = status().st_size;
    const std::string text = line + '\n';
    if (::write(file_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      static_cast<void>(!::ftruncate(file_, before));
      throw cannot_write(path_);
    }
  }

  void remove() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  static std::runtime_error cannot_write(const std::string& path) {
    return std::runtime_error("--output: " + path +
                              " cannot be written: give another file, or check the folder and its rights");
  }

 private:
  struct stat status() const {
    struct stat status {};
    ::fstat(file_, &status);
    return status;
  }

  /// After a kill in the middle of a line the next one would be glued to it.
  void end_torn_line() {
    char last = '\n';
    const auto size = status().st_size;
    if (size > 0 && ::pread(file_, &last, 1, size - 1) == 1 && last != '\n') {
      add("");
    }
  }

  std::string path_;
  int file_;
};

}  // namespace rotate
