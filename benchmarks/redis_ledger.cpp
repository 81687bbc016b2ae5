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

#include "support/redis_server.hpp"
#include "tokenpool/ledger/redis.hpp"

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

std::function<void()> bare(int port, std::vector<std::string> words) {
  const std::shared_ptr<redisContext> connection(redisConnect("127.0.0.1", port), redisFree);
  if (words[0] == "EVAL") {  // loaded once, then called by its hash
    auto* loaded =
        static_cast<redisReply*>(redisCommand(connection.get(), "SCRIPT LOAD %s", words[1].c_str()));
    words = {"EVALSHA", loaded->str, "0"};
    freeReplyObject(loaded);
  }
  return [connection, words] {
    std::vector<const char*> texts;
    for (const std::string& word : words) texts.push_back(word.c_str());
    freeReplyObject(
        redisCommandArgv(connection.get(), static_cast<int>(texts.size()), texts.data(), nullptr));
  };
}

/// One lease after the other, each bringing the note of the one before.
std::function<void()> leases(std::shared_ptr<Ledger> ledger, std::int64_t amount, std::size_t limits,
                             std::mutex* one_at_a_time = nullptr) {
  static std::atomic<std::uint64_t> newest{1};
  const auto claims = std::make_shared<std::vector<Claim>>();
  const char* const places[] = {"token=3fa0b1c2d3e4f506", "egress=default",
                                "token=3fa0b1c2d3e4f506 bucket=gpt"};
  for (std::size_t i = 0; i < limits; ++i)
    claims->push_back({places[i], Limit::per_token(amount, amount > 256 ? 24h : 1h)});
  return [=, before = std::uint64_t{0}]() mutable {
    LedgerQuestion question{.reservation = newest++, .claims = *claims, .lives_for = 10min};
    const LedgerNote note{.reservation = before, .sent = amount > 256};
    if (before != 0) question.notes = {&note, 1};
    std::unique_lock<std::mutex> lock;
    if (one_at_a_time != nullptr) lock = std::unique_lock(*one_at_a_time);
    const LedgerAnswer answer = ledger->ask(question);
    if (!answer.granted) {
      std::printf("refused: claim %zu, %lld ms\n", answer.refused_claim,
                  static_cast<long long>(answer.retry_in.count()));
      std::exit(1);
    }
    before = question.reservation;
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) seconds = std::atof(argv[1]);
  const test::RedisServer server;
  const RedisOptions options{.port = server.port()};
  constexpr std::int64_t many = 1'000'000'000;
  for (const int threads : {1, 4}) {
    measure("bare hiredis: PING", threads, [&] { return bare(server.port(), {"PING"}); });
    measure("bare hiredis: EVALSHA of \"return 1\"", threads, [&] {
      return bare(server.port(), {"EVAL", "return 1"});
    });
    for (const std::size_t limits : {1U, 2U, 3U}) {
      const auto ledger = std::make_shared<RedisLedger>(options);
      const std::string name = "lease and note of the last one, " + std::to_string(limits) + " limits";
      measure(name.c_str(), threads, [&] { return leases(ledger, many, limits); });
    }
  }
  std::mutex mutex;
  const auto ledger = std::make_shared<RedisLedger>(options);
  measure("the same, 2 limits, one connection and a lock", 4,
          [&] { return leases(ledger, many, 2, &mutex); });
  measure("lease and refund, 2 limits of 100", 1, [&] { return leases(ledger, 100, 2); });
  std::puts(server.command({"INFO", "commandstats"}).c_str());
  return 0;
}
