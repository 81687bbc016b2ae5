#pragma once

// What the HTTP library leaves open about connections: a thread for each of them, however many there are, and
// a way to end one without an answer. The library hands out no descriptors, so they are found by their peer.

#include <httplib.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

namespace quota_server {

namespace detail {

/// Host and port of a connected socket's peer; an empty host for anything else.
inline std::pair<std::string, int> peer_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (::getpeername(descriptor, generic, &size) != 0 ||
      (address.ss_family != AF_INET && address.ss_family != AF_INET6) ||
      ::getnameinfo(generic, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) !=
          0) {
    return {};
  }
  return {host, std::stoi(port)};
}

template <class Visitor>
void for_each_connection(const Visitor& visit) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/fd", ignored)) {
    const int descriptor = std::stoi(entry.path().filename().string());
    const auto [host, port] = peer_of(descriptor);
    if (!host.empty()) visit(descriptor, host, port);
  }
}

}  // namespace detail

/// Ends the connection on which the request came: its client sees it close before any byte of an answer.
inline void drop_connection(const httplib::Request& request) {
  detail::for_each_connection([&](int descriptor, const std::string& host, int port) {
    if (host == request.remote_addr && port == request.remote_port) ::shutdown(descriptor, SHUT_RDWR);
  });
}

/// A kept-alive connection holds its thread until it ends, so a pool of any fixed size would starve the next
/// one.
class ThreadPerConnection : public httplib::TaskQueue {
  /// Newer versions of the library want to hear that the task was taken.
  using Taken = decltype(std::declval<httplib::TaskQueue&>().enqueue({}));

 public:
  Taken enqueue(std::function<void()> serve) override {
    {
      const std::lock_guard lock(mutex_);
      ++open_;
    }
    std::thread([this, serve = std::move(serve)] {
      serve();
      const std::lock_guard lock(mutex_);
      --open_;
      closed_.notify_all();
    }).detach();
    return Taken(true);
  }

  /// Ends idle connections at once and waits until those with a request have sent their answer.
  void shutdown() override {
    detail::for_each_connection(
        [](int descriptor, const std::string&, int) { ::shutdown(descriptor, SHUT_RD); });
    std::unique_lock lock(mutex_);
    closed_.wait(lock, [this] { return open_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable closed_;
  std::size_t open_ = 0;
};

}  // namespace quota_server
