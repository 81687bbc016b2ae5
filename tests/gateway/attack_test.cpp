// The gateway under attack: what can be read in two ways, too much of everything, too slowly, too many, and
// what is no text. It stays up, others are served, and the server behind it hears of nothing.

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "catch_compat.hpp"
#include "child_process.hpp"
#include "support/quota_server.hpp"
#include "support/running_gateway.hpp"
#include "support/scripted_server.hpp"
#include "tokenpool/base/utf8.hpp"

using namespace std::chrono_literals;
using namespace test;
using nlohmann::json;

namespace {

/// As many descriptors as the system lets this process and its children have.
std::size_t raise_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max;
}

std::size_t descriptors_of(pid_t process) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(process) + "/fd");
  return static_cast<std::size_t>(std::distance(all, {}));
}

long kibibytes_of(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:" && status >> word) return std::stol(word);
  }
  return 0;
}

}  // namespace

TEST_CASE("a request that can be read in two ways is read in none") {
  ScriptedServer server;
  const RunningGateway gateway(server.origin());
  const std::string host = "Host: " + gateway.host() + "\r\n";
  const std::string start = "POST /x HTTP/1.1\r\n";
  const std::vector<std::string> attempts{
      start + host + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      start + host + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
      start + host + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
      start + host + "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
      start + host + "Content-Length: 4, 4\r\n\r\nabcd",
      start + host + "Content-Length: +4\r\n\r\nabcd",
      start + host + "Content-Length: 0x4\r\n\r\nabcd",
      start + host + "Content-Length: -1\r\n\r\n",
      start + host + "Content-Length : 4\r\n\r\nabcd",
      start + host + "Content-Length:\r\n 4\r\n\r\nabcd",
      start + host + "Content-Length: 18446744073709551620\r\n\r\nabcd",
      start + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
      start + host + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
      start + host + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
      start + host +
          "Transfer-Encoding:\x0b"
          "chunked\r\n\r\n0\r\n\r\n",
      start + host + "Transfer-Encoding: chunked\r\n , identity\r\n\r\n0\r\n\r\n",
      start + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      start + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
      start + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
      start + host + "Transfer-Encoding: chunked\r\n\r\n4\nabcd\n0\n\n",
      start + host + "Transfer-Encoding: chunked\r\n\r\n+4\r\nabcd\r\n0\r\n\r\n",
      start + host + "Transfer-Encoding: chunked\r\n\r\n0x4\r\nabcd\r\n0\r\n\r\n",
      start + host + "Transfer-Encoding: chunked\r\n\r\n10000000000000004\r\nabcd\r\n0\r\n\r\n",
      start + host + "Transfer-Encoding: chunked\r\n\r\n4;a\nb\r\nabcd\r\n0\r\n\r\n",
      start + host + "Transfer-Encoding: chunked\r\n\r\n4;a=\"\n\"\r\nabcd\r\n0\r\n\r\n",
      start + host + "Transfer-Encoding: chunked\r\n\r\n4\r\nabcdef\r\n0\r\n\r\n",
      "POST /x HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      start + host + host + "\r\n",
      start + "\r\n",
      start + host + "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\nContent-Length: 9\r\n\r\n",
      start + host + " folded: 1\r\n\r\n",
      start + host + "X: a\r\n b\r\n\r\n",
      start + host + "X: a\nY: b\r\n\r\n",
      start + host + "X: a\rb\r\n\r\n",
      start + host + std::string("X: a\0b\r\n\r\n", 11),
      "POST /x HTTP/1.1\n" + host + "\n",
      "GET /x\r\n\r\n",
      std::string("GET /x\0y HTTP/1.1\r\n", 20) + host + "\r\n",
      "POST  /x HTTP/1.1\r\n" + host + "\r\n",
      "POST /x HTTP/2.0\r\n" + host + "\r\n",
      "GET http://other.example/x HTTP/1.1\r\n" + host + "\r\n",
      "CONNECT other.example:443 HTTP/1.1\r\n" + host + "\r\n",
      "\x16\x03\x01 a TLS greeting\r\n\r\n",
  };
  for (const std::string& bytes : attempts) {
    INFO(bytes);
    Wire wire(gateway.port());
    wire.send(bytes + "GET /smuggled HTTP/1.1\r\n" + host + "\r\n");
    const std::string all = wire.read_all();
    CHECK((status_of(all) == 400 || status_of(all) == 501));
    CHECK(all.find("HTTP/1.1", 1) == std::string::npos);
  }
  CHECK(server.requests().empty());
}

TEST_CASE("whatever form a request comes in it goes on in one") {
  ScriptedServer server;
  const RunningGateway gateway(server.origin());
  const std::string start = "POST /x HTTP/1.1\r\nHost: " + gateway.host() + "\r\n";
  for (const std::string& bytes :
       {start + "X: a b\r\nCONTENT-LENGTH: 4\r\n\r\nabcd",
        start + "X: a b\r\nTRANSFER-ENCODING: Chunked\r\n\r\n4;x=\"y\"\r\nabcd\r\n0\r\nX: z\r\n\r\n",
        start + "X: a b\r\nTransfer_Encoding: chunked\r\nContent-Length: 4\r\nConnection: "
                "content-length\r\n\r\nabcd"}) {
    INFO(bytes);
    Wire wire(gateway.port());
    wire.send(bytes);
    const std::string went_on = body_of(wire.read_answer());
    CHECK_THAT(went_on, ContainsSubstring("X: a b\r\n") && EndsWith("\r\n\r\nabcd"));
    CHECK_THAT(went_on, ContainsSubstring("\r\nContent-Length: 4\r\n"));
    CHECK_THAT(went_on, !ContainsSubstring("Transfer-Encoding") && !ContainsSubstring("X: z"));
  }
  CHECK(server.requests().size() == 3);
}

TEST_CASE("what is too large is refused before it is there") {
  ScriptedServer server;
  const RunningGateway gateway(
      server.origin(),
      {{"clients", {{"max_header_bytes", 4096}, {"max_body_bytes", 1000}}}, {"max_buffered_bytes", 1500}});
  const std::string start = "POST /x HTTP/1.1\r\nHost: " + gateway.host() + "\r\n";
  const auto status = [&](const std::string& bytes) {
    Wire wire(gateway.port());
    wire.send(bytes);
    return status_of(wire.read_all());
  };
  CHECK(status(start + "X: " + std::string(10'000, 'x')) == 431);
  CHECK(status("GET /" + std::string(10'000, 'x')) == 431);
  CHECK(status("GET /" + std::string(3000, 'x') + " HTTP/1.1\r\nHost: " + gateway.host() +
               "\r\nX: " + std::string(3000, 'x') + "\r\n\r\n") == 431);
  CHECK(status(start + "Content-Length: 1001\r\n\r\n") == 413);
  CHECK(status(start + "Content-Length: 99999999999999999999999\r\n\r\n") == 400);
  CHECK(status(start + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x')) == 413);
  CHECK(status(start + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(10'000, 'x')) == 400);
  CHECK(status(start + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(10'000, 'x') +
               "\r\n\r\n") == 400);
  CHECK(status(start + "Authorization: Bearer " + std::string(10'000, 'x') + "\r\n\r\n") == 431);
  Wire holder(gateway.port());
  holder.send(start + "Content-Length: 800\r\nExpect: 100-continue\r\n\r\n");
  REQUIRE(holder.read_until("100 Continue\r\n\r\n"));
  CHECK(status(start + "Content-Length: 800\r\n\r\n") == 503);
  holder.close();
  CHECK(comes_true([&] { return status_of(ask(gateway, "POST", "/x", "", std::string(800, 'b'))) == 200; }));
  CHECK(server.requests().size() == 1);
}

TEST_CASE("fields that come one by one do not pass the limit of a header") {
  ScriptedServer server;
  const RunningGateway gateway(server.origin(), {{"clients", {{"max_header_bytes", 4096}}}});
  Wire wire(gateway.port());
  wire.send("GET /x HTTP/1.1\r\nHost: " + gateway.host() + "\r\n");
  for (int i = 0;
       i < 100 && wire.send("X-" + std::to_string(i) + ": 0123456789012345678901234567890123456789\r\n");
       ++i) {
    std::this_thread::sleep_for(1ms);
  }
  CHECK(status_of(wire.read_all()) == 431);
}

TEST_CASE("slow clients are given up and others served meanwhile") {
  ScriptedServer server;
  const RunningGateway gateway(server.origin(),
                               {{"clients", {{"header", "2s"}, {"body", "2s"}, {"keep_alive", "2s"}}}});
  const std::string start = "POST /x HTTP/1.1\r\nHost: " + gateway.host() + "\r\n";
  Wire silent(gateway.port());
  Wire header(gateway.port());
  Wire body(gateway.port());
  Wire idle(gateway.port());
  header.send(start);
  body.send(start + "Content-Length: 5\r\n\r\nabc");
  idle.send(start + "Content-Length: 0\r\n\r\n");
  CHECK(status_of(idle.read_answer()) == 200);
  CHECK(status_of(ask(gateway, "GET", "/x")) == 200);
  CHECK(silent.read_all().empty());
  CHECK(status_of(header.read_all()) == 408);
  CHECK(status_of(body.read_all()) == 408);
  CHECK(idle.read_all().empty());
}

TEST_CASE("clients that send a byte now and then are given up like silent ones") {
  ScriptedServer server;
  const RunningGateway gateway(server.origin(), {{"clients", {{"header", "2s"}, {"body", "2s"}}}});
  const std::string start = "POST /x HTTP/1.1\r\nHost: " + gateway.host() + "\r\n";
  Wire header(gateway.port());
  Wire body(gateway.port());
  header.send(start + "X: ");
  body.send(start + "Content-Length: 100000\r\n\r\n");
  int drops = 0;
  while (drops < 1000 && !(header.has_news() && body.has_news())) {  // 50 s, or a moment above 2 s
    if (!header.has_news()) header.send("x");
    if (!body.has_news()) body.send("x");
    if (++drops % 10 == 0) CHECK(status_of(ask(gateway, "GET", "/x")) == 200);
    std::this_thread::sleep_for(50ms);
  }
  CHECK(drops < 1000);
  CHECK(status_of(header.read_all()) == 408);
  CHECK(status_of(body.read_all()) == 408);
}

TEST_CASE("idle connections make room for newcomers and busy ones do not") {
  std::atomic<int> begun{0};
  const Turn stall{.more = [&](int connection) {
    ++begun;
    std::string ignored;
    while (ScriptedServer::receive(connection, ignored)) ignored.clear();
    return false;
  }};
  ScriptedServer server({stall, stall});
  const RunningGateway gateway(server.origin(), {{"clients", {{"max_connections", 2}}}});
  Wire oldest(gateway.port());
  Wire busy(gateway.port());
  busy.send(get(gateway));
  REQUIRE(comes_true([&] { return begun == 1; }));
  Wire newest(gateway.port());
  CHECK(oldest.read_all().empty());
  newest.send(get(gateway));
  REQUIRE(comes_true([&] { return begun == 2; }));
  Wire refused(gateway.port());
  const std::string answer = refused.read_all();
  CHECK(status_of(answer) == 503);
  CHECK_THAT(answer, ContainsSubstring("too_many_connections"));
}

TEST_CASE("clients that read nothing are given up with their calls and others served meanwhile") {
  constexpr std::size_t clients = 16;
  std::atomic<std::size_t> written{0};
  std::atomic<std::size_t> left{0};
  const std::string piece(50'000, 'x');
  const Turn endless{.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                     .more = [&](int connection) {
                       while (ScriptedServer::send_all(connection, "c350\r\n" + piece + "\r\n"))
                         written += piece.size();
                       ++left;
                       return false;
                     }};
  ScriptedServer server(std::vector<Turn>(clients, endless));
  const RunningGateway gateway(server.origin(), {{"clients", {{"send", "2s"}}}});
  std::vector<std::unique_ptr<Wire>> wires;
  for (std::size_t i = 0; i < clients; ++i) {
    wires.push_back(std::make_unique<Wire>(gateway.port(), 64 * 1024));
    wires.back()->send(get(gateway));
  }
  for (const auto& wire : wires) REQUIRE(wire->read_until("\r\n\r\n"));
  while (left < clients / 2) CHECK(status_of(ask(gateway, "GET", "/x")) == 200);
  CHECK(comes_true([&] { return left == clients; }));
  CHECK(written < clients * 32'000'000);  // what the system keeps for a connection; a second gives more
}

TEST_CASE("ten thousand idle connections keep nobody out and are all closed in the end") {
  constexpr std::size_t wanted = 10'000;
  const std::size_t allowed = raise_descriptors();
  const std::size_t count = (std::min)(wanted, allowed - (std::min)(allowed, std::size_t{200}));
  REQUIRE(count > 0);
  if (count < wanted)
    std::cout << "only " << count << " idle connections: the limit of descriptors is " << allowed << "\n";
  ScriptedServer server;
  const TemporaryFile file;
  std::ofstream(file.path()) << json{{"base_url", server.origin()},
                                     {"tokens", {"sk-" + canary}},
                                     {"clients", {{"header", "10m"}, {"max_connections", count + 10}}}};
  support::ChildProcess gateway({TOKENPOOL_GATEWAY_PATH, "--exit-with-parent", file.path()});
  const std::string line = gateway.read_line();
  const int port = std::stoi(line.substr(line.rfind(':') + 1));
  const auto is_served = [&] {
    Wire wire(port);
    wire.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return status_of(wire.read_answer()) == 200;
  };
  REQUIRE(is_served());
  const std::size_t descriptors = descriptors_of(gateway.id());
  const long before = kibibytes_of(gateway.id());
  std::vector<std::unique_ptr<Wire>> idle;
  while (idle.size() < count) idle.push_back(std::make_unique<Wire>(port));
  for (int i = 0; i < 10; ++i) CHECK(is_served());
  CHECK(descriptors_of(gateway.id()) >= count);
  std::cout << count << " idle connections: "
            << (kibibytes_of(gateway.id()) - before) * 1024 / static_cast<long>(count)
            << " bytes of memory each\n";
  for (std::size_t i = 0; i < count / 2; ++i) idle[i]->close();
  CHECK(comes_true([&] { return descriptors_of(gateway.id()) <= descriptors + count - count / 2 + 10; }));
  CHECK(gateway.end() == 0);
  for (std::size_t i = count / 2; i < count; ++i) CHECK(idle[i]->is_closed());
}

TEST_CASE("bytes that are no UTF-8 are passed on and break nothing") {
  const std::string slower = "{\"error\":{\"message\":\"Slow down \xff\xc0\",\"code\":\"rate_limit_\xff\"}}";
  ScriptedServer server({{.bytes = http(429, slower, "Retry-After: 60\r\n")}});
  RunningGateway gateway(server.origin());
  const std::string odd = "{\"model\":\"\xff\xfe\",\"user\":\"\xc3\x28\"}";
  const std::string answer = ask(gateway, "POST", "/x", "X-Odd: \xff\xc0\r\n", odd);
  CHECK(status_of(answer) == 200);
  CHECK_THAT(body_of(answer), ContainsSubstring("X-Odd: \xff\xc0\r\n") && EndsWith(odd));
  const std::string path = ask(gateway, "GET", "/\xff");
  CHECK(status_of(path) == 400);
  CHECK(status_of(ask(gateway, "POST", "/tokenpool/tokens/%ff%fe/disable",
                      "Content-Type: application/json\r\n", "\xff")) == 404);
  ask(gateway, "GET", "/\xff/%ff?key=\xff", "Authorization: Bearer \xff\r\n");
  gateway.rewrite_text("{\"policy\": \"\xff\"}");
  CHECK(comes_true([&] {
    Events events(gateway);  // each of them is JSON
    const json hello = events.next("hello");
    return hello.dump().find("stays in force") != std::string::npos &&
           hello.dump().find("resting") != std::string::npos;
  }));
  CHECK(status_of(ask(gateway, "GET", "/")) == 200);
  const std::string metrics = body_of(ask(gateway, "GET", "/metrics"));
  CHECK(tokenpool::detail::as_utf8(metrics) == metrics);
  CHECK(json::parse(body_of(ask(gateway, "GET", "/healthz"))).at("status") == "ok");
}
