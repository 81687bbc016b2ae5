#include "retry_after.hpp"

#include "at.hpp"
#include "catch_compat.hpp"

using namespace quota_server;
using namespace std::chrono_literals;
using test::at;
using Header = std::pair<std::string, std::string>;

TEST_CASE("a rest is told in whole seconds rounded up") {
  CHECK(retry_after(RetryAfter::seconds, at(0s), at(10s)) == Header{"Retry-After", "10"});
  CHECK(retry_after(RetryAfter::seconds, at(1ms), at(10s)) == Header{"Retry-After", "10"});
  CHECK(retry_after(RetryAfter::seconds, at(0s), at(10'001ms)) == Header{"Retry-After", "11"});
}

TEST_CASE("a rest is told in milliseconds rounded up") {
  CHECK(retry_after(RetryAfter::milliseconds, at(0s) - 1us, at(2ms)) == Header{"retry-after-ms", "3"});
}

TEST_CASE("a rest is told as a date not before its end") {
  const Time end = std::chrono::system_clock::from_time_t(784'111'776) + 1ms;
  CHECK(retry_after(RetryAfter::date, end - 1h, end) ==
        Header{"Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"});
}

TEST_CASE("a server may keep its rest to itself") {
  CHECK_FALSE(retry_after(RetryAfter::none, at(0s), at(10s)).has_value());
}
