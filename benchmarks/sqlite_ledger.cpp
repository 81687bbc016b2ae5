// What a lease from an SQLite file costs beside bare transactions of SQLite, and what it adds to a call.
//   sqlite_ledger_benchmark [SECONDS ROUNDS [FOLDER]]     without a folder: that for temporary files

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bare.hpp"
#include "integration/support/quota_server.hpp"
#include "ledger_work.hpp"
#include "on_threads.hpp"
#include "rounds.hpp"
#include "sqlite_work.hpp"
#include "tokenpool/tokenpool.hpp"

namespace {

using namespace benchmarks;
using namespace tokenpool;
using namespace std::chrono_literals;

std::function<void()> calls(const test::QuotaServer& at, const std::shared_ptr<Ledger>& ledger) {
  ClientOptions options{.base_url = at.base_url(), .tokens = parse_tokens("sk-a,sk-b")};
  options.limits = {Limit::per_token(1'000'000'000, 24h)};
  options.ledger = ledger;
  options.ledger_options.republish_within = 0ms;
  const auto client = std::make_shared<Client<>>(options);
  return [client] { need(client->get("/models").ok(), "a call failed"); };
}

}  // namespace

int main(int count, char** words) {
  const double seconds = count > 1 ? std::stod(words[1]) : 0.5;
  const std::size_t rounds = count > 2 ? std::stoul(words[2]) : 5;
  std::string folder =
      std::string(count > 3 ? words[3] : std::filesystem::temp_directory_path().string()) + "/ledger-XXXXXX";
  need(mkdtemp(folder.data()) != nullptr, "no folder");
  const test::QuotaServer at({"--tokens", "sk-a,sk-b", "--limit", "1000000000"});
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, std::size_t threads, auto steps) {
    const std::string file = folder + "/" + std::to_string(cases.size()) + ".db";
    cases.push_back(on_threads(name, threads, seconds, [=] { return steps(file); }));
  };
  for (const std::size_t threads : {1U, 4U}) {
    add("bare transaction of one row", threads,
        [](const std::string& file) { return bare_sqlite(file, false); });
    for (const std::size_t limits : {1U, 2U, 3U}) {
      add("lease, " + std::to_string(limits) + (limits == 1 ? " limit" : " limits"), threads,
          [limits](const std::string& file) { return leases(ledger_of(file), limits); });
    }
  }
  const auto shared = ledger_of(folder + "/shared.db");
  add("lease, 2 limits, one connection for all", 4,
      [shared](const std::string&) { return leases(shared, 2); });
  add("bare transaction, to the disk (`survive_power_loss`)", 1,
      [](const std::string& file) { return bare_sqlite(file, true); });
  add("lease, 2 limits, to the disk", 1,
      [](const std::string& file) { return leases(ledger_of(file, true), 2); });
  add("call without a ledger", 1, [&at](const std::string&) { return calls(at, nullptr); });
  add("call with a ledger in a file", 1,
      [&at](const std::string& file) { return calls(at, ledger_of(file)); });
  const Rounds measured(std::move(cases), rounds);
  measured.print(0);
  measured.keep("sqlite_ledger");
  std::filesystem::remove_all(folder);
}
