// TLS as it is met on real sockets: who is trusted, what each refusal is called, and HTTP/2 over it. The
// certificates are made by the tests, the servers are openssl's and nginx.

#include <algorithm>
#include <chrono>
#include <future>
#include <set>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "support/calls.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::all_here;
using test::Certificates;
using test::ContainsSubstring;
using test::TlsServer;

namespace {

bool openssl_is_here() { return all_here({"openssl", "setpriv"}); }

ClientOptions options_for(const std::string& origin, TlsOptions tls = {}) {
  if (tls.ca_file.empty() && tls.ca_path.empty()) tls.ca_file = Certificates::instance().pem("ca");
  return test::options_for(origin, {.tls = std::move(tls)});
}

Result<Response> get(const std::string& origin, TlsOptions tls = {}) {
  return Client<>(options_for(origin, std::move(tls))).try_send({.path = "/"});
}

/// The error must be one of TLS that says why, and came at the first attempt.
void check_refused(const Result<Response>& result, const std::string& reason) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code() == ErrorCode::tls);
  CHECK_THAT(result.error().what(), ContainsSubstring(reason) && !ContainsSubstring("canary"));
  CHECK(result.error().attempts().size() == 1);
}

}  // namespace

TEST_CASE("a server is trusted when its certificate is signed by the named CA and bears its name") {
  if (!openssl_is_here()) return;
  const Certificates& made = Certificates::instance();
  TlsServer server("localhost");
  CHECK(get(server.origin())->status == 200);
  CHECK(get("https://localhost" + server.origin().substr(17))->status == 200);
  // A directory of hashed certificates instead of one file.
  test::TemporaryFolder hashed;
  hashed.write("ca.pem", made.folder().read("ca.pem"));
  REQUIRE(std::system(("openssl rehash " + hashed.path()).c_str()) == 0);
  CHECK(get(server.origin(), {.ca_path = hashed.path()})->status == 200);
}

TEST_CASE("each way in which a certificate can be wrong is a TLS error that says so and is not repeated") {
  if (!openssl_is_here()) return;
  const Certificates& made = Certificates::instance();
  TlsServer good("localhost");
  check_refused(get(good.origin(), {.ca_file = made.pem("stranger")}),
                "unable to get local issuer certificate (see tls.ca_file)");
  check_refused(Client<>({.base_url = good.origin(), .tokens = parse_tokens("sk-canary-0")}).try_send({}),
                "unable to get local issuer certificate");
  check_refused(get(good.origin(), {.ca_file = made.pem("no-such-file")}), "tls.ca_file");
  TlsServer expired("expired");
  check_refused(get(expired.origin()), "certificate has expired");
  TlsServer elsewhere("elsewhere");
  check_refused(get(elsewhere.origin()), "matches target host name '127.0.0.1'");
}

TEST_CASE("verification is off only where it is said") {
  if (!openssl_is_here()) return;
  TlsServer expired("expired");
  CHECK(get(expired.origin(), {.verify = false})->status == 200);
  TlsServer elsewhere("elsewhere");
  CHECK(get(elsewhere.origin(), {.verify = false})->status == 200);
}

TEST_CASE(
    "a server that can do no better than TLS 1.1 is refused and one of TLS 1.2 only where 1.3 is wanted") {
  if (!openssl_is_here()) return;
  TlsServer old("localhost", {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"});
  check_refused(get(old.origin()), "protocol");
  TlsServer common("localhost", {"-tls1_2"});
  CHECK(get(common.origin())->status == 200);
  check_refused(get(common.origin(), {.min_version = "1.3"}), "protocol");
  TlsServer modern("localhost", {"-tls1_3"});
  CHECK(get(modern.origin(), {.min_version = "1.3"})->status == 200);
}

TEST_CASE("a client shows its certificate where the server wants one") {
  if (!openssl_is_here()) return;
  const Certificates& made = Certificates::instance();
  for (const char* only : {"-tls1_2", "-tls1_3"}) {
    INFO(only);
    TlsServer server("localhost", {only, "-Verify", "1", "-verify_return_error", "-CAfile", made.pem("ca")});
    const TlsOptions with{.client_cert = made.pem("client"), .client_key = made.key("client")};
    CHECK(get(server.origin(), with)->status == 200);
    check_refused(get(server.origin()), "alert");
    // A certificate of another CA: here the server's own name, signed by nobody.
    check_refused(
        get(server.origin(), {.client_cert = made.pem("stranger"), .client_key = made.key("stranger")}),
        "alert");
    check_refused(get(server.origin(), {.client_cert = made.pem("nobody"), .client_key = made.key("client")}),
                  "tls.client_cert");
  }
}

TEST_CASE("a pinned key is the only one that is taken") {
  if (!openssl_is_here()) return;
  const Certificates& made = Certificates::instance();
  TlsServer server("localhost");
  const std::string right = made.pin("localhost");
  const std::string wrong = made.pin("elsewhere");
  CHECK(get(server.origin(), {.pinned_public_key = right})->status == 200);
  CHECK(get(server.origin(), {.pinned_public_key = wrong + ';' + right})->status == 200);
  check_refused(get(server.origin(), {.pinned_public_key = wrong}), "tls.pinned_public_key");
  check_refused(get(server.origin(), {.verify = false, .pinned_public_key = wrong}), "tls.pinned_public_key");
}

TEST_CASE("a handshake that is cut is a lost connection and repeated although it is of TLS") {
  using Turn = test::Turn;
  for (const Turn::Then how : {Turn::Then::close, Turn::Then::reset}) {
    const Turn cut{"", how, Turn::Read::nothing};
    test::ScriptedServer server({cut, cut, cut});
    const auto result = get("https://" + server.origin().substr(7));
    REQUIRE_FALSE(result.has_value());
    INFO(result.error().what());
    CHECK(result.error().code() == ErrorCode::network);
    CHECK(result.error().attempts().size() == 3);
    CHECK(result.error().attempts()[0].verdict == Verdict::network_error);
  }
}

TEST_CASE("asynchronous calls to one server are streams of one HTTP/2 connection") {
  if (!all_here({"openssl", "setpriv", "nginx"})) return;
  test::Nginx server("location / { return 200 ok; }");
  Client<> client(options_for(server.origin()));
  std::vector<std::future<Response>> replies;
  for (int i = 0; i < 50; ++i) replies.push_back(client.send_async({.path = "/" + std::to_string(i)}));
  for (auto& reply : replies) CHECK(reply.get().body == "ok");
  std::set<std::string> connections;
  for (const std::string& line : server.log()) {
    CHECK_THAT(line, ContainsSubstring(" HTTP/2.0 "));
    connections.insert(line.substr(0, line.find(' ')));
  }
  CHECK(server.log().size() == 50);
  CHECK(connections.size() == 1);
}

TEST_CASE("HTTP/1.1 over TLS keeps its connection and is what one gets that asks for it") {
  if (!all_here({"openssl", "setpriv", "nginx"})) return;
  test::Nginx server("location / { return 200 ok; }");
  ClientOptions options = options_for(server.origin());
  options.http.version = HttpOptions::Version::http1_1;
  Client<> client(options);
  for (int i = 0; i < 5; ++i) CHECK(client.get("/").ok());
  std::set<std::string> connections;
  for (const std::string& line : server.log()) {
    CHECK_THAT(line, ContainsSubstring(" HTTP/1.1 "));
    connections.insert(line.substr(0, line.find(' ')));
  }
  CHECK(connections.size() == 1);
}

TEST_CASE("a redirect of a real server to another host is delivered and the other host hears nothing") {
  if (!all_here({"openssl", "setpriv", "nginx"})) return;
  test::ScriptedServer other;
  test::Nginx server("location / { return 307 " + other.origin() + "/stolen; }");
  Client<> client(options_for(server.origin()));
  const Response response = client.send({.method = "POST", .path = "/x", .body = "{}"});
  CHECK(response.status == 307);
  CHECK(response.headers.get("Location") == other.origin() + "/stolen");
  CHECK(other.accepted() == 0);
}
