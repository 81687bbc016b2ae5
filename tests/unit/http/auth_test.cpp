#include "tokenpool/http/auth.hpp"

#include <string>
#include <vector>

#include "catch_compat.hpp"

using namespace tokenpool;

namespace {

std::string value(const Auth& auth, std::string_view secret) {
  const std::vector<char> bytes = auth.field_value(secret);
  return {bytes.begin(), bytes.end()};
}

std::string basic(std::string_view secret) { return value(Auth::basic(), secret); }

}  // namespace

TEST_CASE("the default puts the credential into Authorization as a bearer token") {
  CHECK(Auth().name() == "Authorization");
  CHECK_FALSE(Auth().in_query());
  CHECK(value(Auth(), "sk-one") == "Bearer sk-one");
}

TEST_CASE("a header of its own carries the bare credential") {
  CHECK(Auth::header("x-api-key").name() == "x-api-key");
  CHECK(value(Auth::header("x-api-key"), "sk-one") == "sk-one");
}

TEST_CASE("a query parameter leaves the header alone") {
  CHECK(Auth::query("key").in_query());
  CHECK(Auth::query("key").name() == "key");
  CHECK(value(Auth::query("key"), "sk-one").empty());
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
