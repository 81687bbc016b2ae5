// Where requests leave from: proxies of every kind, the credentials that they see and do not see, and local
// addresses. Real proxies are tinyproxy, stunnel and microsocks; what a test needs to look into is scripted.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "support/calls.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::all_here;
using test::Certificates;
using test::ContainsSubstring;
using test::http;
using test::ScriptedServer;
using test::Turn;
using Then = Turn::Then;

namespace {

const char* const proxy_password = "hunter2";

ClientOptions options_for(const std::string& origin, std::vector<Egress> egress) {
  ClientOptions options = test::options_for(origin);
  options.egress = std::move(egress);
  return options;
}

/// A variable of the environment for as long as the object lives.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) {
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_.c_str()); }

 private:
  std::string name_;
};

/// tinyproxy that wants "user:hunter2".
test::Guest tinyproxy(const test::TemporaryFolder& folder) {
  return test::Guest([&](int port) {
    const std::string name = folder.write(
        "tinyproxy.conf", "Port " + std::to_string(port) + "\nListen 127.0.0.1\nTimeout 30\nMaxClients 20\n" +
                              "BasicAuth user " + proxy_password + "\nLogLevel Critical\nLogFile \"" +
                              folder / "log" + "\"\n");
    return std::vector<std::string>{test::path_of("tinyproxy"), "-d", "-c", name};
  });
}

/// stunnel, which speaks TLS to its clients and hands on to `proxy` what they say.
test::Guest stunnel(const test::TemporaryFolder& folder, const std::string& certificate,
                    const test::Guest& proxy) {
  return test::Guest([&](int port) {
    const Certificates& made = Certificates::instance();
    const std::string name = folder.write(
        certificate + ".conf",
        "foreground = quiet\npid =\ndebug = crit\n[proxy]\naccept = 127.0.0.1:" + std::to_string(port) +
            "\nconnect = " + proxy.address() + "\ncert = " + made.pem(certificate) +
            "\nkey = " + made.key(certificate) + "\n");
    return std::vector<std::string>{test::path_of("stunnel"), name};
  });
}

test::Guest microsocks() {
  return test::Guest([](int port) {
    return std::vector<std::string>{test::path_of("microsocks"),
                                    "-i",
                                    "127.0.0.1",
                                    "-p",
                                    std::to_string(port),
                                    "-u",
                                    "user",
                                    "-P",
                                    proxy_password};
  });
}

/// Whatever a person may get to see of a failed call and of the pool.
std::string all_texts(const Client<>& client, const Result<Response>& result) {
  std::string texts = result ? "" : result.error().what();
  for (const Attempt& attempt : result ? result->attempts : result.error().attempts()) {
    texts += '\n' + attempt.egress_id + ' ' + attempt.reason;
  }
  for (const EgressSnapshot& egress : client.stats().egresses) texts += '\n' + egress.id + ' ' + egress.cause;
  return texts;
}

}  // namespace

TEST_CASE("a real HTTP proxy carries plain requests and TLS tunnels and its password is shown nowhere") {
  if (!all_here({"tinyproxy", "openssl", "setpriv"})) return;
  const test::TemporaryFolder folder;
  const test::Guest proxy = tinyproxy(folder);
  ScriptedServer plain;
  test::TlsServer secure("localhost");
  for (const std::string& origin : {plain.origin(), secure.origin()}) {
    INFO(origin);
    ClientOptions options = options_for(origin, {{.proxy = "http://user:hunter2@" + proxy.address()}});
    options.tls.ca_file = Certificates::instance().pem("ca");
    Client<> client(options);
    const auto result = client.try_send({.path = "/"});
    INFO((result ? "" : result.error().what()));
    REQUIRE(result);
    CHECK(result->status == 200);
    CHECK(result->egress_id == "http://" + proxy.address());
    CHECK_THAT(all_texts(client, result), !ContainsSubstring(proxy_password));
  }
  // The password is the proxy's and goes no further.
  CHECK_THAT(plain.requests().at(0),
             ContainsSubstring("canary") && !ContainsSubstring("Proxy-Authorization"));
}

TEST_CASE("a real proxy that is given the wrong password blames the egress and no token") {
  if (!all_here({"tinyproxy", "setpriv"})) return;
  const test::TemporaryFolder folder;
  const test::Guest proxy = tinyproxy(folder);
  for (const char* origin : {"http://127.0.0.1:1", "https://127.0.0.1:1"}) {
    INFO(origin);
    Client<> client(options_for(origin, {{.proxy = "http://user:wrong-hunter2@" + proxy.address()}}));
    const auto result = client.try_send({.path = "/"});
    REQUIRE_FALSE(result);
    CHECK(result.error().attempts().back().verdict == Verdict::network_error);
    CHECK_THAT(all_texts(client, result), !ContainsSubstring(proxy_password));
    for (const TokenSnapshot& token : client.stats().tokens) CHECK(token.state == TokenState::available);
  }
}

TEST_CASE("a proxy is reached over TLS and one whose certificate is wrong costs its egress and no call") {
  if (!all_here({"tinyproxy", "stunnel", "openssl", "setpriv"})) return;
  const test::TemporaryFolder folder;
  const test::Guest proxy = tinyproxy(folder);
  const test::Guest good = stunnel(folder, "localhost", proxy);
  const test::Guest expired = stunnel(folder, "expired", proxy);
  const std::string user = "https://user:hunter2@";
  ScriptedServer plain;
  test::TlsServer secure("localhost");
  for (const std::string& origin : {plain.origin(), secure.origin()}) {
    INFO(origin);
    ClientOptions options = options_for(origin, {{.id = "bad", .proxy = user + expired.address()},
                                                 {.id = "good", .proxy = user + good.address()}});
    options.tls.ca_file = Certificates::instance().pem("ca");
    Client<> client(options);
    for (int call = 0; call < 6; ++call) CHECK(client.get("/").egress_id == "good");
    const EgressSnapshot bad = client.stats().egresses[0];
    CHECK(bad.successes == 0);
    CHECK(bad.failures > 0);
    options.egress.pop_back();
    options.egress[0].proxy = user + expired.address();
    Client<> alone(options);
    const auto result = alone.try_send({.path = "/"});
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == ErrorCode::network);
    CHECK_THAT(result.error().what(), ContainsSubstring("proxy of this egress: ") &&
                                          ContainsSubstring("expired") && !ContainsSubstring(proxy_password));
  }
  // What is wrong behind a tunnel that stands is the server's matter.
  test::TlsServer elsewhere("elsewhere");
  ClientOptions options = options_for(elsewhere.origin(), {{.proxy = user + good.address()}});
  options.tls.ca_file = Certificates::instance().pem("ca");
  const auto result = Client<>(options).try_send({.path = "/"});
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::tls);
}

TEST_CASE("a real SOCKS5 proxy carries requests and resolves names where that is asked of it") {
  if (!all_here({"microsocks", "setpriv"})) return;
  const test::Guest proxy = microsocks();
  ScriptedServer server;
  const std::string at = "://user:hunter2@" + proxy.address();
  CHECK(Client<>(options_for(server.origin(), {{.proxy = "socks5" + at}})).get("/").ok());
  const std::string by_name = "http://localhost:" + std::to_string(server.port());
  CHECK(Client<>(options_for(by_name, {{.proxy = "socks5h" + at}})).get("/").ok());
  Client<> refused(options_for(server.origin(), {{.proxy = "socks5://user:wrong@" + proxy.address()}}));
  const auto result = refused.try_send({.path = "/"});
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == ErrorCode::network);
  CHECK_THAT(result.error().what(), ContainsSubstring("egress.proxy"));
  CHECK(server.requests().size() == 2);
}

TEST_CASE("a tunnel is asked for without our credential and its answer is not taken for the server's") {
  if (!all_here({"openssl", "setpriv"})) return;
  test::TlsServer server("localhost");
  const int port = std::stoi(server.origin().substr(server.origin().rfind(':') + 1));
  ScriptedServer proxy({{.bytes = "HTTP/1.1 200 Connected\r\nX-From-Proxy: 1\r\nRetry-After: 60\r\n\r\n",
                         .more = test::tunnel(port)}});
  ClientOptions options = options_for(server.origin(), {{.id = "way", .proxy = proxy.origin()}});
  options.tls.ca_file = Certificates::instance().pem("ca");
  options.headers = {{"X-Own", "canary"}};
  const Response response = Client<>(options).get("/");
  CHECK(response.status == 200);
  CHECK_FALSE(response.headers.get("X-From-Proxy"));
  CHECK_FALSE(response.headers.get("Retry-After"));
  REQUIRE(proxy.requests().size() == 1);
  CHECK_THAT(proxy.requests()[0], test::StartsWith("CONNECT 127.0.0.1:") && !ContainsSubstring("canary"));
}

TEST_CASE("a proxy that refuses a tunnel is left for another egress whatever its status") {
  for (const int status : {403, 407, 429, 502, 503}) {
    INFO(status);
    const Turn refusal{http(status, "proxy says no", "Retry-After: 60\r\n"), Then::close};
    ScriptedServer proxy({refusal, refusal, refusal});
    Client<> client(options_for("https://somewhere.invalid", {{.id = "way", .proxy = proxy.origin()}}));
    const auto result = client.try_send({.method = "POST", .path = "/", .body = "{}"});
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == ErrorCode::network);
    CHECK_THAT(result.error().what(), ContainsSubstring(std::to_string(status)));
    CHECK(result.error().attempts().size() == 3);
    for (const Attempt& attempt : result.error().attempts()) {
      CHECK(attempt.verdict == Verdict::network_error);
    }
    for (const TokenSnapshot& token : client.stats().tokens) CHECK(token.state == TokenState::available);
    CHECK(client.stats().egresses[0].failures == 3);
  }
}

TEST_CASE("a proxy that is down costs its egress and the others go on") {
  ScriptedServer server;
  std::string nobody;
  { nobody = ScriptedServer().origin(); }
  Client<> client(options_for(server.origin(), {{.id = "down", .proxy = nobody}, {.id = "up"}}));
  for (int call = 0; call < 30; ++call) CHECK(client.get("/").egress_id == "up");
  const PoolSnapshot stats = client.stats();
  CHECK(stats.egresses[0].failures == 5);
  CHECK(stats.egresses[0].state == TokenState::resting);
  CHECK(stats.egresses[1].successes == 30);
}

TEST_CASE("listed egresses are all there is whatever the environment says") {
  ScriptedServer server;
  ScriptedServer listed;
  ScriptedServer surprise;
  const Variable proxy("http_proxy", surprise.origin());
  const Variable all("ALL_PROXY", surprise.origin());
  CHECK(Client<>(options_for(server.origin(), {{.id = "direct"}})).get("/").ok());
  const Variable none("no_proxy", "*");
  CHECK(Client<>(options_for(server.origin(), {{.proxy = listed.origin()}})).get("/").ok());
  CHECK(server.accepted() == 1);
  CHECK(listed.accepted() == 1);
  CHECK(surprise.accepted() == 0);
}

TEST_CASE("without a list the environment's proxies are used and their password is not shown") {
  ScriptedServer proxy;
  const Variable variable("http_proxy", "http://user:hunter2@127.0.0.1:" + std::to_string(proxy.port()));
  CHECK(Client<>(options_for("http://somewhere.invalid", {})).get("/").ok());
  CHECK_THAT(proxy.requests().at(0), ContainsSubstring("Proxy-Authorization: Basic"));
  const Variable unfit("http_proxy", "foo://user:hunter2@127.0.0.1:1");
  Client<> client(options_for("http://somewhere.invalid", {}));
  const auto result = client.try_send({.path = "/"});
  REQUIRE_FALSE(result);
  CHECK_THAT(all_texts(client, result), !ContainsSubstring(proxy_password));
}

TEST_CASE("each egress leaves from its own address and one without leaves from none of theirs") {
  ScriptedServer server;
  Client<> client(options_for(
      server.origin(),
      {{.id = "first", .source = "127.0.0.2"}, {.id = "second", .source = "127.0.0.3"}, {.id = "system"}}));
  for (int call = 0; call < 12; ++call) client.get("/");
  for (int call = 0; call < 12; ++call) client.send_async({.path = "/"}).get();
  const std::vector<std::string> peers = server.peers();
  for (const char* address : {"127.0.0.1", "127.0.0.2", "127.0.0.3"}) {
    INFO(address);
    // One connection of the blocking calls and one of the asynchronous ones, and all twelve calls used them.
    CHECK(std::count(peers.begin(), peers.end(), address) == 2);
  }
  CHECK(peers.size() == 6);
  for (const EgressSnapshot& egress : client.stats().egresses) CHECK(egress.successes == 8);
}

TEST_CASE("a device is bound by its name and one that does not exist is no question to the name service") {
  ScriptedServer server;
  CHECK(Client<>(options_for(server.origin(), {{.source = "lo"}})).get("/").ok());
  for (const char* nowhere : {"no-such-device", "192.0.2.7", "2001:db8::7"}) {
    INFO(nowhere);
    Client<> client(options_for(server.origin(), {{.source = nowhere}}));
    const auto result = client.try_send({.path = "/"});
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == ErrorCode::network);
  }
  CHECK(server.accepted() == 1);
}
