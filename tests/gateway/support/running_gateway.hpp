#pragma once

// A gateway in this process, over a server of the test's, and a client of bare sockets: what goes over the
// wire is what the test says, byte by byte.

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace test {

/// What every secret of these tests has in it, so that it can be looked for.
inline const std::string canary = "canary5d1e";

/// Waits for what another thread does; a minute is what a hang costs.
bool comes_true(const std::function<bool()>& condition);

/// Serves as long as it lives.
class RunningGateway {
 public:
  /// Over the server at `base_url` with three tokens, unless `more` says otherwise.
  explicit RunningGateway(const std::string& base_url, const nlohmann::json& more = nlohmann::json::object());
  RunningGateway(const RunningGateway&) = delete;
  RunningGateway& operator=(const RunningGateway&) = delete;
  /// Ends it at once.
  ~RunningGateway();

  [[nodiscard]] int port() const;
  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(port()); }

  /// Puts another configuration into place, by a new file that is renamed; the port stays what it is.
  void rewrite(const nlohmann::json& changes);
  void rewrite_text(const std::string& text);

  void stop();
  /// Whether run() has returned, and what.
  [[nodiscard]] bool ended() const;
  [[nodiscard]] bool whole() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

/// A connection to a port of the loopback.
class Wire {
 public:
  /// `receive_buffer`: bytes that the system keeps for a client that does not read; 0: its own choice.
  explicit Wire(int port, int receive_buffer = 0);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire() { close(); }

  /// False when the other side is gone.
  bool send(std::string_view bytes) const;
  /// Reads until `text` has come; false when the connection ended before, or 60 s have passed.
  bool read_until(std::string_view text);
  /// Reads one answer, whatever its framing, and returns it with its header; what follows is kept. Empty if
  /// the connection ended before its header.
  std::string read_answer(bool head_only = false);
  /// Appends what comes next to `text`; false when the connection has ended.
  bool read_more(std::string& text);
  /// Reads to the end of the connection.
  std::string read_all();
  /// Whether something came, or the end; does not wait.
  [[nodiscard]] bool has_news() const;
  /// Whether the other side has closed, within 60 s.
  bool is_closed();
  /// What has been read and not been taken.
  [[nodiscard]] const std::string& unread() const noexcept { return unread_; }
  /// The last end of the connection was a reset.
  [[nodiscard]] bool was_reset() const noexcept { return reset_; }
  void finish_sending() const;
  void close();

 private:
  bool receive();

  int socket_;
  std::string unread_;
  bool reset_ = false;
};

/// The live events of a gateway, taken apart as they come.
class Events {
 public:
  explicit Events(const RunningGateway& gateway);

  /// The data of the next event of this name; it may have been on its way before the latest change. Throws
  /// std::runtime_error if the stream ended.
  nlohmann::json next(const std::string& name);
  bool ends() { return wire_.is_closed(); }

 private:
  Wire wire_;
  std::string seen_;
};

/// A request without a body.
std::string get(const RunningGateway& gateway, const std::string& target = "/x");

/// One request on a connection of its own, and the whole answer. `headers` are whole lines.
std::string ask(const RunningGateway& gateway, const std::string& method, const std::string& target,
                const std::string& headers = "", const std::string& body = "");

/// The status of an answer; 0 for none.
int status_of(const std::string& answer);
/// Its body, chunks put together.
std::string body_of(const std::string& answer);
/// The value of a field; empty without one.
std::string field_of(const std::string& answer, const std::string& name);

}  // namespace test
