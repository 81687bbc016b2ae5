#include "support/quota_server.hpp"

#include <thread>

#include "catch_compat.hpp"
#include "support/redis_server.hpp"

using test::plain_get;
using test::QuotaServer;

namespace {

long ask(const QuotaServer& server, const std::string& token) {
  return plain_get(server.base_url() + "/models", {"Authorization: Bearer " + token}).status;
}

}  // namespace

TEST_CASE("the quota server admits a token up to its limit and counts what it answered") {
  QuotaServer server({"--tokens", "token-aaaa,token-bbbb", "--limit", "2"});
  CHECK(ask(server, "token-aaaa") == 200);
  CHECK(ask(server, "token-aaaa") == 200);
  CHECK(ask(server, "token-aaaa") == 429);
  CHECK(ask(server, "token-bbbb") == 200);
  CHECK(ask(server, "stranger") == 401);

  const nlohmann::json counts = server.counts();
  CHECK(counts["tokens"][0]["token"] == "aaaa");
  CHECK(counts["tokens"][0]["successes"] == 2);
  CHECK(counts["tokens"][0]["refused"] == 1);
  CHECK(counts["tokens"][1]["window"] == 1);
  CHECK(counts["total"]["unauthorised"] == 1);
}

TEST_CASE("the quota server logs each request without its token") {
  QuotaServer server({"--tokens", "canary-token-1234"});
  ask(server, "canary-token-1234");
  const std::vector<nlohmann::json> log = server.log();
  REQUIRE(log.size() == 1);
  CHECK(log[0]["status"] == 200);
  CHECK(log[0]["path"] == "/v1/models");
  CHECK(log[0]["token"] == "1234");
  CHECK_THAT(log[0].dump(), !test::ContainsSubstring("canary"));
}

TEST_CASE("the quota server closes the connection of a request that it drops") {
  QuotaServer server({"--tokens", "token-aaaa", "--drop-rate", "1"});
  CHECK_THROWS_WITH(ask(server, "token-aaaa"), test::ContainsSubstring("Server returned nothing"));
  CHECK(server.counts()["total"]["dropped"] == 1);
}

TEST_CASE("the quota server takes the address from a proxy it was told to trust") {
  QuotaServer server(
      {"--tokens", "token-aaaa,token-bbbb", "--rule", "token-and-ip", "--limit", "1", "--trust-forwarded"});
  const auto from = [&](const std::string& ip, const std::string& token) {
    return plain_get(server.base_url() + "/models",
                     {"Authorization: Bearer " + token, "X-Forwarded-For: " + ip})
        .status;
  };
  CHECK(from("10.0.0.1", "token-aaaa") == 200);
  CHECK(from("10.0.0.1", "token-bbbb") == 429);
  CHECK(from("10.0.0.2", "token-bbbb") == 200);
}

TEST_CASE("quota servers with one Redis store count as one and say so when it is gone") {
  test::RedisServer redis;
  const std::string store = "redis://127.0.0.1:" + std::to_string(redis.port());
  const std::vector<std::string> arguments{"--tokens", "token-aaaa", "--limit", "3", "--store", store};
  QuotaServer one(arguments);
  QuotaServer other(arguments);
  CHECK(ask(one, "token-aaaa") == 200);
  CHECK(ask(other, "token-aaaa") == 200);
  CHECK(ask(one, "token-aaaa") == 200);
  CHECK(ask(other, "token-aaaa") == 429);
  CHECK(one.counts()["tokens"][0]["window"] == 3);
  redis.stop();
  const auto gone = plain_get(one.base_url() + "/models", {"Authorization: Bearer token-aaaa"});
  CHECK(gone.status == 503);
  CHECK_THAT(gone.body, test::ContainsSubstring("store_unavailable") && test::ContainsSubstring(store));
  CHECK(one.counts()["tokens"][0]["window"].is_null());
  CHECK(one.counts()["total"]["failed"] == 1);
  redis.start();
  long status = 503;
  for (int i = 0; i < 100 && status == 503; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    status = ask(one, "token-aaaa");
  }
  CHECK(status == 200);
}

TEST_CASE("the quota server ends cleanly when asked") {
  QuotaServer server({"--tokens", "token-aaaa"});
  CHECK(server.process().end() == 0);
}
