// Counts in one file, shared by what they are made for: clients of one program, blocking and asynchronous,
// and processes that are killed. The service counts for itself and has the last word.

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "catch_compat.hpp"
#include "child_process.hpp"
#include "support/client.hpp"
#include "support/quota_server.hpp"
#include "support/temporary_folder.hpp"
#include "tokenpool/ledger/sqlite.hpp"
#include "tokenpool/testing/ledger_suite.hpp"

using namespace std::chrono_literals;
using namespace tokenpool;
using support::ChildProcess;
using test::ContainsSubstring;
using test::TemporaryFolder;

namespace {

const std::string three_tokens = "sk-canary-a,sk-canary-b,sk-canary-c";

test::QuotaServer server(int limit, const std::string& window) {
  return test::QuotaServer({"--tokens", three_tokens, "--limit", std::to_string(limit), "--window", window,
                            "--window-kind", "rolling"});
}

/// A client with a connection of its own to the file, as each process has one.
ClientOptions sharing(const test::QuotaServer& at, const std::string& file, int limit,
                      std::chrono::milliseconds window) {
  ClientOptions options{.base_url = at.base_url(), .tokens = parse_tokens(three_tokens)};
  options.limits = {Limit::per_token(limit, window)};
  options.ledger = std::make_shared<SqliteLedger>(SqliteOptions{.path = file, .busy_timeout = 2s});
  options.ledger_options.republish_within = 0ms;
  options.timeouts.total = 30s;
  return options;
}

/// What the service says of all tokens together: "refused", "successes"...
int total(const test::QuotaServer& at, const char* what) {
  const auto counts = at.counts();
  int all = 0;
  for (const auto& token : counts["tokens"]) all += token[what].get<int>();
  return all;
}

void check_no_secret_in(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    INFO(entry.path());
    CHECK(bytes.find("canary") == std::string::npos);
  }
}

}  // namespace

TEST_CASE("a file passes the ledger suite in real time") {
  const TemporaryFolder folder;
  testing::LedgerStand stand;
  stand.window = 150ms;
  stand.patience = 2s;
  stand.connect = [&](std::chrono::milliseconds) {
    return std::make_shared<SqliteLedger>(SqliteOptions{.path = folder / "counts.db"});
  };
  CHECK(testing::check_ledger(stand) == std::vector<std::string>{});
}

TEST_CASE("processes over one file keep a limit together though some are killed") {
  const TemporaryFolder folder;
  const auto at = server(40, "2s");
  std::vector<std::unique_ptr<ChildProcess>> processes;
  const auto start = [&](const std::string& length) {
    return std::unique_ptr<ChildProcess>(new ChildProcess(
        {TOKENPOOL_SHARED_COUNTS_PATH, "--url", at.base_url(), "--tokens", three_tokens, "--counts",
         folder / "counts.db", "--limit", "40", "--window", "2s", "--for", length}));
  };
  for (int i = 0; i < 4; ++i) processes.push_back(start("7s"));
  std::this_thread::sleep_for(2500ms);
  for (std::size_t victim = 0; victim < 2; ++victim) {
    processes[victim]->end(SIGKILL);
    processes[victim] = start("3500ms");
    std::this_thread::sleep_for(300ms);
  }
  for (const auto& process : processes) {
    const std::string line = process->read_line();
    INFO(line);
    CHECK(line.find(" answered, 0 met 429, 0 without counts, 0 failed") != std::string::npos);
    CHECK(process->wait() == 0);
  }
  CHECK(total(at, "refused") == 0);
  // The new file grants nothing for 2 s; then there are two whole windows.
  CHECK(total(at, "successes") >= 3 * 40 * 2 - 16);
  check_no_secret_in(folder.path());
  detail::SqliteDatabase file(folder / "counts.db", 1s);
  detail::SqliteStatement check(file, "PRAGMA integrity_check");
  REQUIRE(check.bind().next());
  CHECK(check.text(0) == "ok");
}

TEST_CASE("asynchronous calls and batches and streams share a file") {
  const TemporaryFolder folder;
  const auto at = server(20, "1h");
  Client<> one(sharing(at, folder / "counts.db", 20, 1h));
  Client<> other(sharing(at, folder / "counts.db", 20, 1h));
  std::vector<std::future<Response>> replies;
  for (int i = 0; i < 15; ++i) {
    replies.push_back(one.send_async({.path = "/models"}));
    replies.push_back(other.send_async({.path = "/models"}));
  }
  for (auto& reply : replies) CHECK(reply.get().ok());
  const std::vector<Request> batch(25, Request{.path = "/models"});
  for (const auto& result : one.send_all(batch, {.concurrency = 6})) CHECK(result.has_value());
  const Request chat{
      .method = "POST",
      .path = "/chat/completions",
      .body = std::string(R"({"stream":true,"messages":[{"role":"user","content":"Hello"}]})")};
  for (int i = 0; i < 5; ++i) {
    std::promise<bool> streamed;
    other.stream_async(
        chat, [](const ServerSentEvent&) {},
        [&](Result<Response> result) { streamed.set_value(result.has_value()); });
    CHECK(streamed.get_future().get());
  }
  const auto none_left = other.send_all(std::vector<Request>(3, Request{.path = "/models", .deadline = 5s}));
  for (const auto& result : none_left) CHECK(result.error().code() == ErrorCode::exhausted);
  CHECK(total(at, "successes") == 60);
  CHECK(total(at, "refused") == 0);
}

TEST_CASE("a client that ends while its calls ask a ledger that hangs ends each of them") {
  struct Slow final : Ledger {
    LedgerAnswer ask(const LedgerQuestion&) override {
      std::this_thread::sleep_for(300ms);
      return {.epoch = 1};
    }
    std::vector<LedgerCount> read(std::span<const Claim> places) override {
      return std::vector<LedgerCount>(places.size());
    }
  };
  const auto at = server(20, "1h");
  ClientOptions options{.base_url = at.base_url(), .tokens = parse_tokens(three_tokens)};
  options.limits = {Limit::per_token(20, 1h)};
  options.ledger = std::make_shared<Slow>();
  std::vector<std::future<Response>> replies;
  {
    Client<> client(options);
    for (int i = 0; i < 8; ++i) replies.push_back(client.send_async({.path = "/models"}));
    const auto late = client.send_async({.path = "/models", .deadline = 50ms});
    std::this_thread::sleep_for(100ms);
    CHECK(late.wait_for(5s) == std::future_status::ready);
  }
  for (auto& reply : replies) {
    REQUIRE(reply.wait_for(0s) == std::future_status::ready);
    CHECK_THROWS_AS(reply.get(), Error);
  }
}

TEST_CASE("a file that is out of reach ends calls and serves again without a restart") {
  const TemporaryFolder folder;
  const auto at = server(5, "1h");
  ClientOptions options = sharing(at, folder / "counts.db", 5, 1h);
  options.ledger =
      std::make_shared<SqliteLedger>(SqliteOptions{.path = folder / "counts.db", .busy_timeout = 30ms});
  Client<> client(options);
  CHECK(client.get("/models").ok());
  {
    detail::SqliteDatabase other(folder / "counts.db", 1s);
    const detail::SqliteTransaction held(other);
    const auto result = client.try_send({.path = "/models"});
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == ErrorCode::ledger);
    CHECK_THAT(result.error().what(), ContainsSubstring("locked"));
    std::future<Response> reply = client.send_async({.path = "/models"});
    CHECK_THROWS_AS(reply.get(), Error);
  }
  for (int i = 0; i < 14; ++i) CHECK(client.get("/models").ok());
  CHECK(client.try_send({.path = "/models", .deadline = 1s}).error().code() == ErrorCode::exhausted);
  CHECK(total(at, "refused") == 0);
  CHECK(total(at, "successes") == 15);
}

TEST_CASE("a file that was removed is made anew and told what was spent") {
  const TemporaryFolder folder;
  const auto at = server(5, "1h");
  Client<> client(sharing(at, folder / "counts.db", 5, 1h));
  for (int i = 0; i < 9; ++i) CHECK(client.get("/models").ok());
  for (const char* end : {"", "-wal", "-shm"})
    std::filesystem::remove(folder / ("counts.db" + std::string(end)));
  for (int i = 0; i < 6; ++i) CHECK(client.get("/models").ok());
  Client<> other(sharing(at, folder / "counts.db", 5, 1h));
  CHECK(other.try_send({.path = "/models", .deadline = 1s}).error().code() == ErrorCode::exhausted);
  CHECK(total(at, "refused") == 0);
}
