// A Redis ledger and its server's misfortunes: cut, stopped, held still, emptied, come back with less.

#include "tokenpool/ledger/redis.hpp"

#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "catch_compat.hpp"
#include "support/redis_server.hpp"
#include "support/temporary_folder.hpp"
#include "tokenpool/ledger/redis_tls.hpp"
#include "tokenpool/testing/ledger_suite.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::RedisServer;
using Process = testing::detail::LedgerProcess;

namespace {

RedisOptions options_for(const RedisServer& server) {
  return {.port = server.port(), .timeout = 300ms, .longest_backoff = 100ms};
}

/// A ledger of its own for each process, as in life.
Process process_of(const RedisOptions& options) {
  return {std::make_shared<RedisLedger>(options), [] { return 0ms; }};
}

Claim claim_of(std::int64_t amount, const std::string& place = "token=t0") {
  return {.place = place, .limit = Limit::per_token(amount, 1h)};
}

/// Asks until the server is there and lets somebody in again.
Process::Try take_when_possible(Process& process, const Claim& claim, std::uint64_t name = 0) {
  for (int tries = 0;; ++tries) {
    try {
      Process::Try made = process.take({claim}, {.reservation = name});
      if (made || tries == 200) return made;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::ledger || tries == 200) throw;
    }
    std::this_thread::sleep_for(50ms);
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("a Redis ledger keeps all that a ledger must") {
  RedisServer server;
  testing::LedgerStand stand;
  stand.window = 300ms;
  stand.patience = 2s;
  stand.connect = [&](std::chrono::milliseconds) {
    return std::make_shared<RedisLedger>(options_for(server));
  };
  stand.empty = [&] { server.command({"FLUSHALL"}); };
  CHECK(testing::check_ledger(stand) == std::vector<std::string>{});
}

TEST_CASE("a connection that was cut and scripts that were forgotten are no failure") {
  RedisServer server;
  Process process = process_of(options_for(server));
  CHECK(process.take({claim_of(3)}));
  server.command({"CLIENT", "KILL", "TYPE", "normal"});
  CHECK(process.take({claim_of(3)}));
  server.command({"SCRIPT", "FLUSH"});
  CHECK(process.take({claim_of(3)}));
  CHECK_FALSE(process.take({claim_of(3)}));
  server.command({"SCRIPT", "FLUSH"});
  CHECK(process.used(claim_of(3)) == 3);
}

TEST_CASE("a Redis server that is gone is told of at once and found again when it is back") {
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
  Process process = process_of(options_for(server));
  const Process::Try first = process.take({claim_of(2)});
  CHECK(first);
  server.stop(SIGKILL);
  const std::string where = "Redis at 127.0.0.1:" + std::to_string(server.port()) + ": Connection refused";
  CHECK_THROWS_WITH(process.take({claim_of(2)}), ContainsSubstring(where));
  CHECK_THROWS_WITH(process.take({claim_of(2)}), ContainsSubstring(where));
  server.start();
  const Process::Try second = take_when_possible(process, claim_of(2));
  CHECK(second);
  CHECK(second.answer.epoch == first.answer.epoch);
  CHECK_FALSE(process.take({claim_of(2)}));
}

TEST_CASE("a server that started again grants nothing for a moment in which others may know better") {
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
  Process process = process_of(options_for(server));
  CHECK(process.take({claim_of(2)}));
  std::this_thread::sleep_for(1100ms);
  CHECK(process.take({claim_of(9, "egress=e")}, {.fresh_for = 1s}));
  server.stop();
  server.start();
  Process late = process_of(options_for(server));
  const Process::Try refused = late.take({claim_of(2)}, {.fresh_for = 10s});
  CHECK_FALSE(refused);
  CHECK(refused.answer.refused_claim == 1);
  CHECK(refused.answer.retry_in > 0ms);
  CHECK(refused.answer.retry_in <= 10s);
  CHECK(late.used(claim_of(2)) == 1);
}

TEST_CASE("a Redis server that comes back with less than it had told of begins a new epoch") {
  RedisServer server({"--dbfilename", "old.rdb"});
  Process process = process_of(options_for(server));
  CHECK(process.take({claim_of(9)}));
  server.command({"SAVE"});
  const Process::Try forgotten = process.take({claim_of(9)});
  server.stop(SIGKILL);
  server.start();
  Process ignorant = process_of(options_for(server));
  CHECK(ignorant.hear().empty());
  Process::Try refused;
  while (refused.answer.epoch == 0) {
    try {
      refused = process.take({claim_of(9)});
    } catch (const Error&) {
      std::this_thread::sleep_for(20ms);
    }
  }
  CHECK_FALSE(refused);
  CHECK(refused.answer.epoch != forgotten.answer.epoch);
  process.spend({{claim_of(9), 1h, forgotten.id}});
  CHECK(process.used(claim_of(9)) == 2);
}

TEST_CASE("a question that a server standing still has not answered is granted once when it is asked again") {
  RedisServer server;
  Process process = process_of(options_for(server));
  CHECK(process.take({claim_of(3)}));
  server.pause();
  const std::uint64_t name = Process::new_id();
  CHECK_THROWS_WITH(process.take({claim_of(3)}, {.reservation = name}),
                    ContainsSubstring("no answer in time"));
  const auto began = std::chrono::steady_clock::now();
  Process impatient = process_of({.port = server.port(), .timeout = 30s});
  CHECK_THROWS_AS(impatient.take({claim_of(3)}, {.patience = 50ms}), Error);
  CHECK(std::chrono::steady_clock::now() - began < 10s);
  server.resume();
  CHECK(take_when_possible(process, claim_of(3), name));
  CHECK(process.used(claim_of(3)) == 2);
}

TEST_CASE("threads that share a Redis ledger stay within the limit while connections are cut") {
  RedisServer server;
  const auto ledger = std::make_shared<RedisLedger>(options_for(server));
  std::atomic<int> granted{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      Process process(ledger, [] { return 0ms; });
      for (int question = 0; question < 100; ++question) {
        try {
          granted += process.take({claim_of(150)}) ? 1 : 0;
        } catch (const Error&) {
          ++failed;
        }
      }
    });
  }
  for (int cut = 0; cut < 10; ++cut) server.command({"CLIENT", "KILL", "TYPE", "normal"});
  for (std::thread& thread : threads) thread.join();
  CHECK(granted <= 150);
  CHECK(granted + failed >= 150);
  Process last(ledger, [] { return 0ms; });
  take_when_possible(last, claim_of(1'000));
  CHECK(last.used(claim_of(150)) <= 151);
}

TEST_CASE("all keys of a Redis ledger share prefix and slot and each of them expires") {
  RedisServer server;
  RedisOptions options = options_for(server);
  options.prefix = "pools";
  options.database = 3;
  Process process = process_of(options);
  const Process::Try lease = process.take({claim_of(5), claim_of(500, "egress=e")});
  process.tell({LedgerNews::Kind::rest, "token=t0", 1min, Verdict::rate_limited, "too fast"});
  process.take({claim_of(5)}, {.lives_for = 5min});
  process.end({.reservation = lease.id});
  const std::vector<std::string> keys = lines_of(server.command({"-n", "3", "--scan"}));
  CHECK(keys.size() == 6);
  for (const std::string& key : keys) {
    CHECK_THAT(key, test::StartsWith("{pools}:"));
    CHECK(std::stol(server.command({"-n", "3", "TTL", key})) > 0);
  }
  CHECK(server.command({"--scan"}).empty());
  Process other = process_of(options_for(server));
  CHECK(other.used(claim_of(5)) == 0);
}

TEST_CASE("user and password are kept out of errors") {
  RedisServer server(
      {"--user", "pool", "on", ">canary-word", "~{tokenpool}:*", "+@all", "--user", "default", "off"});
  RedisOptions options = options_for(server);
  options.user = "pool";
  options.password = "canary-word";
  CHECK(process_of(options).take({claim_of(3)}));
  options.password = "canary-wrong";
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      process_of(options).take({claim_of(3)});
      FAIL("a wrong password was let in");
    } catch (const Error& refused) {
      CHECK(refused.code() == ErrorCode::ledger);
      CHECK_THAT(refused.what(),
                 ContainsSubstring("refused user and password (WRONGPASS)") && !ContainsSubstring("canary"));
    }
  }
  CHECK_THROWS_WITH(process_of(options_for(server)).take({claim_of(3)}), ContainsSubstring("NOAUTH"));
}

TEST_CASE("a Unix socket leads to Redis as well") {
  RedisServer server({"--unixsocket", "redis.socket"});
  Process process = process_of({.host = server.folder() + "/redis.socket"});
  CHECK(process.take({claim_of(3)}));
  server.stop();
  CHECK_THROWS_WITH(process.take({claim_of(3)}), ContainsSubstring("Redis at " + server.folder()));
}

TEST_CASE("a node of a cluster that has other keys sends us to the one that has ours") {
  const std::vector<std::string> as_node{"--cluster-enabled", "yes", "--cluster-node-timeout", "5000"};
  RedisServer asked(as_node);
  RedisServer holder(as_node);
  const int slot = std::stoi(asked.command({"CLUSTER", "KEYSLOT", "{tokenpool}:state"}));
  asked.command(
      {"CLUSTER", "ADDSLOTSRANGE", "0", std::to_string(slot - 1), std::to_string(slot + 1), "16383"});
  holder.command({"CLUSTER", "ADDSLOTS", std::to_string(slot)});
  asked.command({"CLUSTER", "MEET", "127.0.0.1", std::to_string(holder.port())});
  Process process = process_of(options_for(asked));
  CHECK(take_when_possible(process, claim_of(2)));
  CHECK(process.take({claim_of(2), claim_of(2, "egress=e")}));
  CHECK_FALSE(process.take({claim_of(2)}));
  CHECK(holder.command({"DBSIZE"}) == "5\n");
  CHECK(asked.command({"DBSIZE"}) == "0\n");
}

TEST_CASE("Redis over TLS is trusted only if its certificate is signed and names the host") {
#if TOKENPOOL_REDIS_HAS_TLS
  const test::TemporaryFolder files;
  const std::string certificate = files / "certificate.pem";
  const std::string key = files / "key.pem";
  support::ChildProcess openssl({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=redis",
                                 "-addext", "subjectAltName=DNS:redis.test", "-keyout", key, "-out",
                                 certificate});
  REQUIRE(openssl.wait() == 0);
  RedisServer server({"--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no"});
  const auto take_with = [&](const RedisTls& tls) {
    RedisOptions options = options_for(server);
    options.secure = redis_tls(tls);
    return static_cast<bool>(process_of(options).take({claim_of(9)}));
  };
  CHECK(take_with({.ca_file = certificate, .server_name = "redis.test"}));
  CHECK_THROWS_WITH(take_with({.ca_file = certificate}), ContainsSubstring("TLS with Redis"));
  CHECK_THROWS_WITH(take_with({.server_name = "redis.test"}), ContainsSubstring("TLS with Redis"));
  CHECK(take_with({.verify = false}));
  CHECK_THROWS_WITH(take_with({.ca_file = files / "none"}), ContainsSubstring("RedisTls.ca_file"));
  CHECK_THROWS_AS(process_of(options_for(server)).take({claim_of(9)}), Error);
#else
  WARN("not run: this hiredis has no TLS (Debian 13's has)");
#endif
}
