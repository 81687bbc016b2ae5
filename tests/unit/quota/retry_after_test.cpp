#include "tokenpool/quota/retry_after.hpp"

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

/// 2025-06-15 15:06:40 UTC
const std::chrono::system_clock::time_point now{std::chrono::seconds{1750000000}};

std::optional<std::chrono::milliseconds> wait(std::string value) {
  return retry_after(Headers{{"Retry-After", std::move(value)}}, now);
}

}  // namespace

TEST_CASE("Retry-After is seconds") {
  CHECK(wait("3") == 3s);
  CHECK(wait("0") == 0s);
  CHECK(wait("120") == 120s);
  CHECK(wait(" 3 ") == 3s);
  CHECK(wait("003") == 3s);
}

TEST_CASE("Retry-After with a fraction is taken and rounded up") {
  CHECK(wait("0.5") == 500ms);
  CHECK(wait("1.0001") == 1001ms);
}

TEST_CASE("Retry-After is a date in any of the three forms") {
  CHECK(wait("Sun, 15 Jun 2025 15:07:40 GMT") == 60s);
  CHECK(wait("Sunday, 15-Jun-25 15:07:40 GMT") == 60s);
  CHECK(wait("Sun Jun 15 15:07:40 2025") == 60s);
}

TEST_CASE("a date in Retry-After is relative to the Date of the same answer") {
  const Headers headers{{"Date", "Mon, 01 Jan 2024 00:00:00 GMT"},
                        {"Retry-After", "Mon, 01 Jan 2024 00:00:05 GMT"}};
  CHECK(retry_after(headers, now) == 5s);
}

TEST_CASE("a past date in Retry-After means now") {
  CHECK(wait("Sun, 06 Nov 1994 08:49:37 GMT") == 0s);
  CHECK(wait("Sunday, 06-Nov-94 08:49:37 GMT") == 0s);
}

TEST_CASE("a Retry-After that cannot be used counts as absent") {
  for (const auto* text : {"",
                           " ",
                           "-1",
                           "-0.5",
                           "+3",
                           "3s",
                           "3 seconds",
                           "1e3",
                           "0x10",
                           "soon",
                           "nan",
                           "inf",
                           "3, 5",
                           "3;5",
                           ".5",
                           "5.",
                           "99999999999999999999",
                           "18446744073709551616",
                           "Sun, 31 Jun 2025 00:00:00 GMT",
                           "2025-06-15"}) {
    INFO(text);
    CHECK_FALSE(wait(text));
  }
}

TEST_CASE("a far date in Retry-After is the server's word and is not capped") {
  CHECK(wait("Fri, 31 Dec 9999 23:59:59 GMT") == std::chrono::seconds{253402300799 - 1750000000});
}

TEST_CASE("of two copies of Retry-After the longer usable one counts") {
  CHECK(retry_after(Headers{{"Retry-After", "3"}, {"retry-after", "5"}}, now) == 5s);
  CHECK(retry_after(Headers{{"Retry-After", "5"}, {"Retry-After", "rubbish"}}, now) == 5s);
  CHECK(retry_after(Headers{{"Retry-After", "rubbish"}, {"Retry-After", "0"}}, now) == 0s);
}

TEST_CASE("a field in milliseconds wins over Retry-After") {
  for (const auto* name : {"retry-after-ms", "x-ms-retry-after-ms", "X-Amz-Retry-After"}) {
    INFO(name);
    CHECK(retry_after(Headers{{"Retry-After", "30"}, {name, "1500"}}, now) == 1500ms);
  }
}

TEST_CASE("a broken field in milliseconds leaves the word to Retry-After") {
  for (const auto* value : {"", "-5", "abc", "99999999999999999999"}) {
    INFO(value);
    CHECK(retry_after(Headers{{"Retry-After", "30"}, {"retry-after-ms", value}}, now) == 30s);
  }
}

TEST_CASE("a fraction of a millisecond is rounded up") {
  CHECK(retry_after(Headers{{"retry-after-ms", "12.5"}}, now) == 13ms);
}

TEST_CASE("without any of the fields there is no word") {
  CHECK_FALSE(retry_after(Headers{{"Age", "5"}}, now));
}
