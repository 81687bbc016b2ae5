// Clients and processes that share their counts on one Redis server. The service counts for itself and has
// the last word.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "catch_compat.hpp"
#include "support/client.hpp"
#include "support/quota_server.hpp"
#include "support/redis_server.hpp"
#include "tokenpool/ledger/redis.hpp"

using namespace std::chrono_literals;
using namespace tokenpool;
using support::ChildProcess;
using test::QuotaServer;
using test::RedisServer;

namespace {

const std::string tokens = "sk-canary-a,sk-canary-b";

QuotaServer service(int limit, const std::string& window) {
  return QuotaServer(
      {"--tokens", tokens, "--limit", std::to_string(limit), "--window", window, "--window-kind", "rolling"});
}

/// A client with a ledger of its own, as each process has one.
ClientOptions sharing(const QuotaServer& at, const RedisServer& server, int limit,
                      std::chrono::milliseconds window) {
  ClientOptions options{.base_url = at.base_url(), .tokens = parse_tokens(tokens)};
  options.limits = {Limit::per_token(limit, window)};
  options.ledger =
      std::make_shared<RedisLedger>(RedisOptions{.port = server.port(), .longest_backoff = 100ms});
  options.ledger_options.republish_within = 800ms;
  options.timeouts.total = 20s;
  return options;
}

int total(const QuotaServer& at, const char* what) { return at.counts()["total"][what].get<int>(); }

/// How many of `tries` are answered; the others must end with `otherwise`.
int answered(Client<>& client, int tries, ErrorCode otherwise, std::chrono::milliseconds deadline = 10s) {
  int successes = 0;
  for (int i = 0; i < tries; ++i) {
    const auto result = client.try_send({.path = "/models", .deadline = deadline});
    successes += result ? 1 : 0;
    if (!result) CHECK(result.error().code() == otherwise);
  }
  return successes;
}

}  // namespace

TEST_CASE("processes over one Redis server keep a limit together whatever happens to it") {
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no"});
  const QuotaServer at = service(40, "2s");
  std::vector<std::unique_ptr<ChildProcess>> processes;
  const auto start = [&](const std::string& length) {
    return std::unique_ptr<ChildProcess>(
        new ChildProcess({TOKENPOOL_SHARED_COUNTS_PATH, "--url", at.base_url(), "--tokens", tokens,
                          "--counts", "redis://127.0.0.1:" + std::to_string(server.port()), "--limit", "40",
                          "--window", "2s", "--for", length}));
  };
  for (int i = 0; i < 4; ++i) processes.push_back(start("9500ms"));
  std::this_thread::sleep_for(2300ms);
  server.command({"CLIENT", "KILL", "TYPE", "normal"});
  processes[0]->end(SIGKILL);
  processes[0] = start("7s");
  server.pause();
  std::this_thread::sleep_for(1200ms);
  server.resume();
  std::this_thread::sleep_for(300ms);
  server.command({"FLUSHALL"});
  std::this_thread::sleep_for(2800ms);
  server.stop(SIGKILL);
  std::this_thread::sleep_for(200ms);
  server.start();
  for (const auto& process : processes) {
    const std::string line = process->read_line();
    INFO(line);
    CHECK(line.find("answered, 0 met 429") != std::string::npos);
    CHECK(process->wait() == 0);
  }
  CHECK(total(at, "refused") == 0);
  CHECK(total(at, "successes") >= 2 * 40);
  std::string kept;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(server.folder())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    kept.append(std::istreambuf_iterator<char>(file), {});
  }
  CHECK(kept.find("{tokenpool}:used:token=") != std::string::npos);
  CHECK(kept.find("canary") == std::string::npos);
}

TEST_CASE("an emptied Redis server is told what living clients spent before it grants a lease") {
  RedisServer server;
  const QuotaServer at = service(5, "1h");
  Client<> one(sharing(at, server, 5, 1h));
  CHECK(answered(one, 9, ErrorCode::exhausted) == 9);
  server.command({"FLUSHALL"});
  Client<> other(sharing(at, server, 5, 1h));
  CHECK(answered(other, 3, ErrorCode::exhausted) == 1);
  CHECK(total(at, "successes") == 10);
  CHECK(total(at, "refused") == 0);
}

TEST_CASE("a client that waits for a window keeps what only the dead had spent") {
  RedisServer server;
  const QuotaServer at = service(5, "1s");
  ClientOptions options = sharing(at, server, 5, 1s);
  options.timeouts.total = 3s;
  options.ledger_options.republish_within = 0ms;
  const auto use_up = [&](const ClientOptions& process) {
    Client<> client(process);
    int successes = 0;
    for (int tries = 0; successes < 10 && tries < 400; ++tries) {
      if (client.try_send({.path = "/models"})) {
        ++successes;
      } else {
        std::this_thread::sleep_for(50ms);
      }
    }
    CHECK(successes == 10);
  };
  use_up(options);
  server.command({"FLUSHALL"});
  options.ledger = std::make_shared<RedisLedger>(RedisOptions{.port = server.port()});
  options.ledger_options.on_fresh = OnFresh::wait_window;
  use_up(options);
  CHECK(total(at, "refused") == 0);
}

TEST_CASE("without its Redis server a client ends calls or goes on within its share") {
  RedisServer server;
  const QuotaServer at = service(6, "1h");
  ClientOptions options = sharing(at, server, 6, 1h);
  options.ledger_options.republish_within = 0ms;
  Client<> strict(options);
  options.ledger =
      std::make_shared<RedisLedger>(RedisOptions{.port = server.port(), .longest_backoff = 100ms});
  options.ledger_options.on_unavailable = OnUnavailable::local;
  options.ledger_options.processes = 2;
  Client<> going_on(options);
  CHECK(answered(strict, 1, ErrorCode::ledger) == 1);
  CHECK(answered(going_on, 1, ErrorCode::ledger) == 1);
  server.stop();
  CHECK(answered(strict, 3, ErrorCode::ledger) == 0);
  CHECK(answered(going_on, 9, ErrorCode::exhausted, 500ms) == 5);
  server.start();
  std::this_thread::sleep_for(1500ms);
  const int rest =
      answered(strict, 9, ErrorCode::exhausted, 500ms) + answered(going_on, 9, ErrorCode::exhausted, 500ms);
  CHECK(rest == 5);
  CHECK(total(at, "refused") == 0);
}

TEST_CASE("what one client learnt of a token the others know at their next lease") {
  RedisServer server;
  QuotaServer at({"--tokens", tokens, "--kill", "0:0"});
  ClientOptions options = sharing(at, server, 50, 1h);
  Client<> one(options);
  options.ledger = std::make_shared<RedisLedger>(RedisOptions{.port = server.port()});
  Client<> other(options);
  CHECK(answered(one, 4, ErrorCode::ledger) == 4);
  CHECK(answered(other, 6, ErrorCode::ledger) == 6);
  CHECK(total(at, "unauthorised") == 1);
}
