#include "support/running_gateway.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "gateway.hpp"

namespace test {

namespace fs = std::filesystem;

bool comes_true(const std::function<bool()>& condition) {
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > patience) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

namespace {

std::string new_folder() {
  std::string path = (fs::temp_directory_path() / "tokenpool-gateway-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path);
  return path;
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace

struct RunningGateway::Inside {
  Inside(nlohmann::json settings) : configuration(std::move(settings)) {
    write_file(path(), configuration.dump());
    gateway = std::make_unique<gateway::Gateway>(path());
    port = gateway->port();
    thread = std::thread([this] {
      whole = gateway->run();
      ended = true;
    });
  }
  ~Inside() {
    gateway->stop();
    gateway->stop();
    thread.join();
    fs::remove_all(folder);
  }

  [[nodiscard]] fs::path path() const { return fs::path(folder) / "gateway.json"; }

  std::string folder = new_folder();
  nlohmann::json configuration;
  std::unique_ptr<gateway::Gateway> gateway;
  int port = 0;  // also when it listens no more
  std::atomic<bool> ended{false};
  std::atomic<bool> whole{false};
  std::thread thread;
};

RunningGateway::RunningGateway(const std::string& base_url, const nlohmann::json& more) {
  nlohmann::json settings{{"base_url", base_url},
                          {"tokens",
                           {{{"id", "one"}, {"secret", "sk-" + canary + "-1"}},
                            {{"id", "two"}, {"secret", "sk-" + canary + "-2"}},
                            {{"id", "three"}, {"secret", "sk-" + canary + "-3"}}}},
                          {"egress", {{{"id", "here"}}}},
                          {"retry", {{"max_wait", "1s"}}}};
  settings.update(more);
  inside_ = std::make_unique<Inside>(std::move(settings));
}
RunningGateway::~RunningGateway() = default;

int RunningGateway::port() const { return inside_->port; }
void RunningGateway::stop() { inside_->gateway->stop(); }
bool RunningGateway::ended() const { return inside_->ended; }
bool RunningGateway::whole() const { return inside_->whole; }

void RunningGateway::rewrite(const nlohmann::json& changes) {
  inside_->configuration.update(changes);
  rewrite_text(inside_->configuration.dump());
}

void RunningGateway::rewrite_text(const std::string& text) {
  const fs::path fresh = inside_->path().string() + ".new";
  write_file(fresh, text);
  fs::rename(fresh, inside_->path());
}

Wire::Wire(int port, int receive_buffer) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer != 0)
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(), "connect");
  }
}

bool Wire::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Wire::receive() {
  pollfd readable{socket_, POLLIN, 0};
  if (::poll(&readable, 1, 60'000) <= 0) throw std::runtime_error("nothing came for 60 s");
  char bytes[65536];
  const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
  reset_ = count < 0 && errno == ECONNRESET;
  if (count > 0) unread_.append(bytes, static_cast<std::size_t>(count));
  return count > 0;
}

bool Wire::read_until(std::string_view text) {
  while (unread_.find(text) == std::string::npos) {
    if (!receive()) return false;
  }
  return true;
}

std::string Wire::read_answer(bool head_only) {
  if (!read_until("\r\n\r\n")) return {};
  const std::size_t head = unread_.find("\r\n\r\n") + 4;
  const std::string length = field_of(unread_.substr(0, head), "Content-Length");
  std::size_t end = head;
  if (!head_only && !length.empty()) {
    end += std::stoul(length);
    while (unread_.size() < end && receive()) {
    }
  } else if (!head_only && !field_of(unread_.substr(0, head), "Transfer-Encoding").empty()) {
    while (unread_.find("\r\n0\r\n\r\n", head - 2) == std::string::npos && receive()) {
    }
    end = unread_.find("\r\n0\r\n\r\n", head - 2);
    end = end == std::string::npos ? unread_.size() : end + 7;
  }
  std::string answer = unread_.substr(0, end);
  unread_.erase(0, end);
  return answer;
}

bool Wire::read_more(std::string& text) {
  const bool more = receive();
  text += std::exchange(unread_, {});
  return more;
}

std::string Wire::read_all() {
  while (receive()) {
  }
  return std::exchange(unread_, {});
}

bool Wire::has_news() const {
  pollfd readable{socket_, POLLIN, 0};
  return ::poll(&readable, 1, 0) > 0;
}

bool Wire::is_closed() {
  read_all();
  return true;
}

void Wire::finish_sending() const { ::shutdown(socket_, SHUT_WR); }

void Wire::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

Events::Events(const RunningGateway& gateway) : wire_(gateway.port()) {
  wire_.send("GET /tokenpool/live HTTP/1.0\r\nHost: " + gateway.host() + "\r\n\r\n");
}

nlohmann::json Events::next(const std::string& name) {
  const std::string head = "event: " + name + "\ndata: ";
  for (;;) {
    const std::size_t begin = seen_.find(head);
    const std::size_t end = begin == std::string::npos ? begin : seen_.find("\n\n", begin);
    if (end != std::string::npos) {
      const std::string data = seen_.substr(begin + head.size(), end - begin - head.size());
      seen_.erase(begin, end + 2 - begin);  // what came before it is still to be asked for
      return nlohmann::json::parse(data);
    }
    if (!wire_.read_more(seen_)) throw std::runtime_error("the stream ended");
  }
}

std::string get(const RunningGateway& gateway, const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: " + gateway.host() + "\r\n\r\n";
}

std::string ask(const RunningGateway& gateway, const std::string& method, const std::string& target,
                const std::string& headers, const std::string& body) {
  Wire wire(gateway.port());
  const std::string length =
      body.empty() ? std::string() : "Content-Length: " + std::to_string(body.size()) + "\r\n";
  wire.send(method + " " + target + " HTTP/1.1\r\nHost: " + gateway.host() + "\r\n" + headers + length +
            "\r\n" + body);
  return wire.read_answer(method == "HEAD");
}

int status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}

std::string body_of(const std::string& answer) {
  const std::size_t head = answer.find("\r\n\r\n");
  if (head == std::string::npos) return {};
  std::string rest = answer.substr(head + 4);
  if (field_of(answer.substr(0, head + 4), "Transfer-Encoding").empty()) return rest;
  std::string body;
  while (!rest.empty()) {
    const std::size_t size = std::stoul(rest, nullptr, 16);
    const std::size_t begin = rest.find("\r\n") + 2;
    body += rest.substr(begin, size);
    rest.erase(0, (std::min)(begin + size + 2, rest.size()));
  }
  return body;
}

std::string field_of(const std::string& answer, const std::string& name) {
  const std::size_t head = answer.find("\r\n\r\n");
  for (std::size_t at = answer.find("\r\n"); at < head; at = answer.find("\r\n", at + 2)) {
    const std::string line = answer.substr(at + 2, answer.find("\r\n", at + 2) - at - 2);
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos && tokenpool::equal_ignoring_case(line.substr(0, colon), name)) {
      return line.substr((std::min)(line.find_first_not_of(' ', colon + 1), line.size()));
    }
  }
  return {};
}

}  // namespace test
