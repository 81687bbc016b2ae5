#pragma once
// A server that costs as little as possible, in a process of its own: the same chat-like answer of about 500
// bytes to every request, at once or after a delay.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace benchmarks {

/// As many open files as this process may have: a connection is one.
inline void raise_file_limit() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

inline std::string fixed_answer() {
  const std::string body =
      R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"demo","choices":[{"index":0,)"
      R"("message":{"role":"assistant","content":"An answer of a few sentences, so that it has about the size that )"
      R"(short chat answers have. It says nothing of interest, it only fills the body of this response up to )"
      R"(roughly five hundred bytes, which is what the measurement needs and nothing more than that."},)"
      R"("finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":40,"total_tokens":52}})";
  return "HTTP/1.1 200 OK\r\nServer: benchmark\r\nDate: Wed, 25 Nov 2026 12:00:00 GMT\r\n"
         "Content-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\nConnection: keep-alive\r\n\r\n" + body;
}

/// The loop of the server's process.
class ServerLoop {
 public:
  ServerLoop(int listener, std::chrono::milliseconds delay) : listener_(listener), delay_(delay) {
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 512> events{};
    for (;;) {
      const int count =
          epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds_to_next());
      for (int i = 0; i < count; ++i) {
        const int descriptor = events.at(static_cast<std::size_t>(i)).data.fd;
        descriptor == listener_ ? accept_all() : read_from(descriptor);
      }
      while (!due_.empty() && due_.front().first <= Clock::now()) {
        answer(due_.front().second);
        due_.pop_front();
      }
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  void watch(int descriptor) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  }

  void accept_all() {
    for (int one = 0; (one = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      const int on = 1;
      setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (unread_.size() <= static_cast<std::size_t>(one)) {
        unread_.resize(static_cast<std::size_t>(one) + 1);
      }
      unread_[static_cast<std::size_t>(one)].clear();
      watch(one);
    }
  }

  void read_from(int descriptor) {
    std::array<char, 65536> block;
    const ssize_t size = recv(descriptor, block.data(), block.size(), 0);
    if (size <= 0) {
      if (size == 0 || errno != EAGAIN) {
        close(descriptor);
      }
      return;
    }
    std::string& unread = unread_[static_cast<std::size_t>(descriptor)];
    unread.append(block.data(), static_cast<std::size_t>(size));
    while (take_request(unread)) {
      if (delay_.count() == 0) {
        answer(descriptor);
      } else {
        due_.emplace_back(Clock::now() + delay_, descriptor);
      }
    }
  }

  /// Cuts one whole request off the beginning of `unread`, if it is there.
  static bool take_request(std::string& unread) {
    const std::size_t end = unread.find("\r\n\r\n");
    if (end == std::string::npos) {
      return false;
    }
    constexpr std::string_view length_field = "Content-Length: ";
    const char* const field = strcasestr(unread.c_str(), length_field.data());  // Node writes it small
    const std::size_t body = field == nullptr ? 0 : std::strtoul(field + length_field.size(), nullptr, 10);
    if (unread.size() < end + 4 + body) {
      return false;
    }
    unread.erase(0, end + 4 + body);
    return true;
  }

  void answer(int descriptor) const {
    static_cast<void>(send(descriptor, answer_.data(), answer_.size(), MSG_NOSIGNAL));
  }

  [[nodiscard]] int milliseconds_to_next() const {
    if (due_.empty()) {
      return -1;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_.front().first - Clock::now());
    return left.count() > 0 ? static_cast<int>(left.count()) : 0;
  }

  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int listener_;
  std::chrono::milliseconds delay_;
  std::string answer_ = fixed_answer();
  std::vector<std::string> unread_;
  std::deque<std::pair<Clock::time_point, int>> due_;
};

/// The server as its starter sees it. To be made before the first thread. Throws std::system_error.
class Server {
 public:
  explicit Server(std::chrono::milliseconds delay = {}) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (listener < 0 || bind(listener, generic, size) != 0 || listen(listener, 16384) != 0 ||
        getsockname(listener, generic, &size) != 0) {
      throw std::system_error(errno, std::generic_category(), "the benchmark's server");
    }
    port_ = ntohs(address.sin_port);
    process_ = fork();
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      raise_file_limit();
      ServerLoop(listener, delay).run();
    }
    close(listener);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }

  [[nodiscard]] std::string base_url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }

 private:
  pid_t process_ = -1;
  int port_ = 0;
};

}  // namespace benchmarks
