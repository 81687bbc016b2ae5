#include "tokenpool/ledger/redis.hpp"

#include <memory>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "support/redis_server.hpp"
#include "tokenpool/testing/ledger_suite.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::RedisServer;

namespace {

RedisOptions options_for(const RedisServer& server) { return {.port = server.port()}; }

}  // namespace

TEST_CASE("a Redis ledger keeps all that a ledger must") {
  RedisServer server;
  testing::LedgerStand stand;
  stand.connect = [&](std::chrono::milliseconds) {
    return std::make_shared<RedisLedger>(options_for(server));
  };
  stand.empty = [&] { server.command({"FLUSHALL"}); };
  CHECK(testing::check_ledger(stand) == std::vector<std::string>{});
}
