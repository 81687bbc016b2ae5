#include "tokenpool/http/auth.hpp"

#include <string>

#include "catch_compat.hpp"

using namespace tokenpool;

namespace {

std::string basic(std::string_view secret) {
  Headers headers;
  std::string url;
  Auth::basic().apply(secret, headers, url);
  return std::string(headers.get("Authorization").value());
}

}  // namespace

TEST_CASE("the default puts the credential into Authorization as a bearer token") {
  Headers headers{{"authorization", "Bearer of-somebody-else"}, {"Accept", "*/*"}};
  std::string url = "https://host/v1";
  Auth().apply("sk-one", headers, url);
  CHECK(headers == Headers{{"Authorization", "Bearer sk-one"}, {"Accept", "*/*"}});
  CHECK(url == "https://host/v1");
}

TEST_CASE("a header of its own carries the bare credential") {
  Headers headers;
  std::string url = "https://host/v1";
  Auth::header("x-api-key").apply("sk-one", headers, url);
  CHECK(headers == Headers{{"x-api-key", "sk-one"}});
  CHECK(url == "https://host/v1");
}

TEST_CASE("a query parameter carries the credential percent-encoded") {
  Headers headers;
  std::string url = "https://host/v1?alt=sse";
  Auth::query("key").apply("a+b/c=", headers, url);
  CHECK(headers.empty());
  CHECK(url == "https://host/v1?alt=sse&key=a%2Bb%2Fc%3D");
}

TEST_CASE("basic authentication encodes user and password as RFC 4648 does") {
  CHECK(basic("") == "Basic ");
  CHECK(basic("f") == "Basic Zg==");
  CHECK(basic("fo") == "Basic Zm8=");
  CHECK(basic("foo") == "Basic Zm9v");
  CHECK(basic("foob") == "Basic Zm9vYg==");
  CHECK(basic("fooba") == "Basic Zm9vYmE=");
  CHECK(basic("foobar") == "Basic Zm9vYmFy");
  CHECK(basic("Aladdin:open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  CHECK(basic("\xff\xfe\xfb") == "Basic //77");
}
