#include "tokenpool/base/secret.hpp"

#include <nlohmann/json.hpp>
#include <ostream>
#include <type_traits>

#include "catch_compat.hpp"

using tokenpool::masked;
using tokenpool::Secret;

namespace {
template <class T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};
template <class T>
concept TurnsIntoText = std::is_convertible_v<T, std::string> || std::is_convertible_v<T, std::string_view>;
}  // namespace

TEST_CASE("a secret has no way out but reveal") {
  STATIC_REQUIRE_FALSE(Streamable<Secret>);
  STATIC_REQUIRE_FALSE(TurnsIntoText<Secret>);
  CHECK(Secret("sk-a").reveal() == "sk-a");
}

TEST_CASE("a secret serialises as three stars") {
  const nlohmann::json json = {{"token", Secret("sk-canary")}};
  CHECK(json.dump() == R"({"token":"***"})");
}

TEST_CASE("a moved-from secret is empty however short it was") {
  Secret first("a");
  const Secret second(std::move(first));
  CHECK(first.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(first.reveal().empty());
  CHECK(second.reveal() == "a");
  Secret third("another");
  Secret fourth;
  fourth = std::move(third);
  CHECK(third.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(fourth.reveal() == "another");
}

TEST_CASE("a copy of a secret stands by itself") {
  Secret first("sk-a");
  const Secret second = first;
  first = Secret("sk-b");
  CHECK(second.reveal() == "sk-a");
  CHECK(first.reveal() == "sk-b");
  const Secret& same = first;
  first = same;
  CHECK(first.reveal() == "sk-b");
}

TEST_CASE("secrets are equal when every byte is") {
  CHECK(Secret("sk-a") == Secret("sk-a"));
  CHECK_FALSE(Secret("sk-a") == Secret("sk-b"));
  CHECK_FALSE(Secret("sk-a") == Secret("xk-a"));
  CHECK_FALSE(Secret("sk-a") == Secret("sk-"));
  CHECK(Secret() == Secret(""));
  CHECK_FALSE(Secret(std::string_view("a\0b", 3)) == Secret(std::string_view("a\0c", 3)));
}

TEST_CASE("every occurrence of a secret in a text is masked") {
  CHECK(masked("sk-abc and sk-abc", "sk-abc") == "*** and ***");
  CHECK(masked("sk-absk-abcc", "sk-abc") == "sk-ab***c");
  CHECK(masked("nothing", "sk-abc") == "nothing");
  CHECK(masked("**********", "****") == "********");
}

TEST_CASE("a secret too short to be one masks nothing") {
  CHECK(masked("a cat", "a") == "a cat");
  CHECK(masked("text", "") == "text");
}
