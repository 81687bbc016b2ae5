// What a lease from a Redis ledger costs beside bare round trips of hiredis, with one server on the loopback.
//   redis_ledger_benchmark [SECONDS ROUNDS]

#include <cstddef>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ledger_work.hpp"
#include "on_threads.hpp"
#include "redis_work.hpp"
#include "rounds.hpp"
#include "support/redis_server.hpp"
#include "tokenpool/ledger/redis.hpp"

int main(int count, char** words) {
  using namespace benchmarks;
  const double seconds = count > 1 ? std::stod(words[1]) : 0.5;
  const std::size_t rounds = count > 2 ? std::stoul(words[2]) : 5;
  const test::RedisServer server;
  const auto ledger =
      std::make_shared<tokenpool::RedisLedger>(tokenpool::RedisOptions{.port = server.port()});
  std::mutex mutex;
  std::vector<Case> cases;
  for (const std::size_t threads : {1U, 4U}) {
    const auto add = [&](const std::string& name, MakeStep make_step) {
      cases.push_back(on_threads(name, threads, seconds, std::move(make_step)));
    };
    add("bare hiredis: `PING`", [&] { return bare_redis(server.port(), {"PING"}); });
    add("bare hiredis: a script that returns 1", [&] {
      return bare_redis(server.port(), {"EVAL", "return 1"});
    });
    for (const std::size_t limits : {1U, 2U, 3U}) {
      add("lease, " + std::to_string(limits) + (limits == 1 ? " limit" : " limits"),
          [&ledger, limits] { return leases(ledger, limits); });
    }
    add("lease, 2 limits of 100, taken back", [&] { return refunds(ledger); });
    if (threads > 1) {
      add("lease, 2 limits, one connection and a lock", [&] { return leases(ledger, 2, &mutex); });
    }
  }
  const Rounds measured(std::move(cases), rounds);
  measured.print(0);
  measured.keep("redis_ledger");
  std::puts(server.command({"INFO", "commandstats"}).c_str());
}
