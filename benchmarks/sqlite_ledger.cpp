// What a lease from an SQLite file costs beside bare transactions of SQLite, and what it adds to a call, in
// one run. Prints a table; `sqlite_ledger_benchmark [SECONDS [FOLDER]]`, default 2 for each row and the
// folder for temporary files.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "integration/support/quota_server.hpp"
#include "tokenpool/ledger/sqlite.hpp"
#include "tokenpool/tokenpool.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

double seconds = 2;
std::string folder;

/// Runs what `make_step` gives each thread until the time is over, and prints how often a second.
void measure(const std::string& name, int threads, const std::function<std::function<void()>()>& make_step) {
  std::atomic<std::int64_t> steps{0};
  std::vector<std::function<void()>> work;
  for (int i = 0; i < threads; ++i) work.push_back(make_step());
  std::vector<std::thread> running;
  const auto begin = Clock::now();
  const auto end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (const auto& step : work) {
    running.emplace_back([&steps, &step, end] {
      for (; Clock::now() < end; ++steps) step();
    });
  }
  for (std::thread& thread : running) thread.join();
  const double rate =
      static_cast<double>(steps) / std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("%-58s %d threads %9.0f /s %8.1f us\n", name.c_str(), threads, rate, threads * 1e6 / rate);
}

/// A file that no row before has used.
std::string new_file() {
  static int newest = 0;
  return folder + "/" + std::to_string(++newest) + ".db";
}

/// A transaction that adds one row.
std::function<void()> bare(const std::string& path, bool full) {
  struct Connection {
    static detail::SqliteDatabase opened(const std::string& file, bool to_disk) {
      detail::SqliteDatabase database(file, 5s);
      database.run("PRAGMA journal_mode = WAL");
      database.run(to_disk ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
      database.run("CREATE TABLE IF NOT EXISTS t(a INTEGER PRIMARY KEY, b INTEGER)");
      return database;
    }
    detail::SqliteDatabase database;
    detail::SqliteStatement begin{database, "BEGIN IMMEDIATE"};
    detail::SqliteStatement insert{database, "INSERT INTO t(b) VALUES(?)"};
    detail::SqliteStatement commit{database, "COMMIT"};
  };
  const std::shared_ptr<Connection> connection(new Connection{Connection::opened(path, full)});
  return [connection] {
    connection->begin.run();
    connection->insert.run(std::int64_t{7});
    connection->commit.run();
  };
}

/// One lease after the other, each bringing the note of the one before.
std::function<void()> leases(const std::shared_ptr<Ledger>& ledger, std::size_t limits) {
  static std::atomic<std::uint64_t> newest{1};
  const char* const places[] = {"token=3fa0b1c2d3e4f506", "egress=default",
                                "token=3fa0b1c2d3e4f506 bucket=gpt"};
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < limits; ++i) {
    claims.push_back({.place = places[i], .limit = Limit::per_token(1'000'000'000, 24h)});
  }
  return [=, before = std::uint64_t{0}]() mutable {
    const LedgerNote note{.reservation = before};
    LedgerQuestion question{.reservation = newest++, .claims = claims, .lives_for = 10min};
    if (before != 0) question.notes = {&note, 1};
    if (!ledger->ask(question).granted) std::exit(1);
    before = question.reservation;
  };
}

std::shared_ptr<Ledger> ledger_of(const std::string& path, bool survive_power_loss = false) {
  return std::make_shared<SqliteLedger>(
      SqliteOptions{.path = path, .survive_power_loss = survive_power_loss});
}

std::function<void()> calls(const test::QuotaServer& at, const std::shared_ptr<Ledger>& ledger) {
  ClientOptions options{.base_url = at.base_url(), .tokens = parse_tokens("sk-a,sk-b")};
  options.limits = {Limit::per_token(1'000'000'000, 24h)};
  options.ledger = ledger;
  options.ledger_options.republish_within = 0ms;
  const auto client = std::make_shared<Client<>>(options);
  return [client] {
    if (!client->get("/models").ok()) std::exit(1);
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) seconds = std::atof(argv[1]);
  folder =
      std::string(argc > 2 ? argv[2] : std::filesystem::temp_directory_path().string()) + "/ledger-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  for (const int threads : {1, 4}) {
    const std::string file = new_file();
    measure("bare transaction of one row", threads, [&] { return bare(file, false); });
    for (const std::size_t limits : {1U, 2U, 3U}) {
      const std::string path = new_file();
      measure("lease and note of the last one, " + std::to_string(limits) + " limits, own connections",
              threads, [&] { return leases(ledger_of(path), limits); });
    }
  }
  const auto shared = ledger_of(new_file());
  measure("the same, 2 limits, one connection", 4, [&] { return leases(shared, 2); });
  const std::string file = new_file();
  measure("bare transaction of one row, to the disk", 1, [&] { return bare(file, true); });
  measure("lease and note, 2 limits, to the disk", 1, [&] { return leases(ledger_of(new_file(), true), 2); });
  const test::QuotaServer at({"--tokens", "sk-a,sk-b", "--limit", "1000000000"});
  measure("call without a ledger", 1, [&] { return calls(at, nullptr); });
  measure("call with a ledger", 1, [&] { return calls(at, ledger_of(new_file())); });
  std::filesystem::remove_all(folder);
  return 0;
}
