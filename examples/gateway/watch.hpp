#pragma once
// Notices that a file has changed. Editors and Kubernetes write a new file and rename it into place, so that
// the folder is what has to be watched (inotify(7)).

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gateway {

/// Watches the folders of some files. Used on the gateway's thread.
class Watch {
 public:
  /// `changed` is called once a file is another and its folder has been quiet for a moment. Throws
  /// std::system_error.
  Watch(boost::asio::io_context& context, std::function<void()> changed);

  /// Watches these files from now on.
  void set_files(const std::vector<std::string>& files);
  void stop();

 private:
  /// What tells a file from what it was.
  using Stamp = std::array<std::int64_t, 4>;

  void read();
  void arm();
  void look();
  [[nodiscard]] std::vector<Stamp> stamps() const;

  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer quiet_;
  std::function<void()> changed_;
  std::vector<std::string> files_;
  std::vector<Stamp> seen_;
  std::vector<int> folders_;
  std::chrono::steady_clock::time_point first_{};  ///< of the events that are being waited out
};

}  // namespace gateway
