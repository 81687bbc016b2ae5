#include "access_log.hpp"

#include "catch_compat.hpp"

using namespace quota_server;
using namespace std::chrono_literals;

TEST_CASE("a visit is one line of JSON in the order a reader wants") {
  const Time time = std::chrono::system_clock::from_time_t(784'111'777) + 42ms;
  CHECK(
      to_line({time, "1111", "127.0.0.1", "GET", "/v1/models", 200}) ==
      R"({"time":"1994-11-06T08:49:37.042Z","token":"1111","ip":"127.0.0.1","method":"GET","path":"/v1/models","status":200})"
      "\n");
}

TEST_CASE("bytes that are no text do not break the log") {
  CHECK_THAT(to_line({{}, "", "", "GET", "/\xff\n", 404}), test::ContainsSubstring("/\xef\xbf\xbd\\n"));
}

TEST_CASE("a log that cannot be written is refused by name") {
  CHECK_THROWS_WITH(AccessLog("no/such/folder/log"),
                    test::StartsWith("--log: cannot write no/such/folder/log;"));
}
