#pragma once

// A long way to a server of this machine, where the system cannot make the network itself slow: passes
// connections on, and whatever comes, their ends and resets too, is held back for a while in each direction.

#include <chrono>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/scripted_server.hpp"

namespace test {

/// Listens on a free port of the loopback while it lives; its end is that of its connections.
class DelayingRelay {
 public:
  DelayingRelay(int server, std::chrono::milliseconds delay)
      : server_(server), delay_(delay), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, plain, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, plain, &size) != 0)
      throw std::system_error(errno, std::generic_category(), "a relay");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  DelayingRelay(const DelayingRelay&) = delete;
  DelayingRelay& operator=(const DelayingRelay&) = delete;
  ~DelayingRelay() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
  }

  std::string origin() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Kind { bytes, end, reset };
  /// What is on its way, and when it arrives.
  struct Piece {
    Clock::time_point due;
    Kind kind;
    std::string bytes;
  };

  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }

  void accept_all() {
    for (;;) {
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const std::lock_guard lock(mutex_);
      open_.insert(open_.end(), {client, server});
      threads_.emplace_back([this, client, server] {
        const sockaddr_in address = loopback(server_);
        if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
          pass_on(client, server);
        const std::lock_guard closing(mutex_);
        for (const int socket : {client, server}) {
          std::erase(open_, socket);
          ::close(socket);
        }
      });
    }
  }

  /// Until one of the two has ended and the other has been told.
  void pass_on(int client, int server) const {
    const int sockets[] = {client, server};
    std::deque<Piece> under_way[2];  // from the client, from the server
    bool ended[2] = {false, false};
    for (;;) {
      pollfd ends[2];
      int wait = -1;
      for (int side = 0; side < 2; ++side) {
        ends[side] = {sockets[side], static_cast<short>(ended[side] ? 0 : POLLIN), 0};
        if (under_way[side].empty()) continue;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(under_way[side].front().due - Clock::now());
        const int at_most = static_cast<int>((std::max)(left.count(), std::chrono::milliseconds::rep{0}));
        wait = wait < 0 ? at_most : (std::min)(wait, at_most);
      }
      ::poll(ends, 2, wait);
      for (int side = 0; side < 2; ++side) {
        if (!ended[side] && ends[side].revents != 0) {
          under_way[side].push_back(take(sockets[side]));
          ended[side] = under_way[side].back().kind != Kind::bytes;
        }
        if (!deliver(under_way[side], sockets[1 - side])) return;
      }
    }
  }

  Piece take(int socket) const {
    std::string bytes;
    errno = 0;
    const bool more = ScriptedServer::receive(socket, bytes);
    const Kind kind = more ? Kind::bytes : errno == ECONNRESET ? Kind::reset : Kind::end;
    return {Clock::now() + delay_, kind, std::move(bytes)};
  }

  /// Hands over what has arrived; false with the end.
  static bool deliver(std::deque<Piece>& under_way, int to) {
    for (; !under_way.empty() && under_way.front().due <= Clock::now(); under_way.pop_front()) {
      const auto& [due, kind, bytes] = under_way.front();
      if (kind == Kind::reset) {
        const linger at_once{1, 0};
        ::setsockopt(to, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      }
      if (kind != Kind::bytes || !ScriptedServer::send_all(to, bytes)) return false;
    }
    return true;
  }

  int server_;
  std::chrono::milliseconds delay_;
  int listener_;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace test
