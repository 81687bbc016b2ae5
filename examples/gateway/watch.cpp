#include "watch.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>

namespace gateway {
namespace {

using boost::system::error_code;

/// What follows a change within so long belongs to it.
constexpr std::chrono::milliseconds quiet_time{100};
/// In a folder that is never quiet the files are looked at all the same.
constexpr std::chrono::seconds longest_wait{1};

int checked(int descriptor) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "inotify_init1");
  return descriptor;
}

}  // namespace

Watch::Watch(boost::asio::io_context& context, std::function<void()> changed)
    : descriptor_(context, checked(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC))),
      quiet_(context),
      changed_(std::move(changed)) {
  read();
}

/// A folder that is not there is not watched: whoever reads the file says so.
void Watch::set_files(const std::vector<std::string>& files) {
  std::vector<int> folders;
  for (const std::string& file : files) {
    // A link's own folder, and that of the file behind it.
    std::error_code ignored;
    const auto target = std::filesystem::canonical(file, ignored);
    for (const auto& path : {std::filesystem::path(file), target}) {
      const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
      const int number = ::inotify_add_watch(descriptor_.native_handle(), folder.c_str(),
                                             IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE);
      if (number >= 0) folders.push_back(number);
    }
  }
  for (const int old : folders_) {
    if (std::find(folders.begin(), folders.end(), old) == folders.end()) {
      ::inotify_rm_watch(descriptor_.native_handle(), old);
    }
  }
  folders_ = std::move(folders);
  files_ = files;
  seen_ = stamps();
}

void Watch::stop() {
  error_code ignored;
  descriptor_.close(ignored);
  quiet_.cancel();
}

void Watch::read() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](error_code error) {
    if (error) return;
    std::array<char, 4096> events{};
    error_code ignored;
    descriptor_.read_some(boost::asio::buffer(events), ignored);  // which of them it was does not matter
    arm();
    read();
  });
}

void Watch::arm() {
  const auto now = std::chrono::steady_clock::now();
  if (first_ == decltype(first_){}) first_ = now;
  quiet_.expires_at((std::min)(now + quiet_time, first_ + longest_wait));
  quiet_.async_wait([this](error_code stopped) {
    if (!stopped) look();
  });
}

void Watch::look() {
  first_ = {};
  std::vector<Stamp> now = stamps();
  if (now == seen_) return;
  seen_ = std::move(now);
  changed_();
}

std::vector<Watch::Stamp> Watch::stamps() const {
  std::vector<Stamp> stamps;
  for (const std::string& file : files_) {
    struct ::stat status {};
    if (::stat(file.c_str(), &status) != 0) status = {};
    stamps.push_back({static_cast<std::int64_t>(status.st_ino), static_cast<std::int64_t>(status.st_size),
                      status.st_mtim.tv_sec, status.st_mtim.tv_nsec});
  }
  return stamps;
}

}  // namespace gateway
