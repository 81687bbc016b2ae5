#include "tokenpool/client/options.hpp"

#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>

#include "catch_compat.hpp"
#include "scripted_client.hpp"
#include "tokenpool/policy/random.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;

namespace {

/// What a client says of options that are fit but for `spoil`.
std::string complaint(const std::function<void(ClientOptions&)>& spoil) {
  ClientOptions options{.base_url = "https://host/v1", .tokens = test::canary_tokens(2)};
  spoil(options);
  try {
    const Client<RoundRobin> client(std::move(options));
    return "none";
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_request);
    CHECK_THAT(error.what(), !ContainsSubstring(std::string(test::canary)));
    return error.what();
  }
}

}  // namespace

TEST_CASE("fit options are taken without complaint") {
  CHECK(complaint([](ClientOptions&) {}) == "none");
  CHECK(complaint([](ClientOptions& options) {
          options.base_url.clear();
          for (Token& token : options.tokens) token.base_url = "http://other";
        }) == "none");
  CHECK(complaint([](ClientOptions& options) { options.timeouts = {0ms, 0ms, 0ms, 0ms}; }) == "none");
}

TEST_CASE("a client without tokens says how to give some") {
  CHECK_THAT(complaint([](ClientOptions& options) { options.tokens.clear(); }),
             ContainsSubstring("tokens is empty") && ContainsSubstring("tokens_from_env"));
}

TEST_CASE("an unfit base URL is named with its value and an example") {
  for (const char* url : {"", "api.example.com", "ftp://host", "http://host#x", "host:80"}) {
    INFO(url);
    CHECK_THAT(complaint([&](ClientOptions& options) { options.base_url = url; }),
               ContainsSubstring("base_url is \"" + std::string(url) + "\"") &&
                   ContainsSubstring("for example https://api.example.com/v1"));
  }
}

TEST_CASE("a base URL that may hold a secret or a line end is not shown") {
  for (const char* url : {"https://user:sk-canary@host", "https://host?key=sk-canary", "https://host\r\n"}) {
    CHECK_THAT(complaint([&](ClientOptions& options) { options.base_url = url; }),
               test::StartsWith("base_url is not fit: give"));
  }
}

TEST_CASE("the base URL of a token is checked as that of the client is") {
  CHECK_THAT(complaint([](ClientOptions& options) { options.tokens[1].base_url = "nowhere"; }),
             test::StartsWith("tokens[1].base_url is \"nowhere\""));
}

TEST_CASE("headers that would break the message are refused without showing values") {
  const auto with = [](Headers headers) {
    return [headers](ClientOptions& options) { options.headers = headers; };
  };
  CHECK_THAT(complaint(with({{"X-A", "sk-canary\r\nX-B: 1"}})),
             test::StartsWith("headers has a line end in \"X-A\""));
  CHECK_THAT(complaint(with({{"X-A", std::string("a\0b", 3)}})), ContainsSubstring("line end"));
  CHECK_THAT(complaint(with({{"X A", "1"}})), test::StartsWith("headers has a field whose name is \"?\""));
  CHECK_THAT(complaint(with({{"X:A", "1"}})), test::StartsWith("headers has a field whose name is \"X:A\""));
  CHECK_THAT(complaint(with({{"", "1"}})), ContainsSubstring("whose name is"));
  CHECK_THAT(complaint(with({{"content-length", "3"}})), ContainsSubstring("it follows from the body"));
  CHECK_THAT(complaint(with({{"Transfer-Encoding", "chunked"}})), ContainsSubstring("it follows"));
  CHECK_THAT(complaint([](ClientOptions& options) {
               options.tokens[0].headers = {{"X", "\n"}};
             }),
             test::StartsWith("tokens[0].headers has"));
  CHECK_THAT(complaint([](ClientOptions& options) { options.user_agent = "a\r\nb"; }),
             test::StartsWith("user_agent has a line end"));
}

TEST_CASE("the place of the credential needs a fit name") {
  CHECK_THAT(complaint([](ClientOptions& options) { options.auth = Auth::header("x key\r\n"); }),
             ContainsSubstring("header field") && ContainsSubstring("x-api-key"));
  CHECK_THAT(complaint([](ClientOptions& options) { options.auth = Auth::header(""); }),
             ContainsSubstring("auth has the name \"\""));
  CHECK_THAT(complaint([](ClientOptions& options) { options.auth = Auth::query(""); }),
             ContainsSubstring("query parameter"));
  CHECK_THAT(complaint([](ClientOptions& options) { options.auth = Auth::header("Content-Length"); }),
             ContainsSubstring("auth has the name"));
}

TEST_CASE("retry options out of range are named with their remedy") {
  CHECK_THAT(complaint([](ClientOptions& options) { options.retry.max_attempts = 0; }),
             ContainsSubstring("retry.max_attempts is 0: give at least 1"));
  CHECK_THAT(complaint([](ClientOptions& options) { options.retry.max_wait = -1ms; }),
             ContainsSubstring("retry.max_wait is -1 ms"));
  CHECK_THAT(complaint([](ClientOptions& options) { options.retry.max_rest = 0ms; }),
             ContainsSubstring("retry.max_rest is 0 ms"));
  CHECK_THAT(complaint([](ClientOptions& options) {
               options.retry.backoff = {0ms, 1s};
             }),
             ContainsSubstring("retry.backoff is 0 to 1000 ms"));
  CHECK_THAT(complaint([](ClientOptions& options) {
               options.retry.backoff = {2s, 1s};
             }),
             ContainsSubstring("retry.backoff is 2000 to 1000 ms"));
  for (const BudgetOptions budget : {BudgetOptions{-0.1, 1}, BudgetOptions{1001, 1}, BudgetOptions{1, -1},
                                     BudgetOptions{1, 2e9}, BudgetOptions{std::nan(""), 1}}) {
    CHECK_THAT(complaint([&](ClientOptions& options) { options.retry.budget = budget; }),
               ContainsSubstring("retry.budget is out of range"));
  }
}

TEST_CASE("negative timeouts are named") {
  CHECK_THAT(complaint([](ClientOptions& options) { options.timeouts.connect = -1ms; }),
             ContainsSubstring("timeouts.connect is -1 ms: give 0 for none"));
  CHECK_THAT(complaint([](ClientOptions& options) { options.timeouts.first_byte = -2ms; }),
             ContainsSubstring("timeouts.first_byte is -2 ms"));
  CHECK_THAT(complaint([](ClientOptions& options) { options.timeouts.idle = -3ms; }),
             ContainsSubstring("timeouts.idle is -3 ms"));
  CHECK_THAT(complaint([](ClientOptions& options) { options.timeouts.total = -4ms; }),
             ContainsSubstring("timeouts.total is -4 ms"));
}

TEST_CASE("limits and details that cannot be are named") {
  CHECK_THAT(complaint([](ClientOptions& options) { options.limits = {Limit::per_token(0, 1s)}; }),
             ContainsSubstring("limits[0].amount is 0"));
  CHECK_THAT(complaint([](ClientOptions& options) { options.limits = {Limit::per_token(1, -1s)}; }),
             ContainsSubstring("limits[0].window is -1000 ms"));
  CHECK_THAT(complaint([](ClientOptions& options) { options.tls.min_version = "1.1"; }),
             ContainsSubstring("tls.min_version is \"1.1\": give \"1.2\" or \"1.3\""));
  CHECK_THAT(complaint([](ClientOptions& options) { options.http.max_header_bytes = 0; }),
             ContainsSubstring("http.max_header_bytes is 0"));
}

TEST_CASE("a proxy that is no proxy is refused and not shown") {
  const auto proxy = [](const std::string& url) {
    return complaint([&](ClientOptions& options) { options.egress = {{.id = "fine"}, {.proxy = url}}; });
  };
  for (const char* unfit :
       {"ftp://user:canary@host:21", "http://user:canary@", "user:canary@host:port",
        "http://user:can/ary@host", "http://a@canary@host", "http://canary@host/path",
        "http://user:canary @host", "socks6://canary@host:1", "HTTPS://canary@host", "canary\r\n@host"}) {
    INFO(unfit);
    CHECK_THAT(proxy(unfit),
               test::StartsWith("egress[1].proxy is not fit") && ContainsSubstring("socks5h://"));
  }
  for (const char* fit :
       {"host:3128", "user:p%40ss@host", "http://host", "https://host:443/", "socks4a://[::1]:1080"}) {
    CHECK(proxy(fit) == "none");
  }
  CHECK_THAT(complaint([](ClientOptions& options) { options.egress = {{.source = "eth0\n"}}; }),
             test::StartsWith("egress[0].source"));
}

TEST_CASE("a token that is there twice is refused without being shown") {
  CHECK_THAT(complaint([](ClientOptions& options) { options.tokens[1].secret = options.tokens[0].secret; }),
             ContainsSubstring("tokens[1]") && ContainsSubstring("give each token once"));
  CHECK_THAT(complaint([](ClientOptions& options) { options.tokens[1].secret = "sk-canary\r\n"; }),
             ContainsSubstring("tokens[1].secret has a control character"));
}

TEST_CASE("options can be copied and used for two clients") {
  const ClientOptions options{.base_url = "https://host/v1", .tokens = test::canary_tokens(2)};
  ClientOptions copy = options;
  const Client<RoundRobin> one(options);
  const Client<Random> other(std::move(copy));
  CHECK(one.stats().tokens.size() == 2);
  CHECK(other.stats().tokens.size() == 2);
}

TEST_CASE("tokens come from the environment or the variable is named") {
  ::setenv("TOKENPOOL_TEST_TOKENS", "sk-a, sk-b", 1);
  CHECK(tokens_from_env("TOKENPOOL_TEST_TOKENS").size() == 2);
  ::setenv("TOKENPOOL_TEST_TOKENS", " , ", 1);
  CHECK_THROWS_WITH(tokens_from_env("TOKENPOOL_TEST_TOKENS"),
                    ContainsSubstring("the environment variable TOKENPOOL_TEST_TOKENS is empty"));
  ::unsetenv("TOKENPOOL_TEST_TOKENS");
  CHECK_THROWS_WITH(tokens_from_env("TOKENPOOL_TEST_TOKENS"),
                    ContainsSubstring("TOKENPOOL_TEST_TOKENS is not set: set it to your tokens"));
}
