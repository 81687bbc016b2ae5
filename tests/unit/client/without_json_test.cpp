// The client alone: this unit includes no JSON library and the same program has units that do.

#include <tokenpool/client.hpp>

#ifdef INCLUDE_NLOHMANN_JSON_HPP_
#error "<tokenpool/client.hpp> brings the JSON library"
#endif

#include "catch_compat.hpp"
#include "scripted_client.hpp"

using namespace tokenpool;

TEST_CASE("the client works without the JSON library") {
  test::ScriptedClient t(2);
  t.transport->answer(429, R"({"error": {"code": "insufficient_quota"}})").answer(200, "{}");
  const auto result = t.client->try_send({.method = "POST", .path = "/x", .body = R"({"model": "m"})"});
  REQUIRE(result);
  CHECK(result->attempts[0].verdict == Verdict::quota_exhausted);
  CHECK(t.transport->sent()[1].body == R"({"model": "m"})");
}
