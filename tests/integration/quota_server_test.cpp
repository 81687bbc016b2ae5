#include "support/quota_server.hpp"

#include "catch_compat.hpp"

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

TEST_CASE("the quota server ends cleanly when asked") {
  QuotaServer server({"--tokens", "token-aaaa"});
  CHECK(server.process().end() == 0);
}
