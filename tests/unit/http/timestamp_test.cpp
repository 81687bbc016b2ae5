#include "tokenpool/http/timestamp.hpp"

#include <chrono>

#include "catch_compat.hpp"

using namespace tokenpool;
using std::chrono::seconds;

TEST_CASE("an instant is written in UTC to the second") {
  CHECK(to_rfc3339(WallTime{}) == "1970-01-01T00:00:00Z");
  CHECK(to_rfc3339(WallTime{seconds(1'750'000'000)}) == "2025-06-15T15:06:40Z");
  CHECK(to_rfc3339(WallTime{seconds(951'782'399)} + std::chrono::milliseconds(999)) ==
        "2000-02-28T23:59:59Z");
  CHECK(to_rfc3339(WallTime{seconds(951'782'400)}) == "2000-02-29T00:00:00Z");
  CHECK(to_rfc3339(WallTime{seconds(-1)}) == "1969-12-31T23:59:59Z");
}
