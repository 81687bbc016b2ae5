#pragma once

// Servers of other people's making as guests of a test: openssl, nginx, tinyproxy, microsocks. Each listens
// on a free port of the loopback, has a folder of its own and ends with its object, or with this process if
// that dies.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "child_process.hpp"
#include "support/temporary_folder.hpp"

namespace test {

/// Where a program is, by the usual folders; empty if it is not here.
inline std::string path_of(const std::string& program) {
  for (const char* folder : {"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/usr/local/bin/"}) {
    if (std::filesystem::exists(folder + program)) return folder + program;
  }
  return {};
}

/// The first of `programs` that is not here, as the reason for which a test that needs it is skipped.
inline std::optional<std::string> missing(const std::vector<std::string>& programs) {
  for (const std::string& program : programs) {
    if (path_of(program).empty()) return "skipped: " + program + " is not installed";
  }
  return std::nullopt;
}

namespace detail {

/// A socket of the loopback: listening on a free port to learn its number, or connected to `port`.
inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

inline bool answers(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return connected;
}

}  // namespace detail

/// A port of the loopback that was free a moment ago.
inline int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = detail::loopback(0);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(socket, plain, size) == 0 && ::getsockname(socket, plain, &size) == 0;
  ::close(socket);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

/// A program that listens where it is told to.
class Guest {
 public:
  /// `command` makes the words of the command from the port. Throws std::runtime_error if nothing listens
  /// there in the end; another who took the port first is worth another try.
  template <class Command>
  explicit Guest(Command command) {
    for (int tries = 0; tries < 5; ++tries) {
      port_ = free_port();
      std::vector<std::string> words{path_of("setpriv"), "--pdeathsig", "TERM"};
      for (std::string& word : command(port_)) words.push_back(std::move(word));
      process_ = std::make_unique<support::ChildProcess>(std::move(words));
      if (listens()) return;
    }
    throw std::runtime_error("a server did not come to listen");
  }

  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  bool listens() const {
    for (int tries = 0; tries < 1000 && ::kill(process_->id(), 0) == 0; ++tries) {
      if (detail::answers(port_)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  std::unique_ptr<support::ChildProcess> process_;
  int port_ = 0;
};

/// Certificates made by openssl, once for all tests of a program: a CA, what it signed, and a CA that nobody
/// trusts.
class Certificates {
 public:
  static const Certificates& instance() {
    static const Certificates made;
    return made;
  }

  /// "ca", "localhost" (with 127.0.0.1), "elsewhere" (another host's name), "expired", "client", "stranger"
  /// (a CA).
  std::string pem(const std::string& name) const { return folder_ / (name + ".pem"); }
  std::string key(const std::string& name) const { return folder_ / (name + ".key"); }

  /// The pin of a certificate's key as CURLOPT_PINNEDPUBLICKEY wants it.
  std::string pin(const std::string& name) const {
    openssl("x509 -in " + name + ".pem -noout -pubkey -out pub");
    openssl("pkey -pubin -in pub -outform DER -out pub.der");
    openssl("dgst -sha256 -binary -out pub.hash pub.der");
    openssl("base64 -A -in pub.hash -out pub.base64");
    return "sha256//" + folder_.read("pub.base64");
  }

  const TemporaryFolder& folder() const { return folder_; }

 private:
  Certificates() {
    make_ca("ca");
    make_ca("stranger");
    sign("localhost", "DNS:localhost,IP:127.0.0.1", 2);
    sign("elsewhere", "DNS:elsewhere.example", 2);
    sign("expired", "DNS:localhost,IP:127.0.0.1", -1);
    sign("client", "DNS:client", 2);
  }

  void openssl(const std::string& arguments) const {
    const std::string command = "cd " + folder_.path() + " && openssl " + arguments + " >/dev/null 2>&1";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("openssl " + arguments);
  }

  void make_ca(const std::string& name) const {
    openssl("req -x509 " + new_key + name + ".key -days 2 -subj '/CN=tokenpool test " + name + "' -out " +
            name + ".pem");
  }

  void sign(const std::string& name, const std::string& names, int days) const {
    openssl("req -new " + new_key + name + ".key -subj /CN=" + name + " -addext subjectAltName=" + names +
            " -out request");
    openssl("x509 -req -in request -CA ca.pem -CAkey ca.key -copy_extensions copy -days " +
            std::to_string(days) + " -out " + name + ".pem");
  }

  const std::string new_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ";
  TemporaryFolder folder_;
};

/// `openssl s_server`: one connection at a time, whatever kind of TLS `options` say; answers GET with a page.
class TlsServer {
 public:
  explicit TlsServer(const std::string& certificate, std::vector<std::string> options = {})
      : process_(command(certificate, std::move(options))) {
    const std::string greeting = "ACCEPT ";
    std::string line;
    while (line.rfind(greeting, 0) != 0) {
      line = process_.read_line();
      if (line.empty()) throw std::runtime_error("openssl s_server did not start");
    }
    address_ = line.substr(greeting.size());
  }

  /// https://127.0.0.1:PORT
  std::string origin() const { return "https://" + address_; }

 private:
  static std::vector<std::string> command(const std::string& certificate, std::vector<std::string> options) {
    const Certificates& made = Certificates::instance();
    std::vector<std::string> words{
        path_of("setpriv"), "--pdeathsig", "TERM",  path_of("openssl"),    "s_server", "-accept",
        "127.0.0.1:0",      "-www",        "-cert", made.pem(certificate), "-key",     made.key(certificate)};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }

  support::ChildProcess process_;
  std::string address_;
};

/// nginx with one `server` block of the test's, which says what it does with `listen` already written.
class Nginx {
 public:
  explicit Nginx(const std::string& server, const std::string& listen = "ssl http2")
      : guest_([&](int port) {
          const std::string name = folder_.write("nginx.conf", configuration(server, listen, port));
          return std::vector<std::string>{path_of("nginx"), "-p", folder_.path(), "-c", name, "-e", "stderr"};
        }) {}

  std::string origin() const { return "https://" + guest_.address(); }
  int port() const { return guest_.port(); }
  /// A line for each request that was answered.
  std::vector<std::string> log() const { return folder_.lines("access.log"); }

 private:
  std::string configuration(const std::string& server, const std::string& listen, int port) const {
    const Certificates& made = Certificates::instance();
    std::string temporary;
    for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
      temporary += std::string(kind) + "_temp_path " + folder_ / kind + ";\n";
    }
    return std::string(::geteuid() == 0 ? "user root;\n" : "") + "daemon off;\nworker_processes 1;\npid " +
           folder_ / "pid" + ";\nerror_log stderr crit;\nevents {}\nhttp {\n" + temporary +
           "log_format test '$connection $server_protocol $request_method $uri $status';\naccess_log " +
           folder_ / "access.log" + " test;\nserver {\nlisten 127.0.0.1:" + std::to_string(port) + " " +
           listen + ";\nssl_certificate " + made.pem("localhost") + ";\nssl_certificate_key " +
           made.key("localhost") + ";\n" + server + "\n}\n}\n";
  }

  TemporaryFolder folder_;
  Guest guest_;
};

}  // namespace test
