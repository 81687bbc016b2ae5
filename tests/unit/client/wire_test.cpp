#include "tokenpool/client/wire.hpp"

#include <string>

#include "catch_compat.hpp"

using namespace tokenpool;
using test::ContainsSubstring;

namespace {

const Credential credential{.token_id = "t0", .secret = "sk-canary", .base_url = {}, .headers = {}};

/// A Wire that outlives its request.
struct Sent {
  std::string url;
  Headers headers;
};

Sent wire(const Request& request, const ClientOptions& options = {}, const Credential& token = credential) {
  const detail::Wire wire = detail::wire_for(options, parse_base_url("https://host/v1"), token, request);
  return {wire.url, wire.headers.copied()};
}

std::string complaint(const Request& request) { return detail::problem_with(request).value_or("none"); }

}  // namespace

TEST_CASE("a request without headers gets what a JSON API expects") {
  const Sent sent = wire({.method = "POST", .path = "/x", .body = "{}"}, {.user_agent = "me/1"});
  CHECK(sent.url == "https://host/v1/x");
  CHECK(sent.headers == Headers{{"Accept", "application/json"},
                                {"Content-Type", "application/json"},
                                {"User-Agent", "me/1"},
                                {"Authorization", "Bearer sk-canary"}});
}

TEST_CASE("a request without a body has no content type") {
  CHECK_FALSE(wire({.path = "/x"}).headers.get("Content-Type"));
}

TEST_CASE("the content type of a form is the transport's to say") {
  const Body form = Body::multipart({{.name = "a", .content = "b"}});
  CHECK_FALSE(wire({.method = "POST", .path = "/x", .body = form}).headers.get("Content-Type"));
}

TEST_CASE("an empty user agent is not sent") {
  CHECK_FALSE(wire({.path = "/x"}, {.user_agent = ""}).headers.get("User-Agent"));
}

TEST_CASE("the headers of a request win over the token's and those over the client's") {
  Credential token = credential;
  token.headers = {{"X-Both", "token"}, {"X-Token", "token"}, {"X-All", "token"}};
  const ClientOptions options{.headers = {{"x-both", "client"}, {"X-Client", "client"}, {"x-all", "client"}}};
  const Headers sent =
      wire({.path = "/x", .headers = {{"X-ALL", "request"}, {"accept", "text/plain"}}}, options, token)
          .headers;
  CHECK(sent.all("X-All") == std::vector<std::string_view>{"request"});
  CHECK(sent.all("X-Both") == std::vector<std::string_view>{"token"});
  CHECK(sent.get("X-Token") == "token");
  CHECK(sent.get("X-Client") == "client");
  CHECK(sent.all("Accept") == std::vector<std::string_view>{"text/plain"});
}

TEST_CASE("a field that a layer repeats is sent as often") {
  const ClientOptions options{.headers = {{"X-Tag", "a"}, {"X-Tag", "b"}}};
  CHECK(wire({.path = "/x"}, options).headers.all("X-Tag") == std::vector<std::string_view>{"a", "b"});
}

TEST_CASE("the credential of the pool wins over one that a request brings") {
  const Headers sent = wire({.path = "/x", .headers = {{"authorization", "Bearer mine"}}}).headers;
  CHECK(sent.all("Authorization") == std::vector<std::string_view>{"Bearer sk-canary"});
}

TEST_CASE("an idempotency key is sent as a header") {
  CHECK(wire({.path = "/x", .idempotency_key = "k1"}).headers.get("Idempotency-Key") == "k1");
  CHECK_FALSE(wire({.path = "/x"}).headers.get("Idempotency-Key"));
}

TEST_CASE("the query and then the credential are added to the URL") {
  const ClientOptions options{.auth = Auth::query("key")};
  CHECK(wire({.path = "/x?a=1", .query = {{"b", "2 3"}}}, options).url ==
        "https://host/v1/x?a=1&b=2%203&key=sk-canary");
}

TEST_CASE("a credential in the URL is percent-encoded and in no header") {
  Credential token = credential;
  token.secret = "a+b/c=";
  const Sent sent = wire({.path = "/x?alt=sse"}, {.auth = Auth::query("key")}, token);
  CHECK(sent.url == "https://host/v1/x?alt=sse&key=a%2Bb%2Fc%3D");
  CHECK_FALSE(sent.headers.get("Authorization"));
}

TEST_CASE("a token with a base URL of its own is used there") {
  Credential token = credential;
  token.base_url = "http://other:8080/v2";
  CHECK(wire({.path = "/x"}, {}, token).url == "http://other:8080/v2/x");
}

TEST_CASE("a URL of another origin than the token's is refused") {
  Credential token = credential;
  token.base_url = "https://other";
  CHECK_NOTHROW(wire({.path = "https://host/v2"}));
  CHECK_THROWS_WITH(wire({.path = "https://host/v2"}, {}, token), ContainsSubstring("another origin"));
  CHECK_THROWS_WITH(wire({.path = "http://host/v1"}), ContainsSubstring("a credential goes nowhere else"));
}

TEST_CASE("a token that came later is checked before it is used") {
  Credential token = credential;
  token.base_url = "nowhere";
  CHECK_THROWS_WITH(wire({.path = "/x"}, {}, token), test::StartsWith("token t0: base_url is \"nowhere\""));
  token.base_url.clear();
  token.headers = {{"X", "a\r\nb"}};
  CHECK_THROWS_WITH(wire({.path = "/x"}, {}, token), test::StartsWith("token t0: headers has a line end"));
  CHECK_THROWS_WITH(detail::wire_for({}, std::nullopt, credential, {.path = "/x"}),
                    test::StartsWith("token t0: base_url is \"\""));
}

TEST_CASE("a request that cannot go over the wire is refused with the field and the remedy") {
  CHECK(complaint({.path = "/x"}) == "none");
  CHECK(complaint({.method = "PURGE", .path = ""}) == "none");
  CHECK_THAT(complaint({.method = ""}), ContainsSubstring("method is \"\": give an HTTP method"));
  CHECK_THAT(complaint({.method = "GET /evil HTTP/1.1\r\n"}), ContainsSubstring("method is \"?\""));
  CHECK_THAT(complaint({.path = "/x\r\nX-Evil: 1"}), ContainsSubstring("percent-encode"));
  CHECK_THAT(complaint({.headers = {{"X", "a\nb"}}}), ContainsSubstring("headers has a line end in \"X\""));
  CHECK_THAT(complaint({.headers = {{"X\r\nY", "1"}}}), ContainsSubstring("headers has a field whose name"));
  CHECK_THAT(complaint({.headers = {{"Content-Length", "1"}}}), ContainsSubstring("leave it out"));
  CHECK_THAT(complaint({.idempotency_key = "a\r\nb"}), ContainsSubstring("idempotency_key has a line end"));
  CHECK_THAT(complaint({.cost = -1}), ContainsSubstring("cost is -1: give an estimate of at least 0"));
  CHECK_THAT(complaint({.deadline = std::chrono::milliseconds(-5)}), ContainsSubstring("deadline is -5 ms"));
}
