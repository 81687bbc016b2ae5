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
#include "ledger_work.hpp"
#include "sqlite_work.hpp"
#include "tokenpool/tokenpool.hpp"

using namespace benchmarks;
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
    measure("bare transaction of one row", threads, [&] { return bare_sqlite(file, false); });
    for (const std::size_t limits : {1U, 2U, 3U}) {
      const std::string path = new_file();
      measure("lease and note of the last one, " + std::to_string(limits) + " limits, own connections",
              threads, [&] { return leases(ledger_of(path), limits); });
    }
  }
  const auto shared = ledger_of(new_file());
  measure("the same, 2 limits, one connection", 4, [&] { return leases(shared, 2); });
  const std::string file = new_file();
  measure("bare transaction of one row, to the disk", 1, [&] { return bare_sqlite(file, true); });
  measure("lease and note, 2 limits, to the disk", 1, [&] { return leases(ledger_of(new_file(), true), 2); });
  const test::QuotaServer at({"--tokens", "sk-a,sk-b", "--limit", "1000000000"});
  measure("call without a ledger", 1, [&] { return calls(at, nullptr); });
  measure("call with a ledger", 1, [&] { return calls(at, ledger_of(new_file())); });
  std::filesystem::remove_all(folder);
  return 0;
}
