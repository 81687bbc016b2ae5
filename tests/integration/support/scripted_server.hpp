#pragma once

// A server of bare sockets that does what its script says, turn by turn: answers with any bytes, says
// nothing, hangs up, resets, or goes on as the test wants. When the script is over it answers each
// request with that request as the body.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace test {

/// What the server does with one request.
struct Turn {
  enum class Read { whole, head, nothing };  ///< how much of the request it takes before it answers
  enum class Then { go_on, close, reset, stall };

  std::string bytes{};
  Then then = Then::go_on;
  Read read = Read::whole;
  /// Makes the bytes of the request that was read, instead of `bytes`.
  std::function<std::string(const std::string& request)> bytes_for{};
  /// Goes on after `bytes` as the test wants, with the connection's socket; false hangs up.
  std::function<bool(int connection)> more{};
};

/// A complete answer.
inline std::string http(int status, const std::string& body = "{}", const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " Scripted\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Listens on a free port of the loopback, or on a Unix socket, while it lives.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<Turn> script = {}, const std::string& unix_socket = {})
      : script_(script.begin(), script.end()),
        listener_(unix_socket.empty() ? listen_on_loopback() : listen_on_path(unix_socket)),
        acceptor_([this] { accept_all(); }) {}
  /// Asks `next_turn`, by one thread at a time, for each turn.
  explicit ScriptedServer(std::function<Turn()> next_turn)
      : makes_turn_(std::move(next_turn)),
        listener_(listen_on_loopback()),
        acceptor_([this] { accept_all(); }) {}
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : connections_) ::shutdown(connection, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
  }

  /// False when the other side is gone.
  static bool send_all(int connection, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// Appends what came to `buffer`; false when the other side is gone.
  static bool receive(int connection, std::string& buffer) {
    char bytes[65536];
    const ssize_t count = ::recv(connection, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    buffer.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  std::string origin() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }

  /// Whence the connections came, in their order.
  std::vector<std::string> peers() const {
    const std::lock_guard lock(mutex_);
    return peers_;
  }

  /// How many connections came.
  std::size_t accepted() const {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }

  /// How many of them are still there, each with a descriptor and a thread.
  std::size_t connected() const {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }

  /// The requests that were read as a whole or in part, as they came.
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  static int checked(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
  }

  int listen_on_loopback() {
    const int listener = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    checked(::bind(listener, plain, size), "bind");
    checked(::listen(listener, 64), "listen");
    checked(::getsockname(listener, plain, &size), "getsockname");
    port_ = ntohs(address.sin_port);
    return listener;
  }

  static int listen_on_path(const std::string& path) {
    const int listener = checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    checked(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
    checked(::listen(listener, 64), "listen");
    return listener;
  }

  void accept_all() {
    for (;;) {
      sockaddr_in peer{};
      socklen_t size = sizeof peer;
      const int connection = ::accept4(listener_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC);
      if (connection < 0) return;
      const std::lock_guard lock(mutex_);
      ++accepted_;
      peers_.emplace_back(::inet_ntoa(peer.sin_addr));
      connections_.push_back(connection);
      threads_.emplace_back([this, connection] {
        serve(connection);
        const std::lock_guard closing(mutex_);
        std::erase(connections_, connection);
        ::close(connection);
      });
    }
  }

  Turn next_turn() {
    const std::lock_guard lock(mutex_);
    if (makes_turn_) return makes_turn_();
    if (script_.empty()) return {.bytes = "echo"};
    Turn turn = std::move(script_.front());
    script_.pop_front();
    return turn;
  }

  void serve(int connection) {
    std::string buffer;
    for (;;) {
      // A turn is taken when there is a request, so that an idle connection takes none away.
      if (buffer.empty() && !receive(connection, buffer)) return;
      const Turn turn = next_turn();
      std::string request;
      if (turn.read != Turn::Read::nothing) {
        request = take_request(connection, buffer, turn.read == Turn::Read::whole);
        if (request.empty()) return;
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      if (!answer(connection, turn, request)) return;
    }
  }

  /// False when the connection is over.
  static bool answer(int connection, const Turn& turn, const std::string& request) {
    const bool head = request.starts_with("HEAD ");
    const std::string echo = http(200, request);
    const std::string made = turn.bytes_for ? turn.bytes_for(request) : turn.bytes;
    const std::string_view bytes =
        made != "echo" ? std::string_view(made)
                       : std::string_view(echo).substr(0, head ? echo.find("\r\n\r\n") + 4 : echo.size());
    if (!send_all(connection, bytes)) return false;
    if (turn.more && !turn.more(connection)) return false;
    switch (turn.then) {
      case Turn::Then::go_on: return true;
      case Turn::Then::close: return false;
      case Turn::Then::reset: {
        const linger at_once{1, 0};
        ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        return false;
      }
      case Turn::Then::stall: {
        if (turn.read == Turn::Read::head) return sleep_until_closed(connection);
        std::string ignored;
        while (receive(connection, ignored)) ignored.clear();
        return false;
      }
    }
    return false;
  }

  /// Reads nothing, so that the client cannot send for ever; false.
  static bool sleep_until_closed(int connection) {
    pollfd gone{connection, POLLRDHUP, 0};
    ::poll(&gone, 1, -1);
    return false;
  }

  /// One request cut off the front of `buffer`; empty when the connection ended before.
  static std::string take_request(int connection, std::string& buffer, bool whole) {
    std::size_t end = std::string::npos;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!receive(connection, buffer)) return {};
    }
    end += 4;
    if (whole) {
      const std::string head = buffer.substr(0, end);
      const std::size_t length = head.find("Content-Length: ");
      if (length != std::string::npos) end += std::stoull(head.substr(length + 16));
      const bool chunked = head.find("Transfer-Encoding: chunked") != std::string::npos;
      const auto complete = [&] {
        return chunked ? buffer.find("0\r\n\r\n", end) != std::string::npos : buffer.size() >= end;
      };
      while (!complete()) {
        if (!receive(connection, buffer)) return {};
      }
      if (chunked) end = buffer.find("0\r\n\r\n", end) + 5;
    }
    std::string request = buffer.substr(0, end);
    buffer.erase(0, end);
    return request;
  }

  std::deque<Turn> script_;
  std::function<Turn()> makes_turn_;
  int port_ = 0;
  int listener_;
  mutable std::mutex mutex_;
  std::vector<int> connections_;
  std::vector<std::thread> threads_;
  std::vector<std::string> requests_;
  std::vector<std::string> peers_;
  std::size_t accepted_ = 0;
  std::thread acceptor_;
};

// For Turn::more.

/// Sends `bytes` again and again until the client is gone.
inline auto endless(std::string bytes) {
  return [bytes = std::move(bytes)](int connection) {
    while (ScriptedServer::send_all(connection, bytes)) {
    }
    return false;
  };
}

/// Sends `bytes` one by one with `gap` before each.
inline auto dripping(std::string bytes, std::chrono::milliseconds gap) {
  return [bytes = std::move(bytes), gap](int connection) {
    return std::all_of(bytes.begin(), bytes.end(), [&](const char& byte) {
      std::this_thread::sleep_for(gap);
      return ScriptedServer::send_all(connection, std::string_view(&byte, 1));
    });
  };
}

/// Passes bytes on between the client and a port of the loopback until one of the two is gone.
inline auto tunnel(int port) {
  return [port](int connection) {
    const int other = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    bool open = ::connect(other, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    while (open) {
      pollfd ends[] = {{connection, POLLIN, 0}, {other, POLLIN, 0}};
      ::poll(ends, 2, -1);
      for (const auto& [from, to] : {std::pair(0, 1), std::pair(1, 0)}) {
        std::string bytes;
        if (ends[from].revents == 0) continue;
        open = open && ScriptedServer::receive(ends[from].fd, bytes) &&
               ScriptedServer::send_all(ends[to].fd, bytes);
      }
    }
    ::close(other);
    return false;
  };
}

}  // namespace test
