#include "tokenpool/version.hpp"

#include "catch_compat.hpp"

TEST_CASE("the version's text and its numbers agree") {
  const std::string numbers = std::to_string(TOKENPOOL_VERSION_MAJOR) + "." +
                              std::to_string(TOKENPOOL_VERSION_MINOR) + "." +
                              std::to_string(TOKENPOOL_VERSION_PATCH);
  REQUIRE(tokenpool::version == numbers);
}
