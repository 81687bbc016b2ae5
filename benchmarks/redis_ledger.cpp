// What a lease from a Redis ledger costs beside bare round trips of hiredis, in one run with one server on
// the loopback. Prints a table; `redis_ledger_benchmark [SECONDS]`, default 2 for each row.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ledger_work.hpp"
#include "redis_work.hpp"
#include "support/redis_server.hpp"
#include "tokenpool/ledger/redis.hpp"

using namespace benchmarks;
using namespace tokenpool;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

double seconds = 2;

/// Runs what `make_step` gives each thread until the time is over, and prints how often a second.
double measure(const char* name, int threads, const std::function<std::function<void()>()>& make_step) {
  std::atomic<std::int64_t> steps{0};
  std::vector<std::thread> running;
  const auto begin = Clock::now();
  const auto end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      const std::function<void()> step = make_step();
      for (; Clock::now() < end; ++steps) step();
    });
  }
  for (std::thread& thread : running) thread.join();
  const double rate =
      static_cast<double>(steps) / std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("%-44s %d threads %9.0f /s %8.1f us\n", name, threads, rate, threads * 1e6 / rate);
  return rate;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) seconds = std::atof(argv[1]);
  const test::RedisServer server;
  const RedisOptions options{.port = server.port()};
  for (const int threads : {1, 4}) {
    measure("bare hiredis: PING", threads, [&] { return bare_redis(server.port(), {"PING"}); });
    measure("bare hiredis: EVALSHA of \"return 1\"", threads, [&] {
      return bare_redis(server.port(), {"EVAL", "return 1"});
    });
    for (const std::size_t limits : {1U, 2U, 3U}) {
      const auto ledger = std::make_shared<RedisLedger>(options);
      const std::string name = "lease and note of the last one, " + std::to_string(limits) + " limits";
      measure(name.c_str(), threads, [&] { return leases(ledger, limits); });
    }
  }
  std::mutex mutex;
  const auto ledger = std::make_shared<RedisLedger>(options);
  measure("the same, 2 limits, one connection and a lock", 4, [&] { return leases(ledger, 2, &mutex); });
  measure("lease and refund, 2 limits of 100", 1, [&] { return refunds(ledger); });
  std::puts(server.command({"INFO", "commandstats"}).c_str());
  return 0;
}
