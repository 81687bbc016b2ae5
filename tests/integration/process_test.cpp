// What happens around a client: a name service that never answers, a process that forks, and a client that
// lives until the program ends. Each needs a process of its own, forked before the test has a thread.

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "catch_compat.hpp"
#include "support/calls.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::each_way;
using test::How;
using test::options_for;
using test::post;
using test::ScriptedServer;
using test::Turn;

namespace {

/// A forked child and what it says in the end.
class Child {
 public:
  /// The child says what `talk` returns, or what it throws, and is gone at once.
  explicit Child(const std::function<std::string()>& talk) {
    std::cout.flush();
    REQUIRE(::pipe2(pipe_, O_CLOEXEC) == 0);
    id_ = ::fork();
    REQUIRE(id_ >= 0);
    if (id_ != 0) {
      ::close(pipe_[1]);
      return;
    }
    std::string said;
    try {
      said = talk();
    } catch (const std::exception& thrown) {
      said = thrown.what();
    }
    static_cast<void>(::write(pipe_[1], said.data(), said.size()));
    ::_exit(0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, &status_, 0);
    ::close(pipe_[0]);
  }

  /// Waits for its end.
  std::string said() {
    std::string text;
    char bytes[4096];
    for (ssize_t count = 0; (count = ::read(pipe_[0], bytes, sizeof bytes)) > 0;) {
      text.append(bytes, static_cast<std::size_t>(count));
    }
    return text;
  }

  /// Waits for its end; -1 if a signal ended it.
  int exit_code() {
    ::waitpid(id_, &status_, 0);
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  }

 private:
  int pipe_[2] = {};
  pid_t id_ = -1;
  int status_ = 0;
};

/// Gives this process mounts of its own, and what else `flags` say. False where the system does not let it.
bool have_own(int flags) {
  return (::unshare(CLONE_NEWNS | flags) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS | flags) == 0) &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool mounted(const std::string& source, const char* target) {
  return ::mount(source.c_str(), target, nullptr, MS_BIND, nullptr) == 0;
}

/// Puts this process into a network of its own, whose name server is a socket that never answers: that
/// socket, or the reason why it cannot be.
int with_mute_name_server(std::string& reason) {
  const test::TemporaryFolder folder;
  if (!have_own(CLONE_NEWNET) ||
      !mounted(folder.write("resolv.conf", "nameserver 127.0.0.1\n"), "/etc/resolv.conf")) {
    reason = "skipped: this system lets no test have a network and a resolv.conf of its own";
    return -1;
  }
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq loopback{};
  std::string("lo").copy(loopback.ifr_name, sizeof loopback.ifr_name - 1);
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  sockaddr_in address = test::detail::loopback(53);
  if (::ioctl(socket, SIOCSIFFLAGS, &loopback) != 0 ||
      ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    reason = "skipped: the test's own network has no loopback";
    return -1;
  }
  return socket;
}

using Milliseconds = std::chrono::milliseconds;

/// How long `action` takes.
template <class F>
Milliseconds time_of(F&& action) {
  const auto began = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - began);
}

/// Until the name server is asked for a host whose name has this word; for each it is asked more than once.
void wait_for_question(int name_server, const std::string& word) {
  char question[512];
  ssize_t size = 0;
  do {
    size = ::recv(name_server, question, sizeof question, 0);
  } while (size > 0 && std::string(question, static_cast<std::size_t>(size)).find(word) == std::string::npos);
}

/// Calls a name that is never resolved and ends the call in each way there is; says what was too slow or
/// wrong.
std::string end_calls_to_mute_name_server() {
  std::string said;
  const int name_server = with_mute_name_server(said);
  if (name_server < 0) return said;
  // The resolver itself gives up after 5 s and asks twice; 50 ms are promised, the rest is for a busy
  // machine.
  constexpr Milliseconds at_once = 2s;
  const auto note = [&](const std::string& what, Milliseconds taken, bool right) {
    if (!right || taken > at_once) said += what + ": " + std::to_string(taken.count()) + " ms\n";
    if (std::getenv("TOKENPOOL_TEST_TIMES") != nullptr) std::cerr << what << ' ' << taken.count() << " ms\n";
  };
  for (const How how : each_way) {
    const std::string way = how == How::blocking ? "blocking" : "asynchronous";
    Client<> patient(options_for("http://cancelled-" + way + ".example"));
    const CancelSource source;
    Request request = post();
    request.cancel = source.token();
    auto call = test::begin(patient, request, how);
    wait_for_question(name_server, "cancelled-" + way);
    ErrorCode code{};
    const Milliseconds cancelled = time_of([&] {
      source.cancel();
      code = call.get().error().code();
    });
    note(way + " cancelled", cancelled, code == ErrorCode::cancelled);
    auto client = std::make_unique<Client<>>(options_for("http://destroyed-" + way + ".example"));
    auto last = test::begin(*client, post(), how);
    wait_for_question(name_server, "destroyed-" + way);
    const Milliseconds destroyed = time_of([&] {
      client.reset();
      code = last.get().error().code();
    });
    note(way + " destroyed", destroyed, code == ErrorCode::cancelled);
    ClientOptions hasty = options_for("http://slow.example", {.retry = {.max_attempts = 1}});
    hasty.timeouts.connect = 100ms;
    Client<> impatient(hasty);
    const Milliseconds timed_out =
        time_of([&] { code = test::begin(impatient, post(), how).get().error().code(); });
    note(way + " timed out", timed_out, code == ErrorCode::network);
    // A device that is not there is no host that could be looked up.
    ClientOptions nowhere = options_for("http://127.0.0.1:1", {.egress = {{.source = "no-such-device"}}});
    Client<> unbound(nowhere);
    const Milliseconds refused =
        time_of([&] { code = test::begin(unbound, post(), how).get().error().code(); });
    note(way + " without its device", refused, code == ErrorCode::network);
  }
  return said.empty() ? "all at once" : said;
}

}  // namespace

TEST_CASE("a call whose name server never answers ends at once when it is cancelled or its client goes") {
  const std::string said = Child(end_calls_to_mute_name_server).said();
  if (said.starts_with("skipped")) {
    WARN(said);
    return;
  }
  CHECK(said == "all at once");
}

TEST_CASE("whoever names a CA trusts nobody besides although the system would") {
  if (!test::all_here({"openssl", "setpriv"})) return;
  const test::Certificates& made = test::Certificates::instance();
  const test::TlsServer server("localhost");
  const test::TemporaryFolder certificates;
  certificates.write("ca-certificates.crt", made.folder().read("ca.pem"));
  REQUIRE(std::system(("openssl rehash " + certificates.path()).c_str()) == 0);
  const std::string said =
      Child([&]() -> std::string {
        if (!have_own(0) || !mounted(certificates.path(), "/etc/ssl/certs")) {
          return "skipped: this system lets no test have CAs of its own";
        }
        ClientOptions options = options_for(server.origin());
        if (!Client<>(options).try_send({})) return "skipped: libcurl's CAs are elsewhere";
        options.tls.ca_file = made.pem("stranger");
        const auto result = Client<>(options).try_send({});
        return result ? "the system's, too" : std::string(to_string(result.error().code()));
      }).said();
  if (said.starts_with("skipped")) {
    WARN(said);
    return;
  }
  CHECK(said == "tls");
}

TEST_CASE("a client of static lifetime ends with the program although calls are under way") {
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  Child child([&]() -> std::string {
    char origin[64] = {};
    static_cast<void>(::read(pipe[0], origin, sizeof origin - 1));
    static Client<> client(options_for(std::string(origin)));
    if (!client.get("/x").ok()) return "no answer";
    if (!client.send_async({.path = "/y"}).get().ok()) return "no asynchronous answer";
    client.send_async(post(), [](const Result<Response>&) {});
    std::exit(7);
  });
  // The server comes after the child, which so has no thread of it.
  ScriptedServer server({{test::http(200)}, {test::http(200)}, {"", Turn::Then::stall}});
  REQUIRE(::write(pipe[1], server.origin().data(), server.origin().size()) > 0);
  CHECK(child.exit_code() == 7);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_CASE("a forked child calls by a client of its own and leaves the parent's calls and connections alone") {
  ScriptedServer server({{test::http(200)}, {"", Turn::Then::stall}});
  auto client = std::make_unique<Client<>>(options_for(server));
  CHECK(client->get("/before").ok());
  const CancelSource source;
  Request endless = post();
  endless.cancel = source.token();
  auto under_way = test::begin(*client, endless, How::asynchronous);
  while (server.requests().size() < 2) std::this_thread::yield();
  Child child([&]() -> std::string {
    Client<> fresh(options_for(server));
    if (!fresh.get("/child").ok()) return "no answer";
    // As at the end of a child that leaves by return or exit(): nothing of the parent's is waited for.
    client.reset();
    return "done";
  });
  CHECK(child.said() == "done");
  CHECK(client->get("/after").ok());
  source.cancel();
  CHECK(test::failure(under_way.get()).code() == ErrorCode::cancelled);
  CHECK(client->send_async({.path = "/after"}).get().ok());
  // One of the blocking calls, two of the asynchronous, one of the child.
  CHECK(server.accepted() == 4);
}
