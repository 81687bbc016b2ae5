#include "tokenpool/http/url.hpp"

#include <string>

#include "catch_compat.hpp"

using namespace tokenpool;

namespace {

/// Origin and path with a bar between; "refused" for what is no base URL.
std::string parsed(std::string_view text) {
  const auto base = parse_base_url(text);
  return base ? base->origin + "|" + base->path : "refused";
}

std::string resolved(std::string_view base, std::string_view path) {
  return resolve(parse_base_url(base).value(), path).value_or("refused");
}

}  // namespace

TEST_CASE("a base URL is taken apart into its origin and its path") {
  CHECK(parsed("https://api.example.com/v1") == "https://api.example.com|/v1");
  CHECK(parsed("HTTPS://API.Example.com/V1/") == "https://api.example.com|/V1");
  CHECK(parsed("http://localhost") == "http://localhost|");
  CHECK(parsed("http://localhost//") == "http://localhost|");
  CHECK(parsed("http://my_service-1:8080/a/b") == "http://my_service-1:8080|/a/b");
  CHECK(parsed("http://[::1]:8080/v1") == "http://[::1]:8080|/v1");
  CHECK(parsed("https://[FE80::1]") == "https://[fe80::1]|");
  CHECK(parsed("https://host/@user/v1") == "https://host|/@user/v1");
}

TEST_CASE("the port of the scheme is no part of the origin") {
  CHECK(parsed("http://host:80/v1") == "http://host|/v1");
  CHECK(parsed("https://host:443") == "https://host|");
  CHECK(parsed("http://host:443") == "http://host:443|");
  CHECK(parsed("https://host:80") == "https://host:80|");
  CHECK(parsed("http://host:65535") == "http://host:65535|");
}

TEST_CASE("what two parsers could read differently is no base URL") {
  for (const char* text : {"",
                           "api.example.com",
                           "/v1",
                           "://host",
                           "ftp://host",
                           "file:///etc/passwd",
                           "javascript://host",
                           "http://",
                           "http:///v1",
                           "https:host",
                           "http://user@host",
                           "http://user:password@host/v1",
                           "http://host?x=1",
                           "http://host/v1#part",
                           "http://host\\@other",
                           "http://ho st",
                           " http://host",
                           "http://host\r\n",
                           "http://host/\tv1",
                           "http://h\xc3\xb6st",
                           "http://host:",
                           "http://host:0",
                           "http://host:080",
                           "http://host:65536",
                           "http://host:99999",
                           "http://host:123456",
                           "http://host:8o",
                           "http://host:-1",
                           "http://:80",
                           "http://[::1",
                           "http://::1",
                           "http://[]",
                           "http://a]:80",
                           "http://host:80:80",
                           "http://host,other",
                           "http://%68ost",
                           "http://host%00",
                           "http://[::1]x:80"}) {
    INFO(text);
    CHECK(parsed(text) == "refused");
  }
}

TEST_CASE("a path is joined to the path of its base") {
  CHECK(resolved("https://host/v1", "/models") == "https://host/v1/models");
  CHECK(resolved("https://host/v1/", "models") == "https://host/v1/models");
  CHECK(resolved("https://host", "models") == "https://host/models");
  CHECK(resolved("https://host/v1", "") == "https://host/v1");
  CHECK(resolved("https://host/v1", "?page=2") == "https://host/v1?page=2");
  CHECK(resolved("https://host/v1", "/a?b=c") == "https://host/v1/a?b=c");
}

TEST_CASE("a path never names another host") {
  CHECK(resolved("https://host", "//other/x") == "https://host//other/x");
  CHECK(resolved("https://host", "@other") == "https://host/@other");
  CHECK(resolved("https://host", ":80@other") == "https://host/:80@other");
  CHECK(resolved("https://host", ".other") == "https://host/.other");
}

TEST_CASE("a URL inside of a query is no absolute URL") {
  CHECK(resolved("https://host/v1", "fetch?from=http://other/x") ==
        "https://host/v1/fetch?from=http://other/x");
  CHECK(resolved("https://host/v1", "?from=http://other") == "https://host/v1?from=http://other");
  CHECK(resolved("https://host/v1", "/p/http://other") == "https://host/v1/p/http://other");
}

TEST_CASE("an absolute URL of the same origin stands for itself") {
  CHECK(resolved("https://host/v1", "https://host/v2/x?y=1") == "https://host/v2/x?y=1");
  CHECK(resolved("https://host/v1", "HTTPS://HOST:443/v2") == "https://host/v2");
  CHECK(resolved("https://host/v1", "https://host?y=1") == "https://host?y=1");
  CHECK(resolved("https://host/v1", "https://host") == "https://host");
}

TEST_CASE("an absolute URL of another origin is refused") {
  for (const char* path :
       {"https://other/v1", "http://host/v1", "https://host:8443/v1", "https://host.other/v1",
        "https://host@other/v1", "https://user@host/v1", "ftp://host/v1", "https:///v1", "file://host/v1",
        "https://other?x=https://host"}) {
    INFO(path);
    CHECK(resolved("https://host/v1", path) == "refused");
  }
}

TEST_CASE("a path with a control character or a space or a fragment is unfit") {
  for (const char* path :
       {"/a b", "/a\r\nX-Evil: 1", "/a\n", "/a\t", "/\x7f", "/\xc3\xa9", "/a#b", "/a\\b"}) {
    INFO(path);
    CHECK(problem_with_path(path).value_or("fit").find("percent-encode it") != std::string::npos);
  }
  CHECK(problem_with_path("/a%20b?c=%23&d=e;f=(g)") == std::nullopt);
}

TEST_CASE("all but unreserved characters are percent-encoded") {
  CHECK(percent_encoded("AZaz09-._~") == "AZaz09-._~");
  CHECK(percent_encoded("a b&c=d/e?f#g+h%") == "a%20b%26c%3Dd%2Fe%3Ff%23g%2Bh%25");
  CHECK(percent_encoded("\xc3\xa9\r\n") == "%C3%A9%0D%0A");
  CHECK(percent_encoded("") == "");
}

TEST_CASE("a query grows by name and value") {
  std::string url = "https://host/v1";
  add_query(url, "a", "1 2");
  CHECK(url == "https://host/v1?a=1%202");
  add_query(url, "b&", "=");
  CHECK(url == "https://host/v1?a=1%202&b%26=%3D");
}
