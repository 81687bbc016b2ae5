// One program, started as often as you like: all of its processes together keep the limits of the service,
// because they count in one file or on one Redis server. Each prints one line at its end.

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tokenpool/ledger/redis.hpp>
#include <tokenpool/ledger/sqlite.hpp>
#include <tokenpool/tokenpool.hpp>
#include <vector>

#include "options.hpp"

namespace {

using namespace std::chrono_literals;
using shared_counts::Options;

/// A file, or a Redis server.
std::shared_ptr<tokenpool::Ledger> ledger_of(const Options& options) {
  const std::string scheme = "redis://";
  if (options.counts.rfind(scheme, 0) != 0) {
    return std::make_shared<tokenpool::SqliteLedger>(tokenpool::SqliteOptions{.path = options.counts});
  }
  const std::string place = options.counts.substr(scheme.size());
  const std::size_t colon = place.find(':');
  tokenpool::RedisOptions redis{.host = place.substr(0, colon)};
  if (colon != std::string::npos) redis.port = std::stoi(place.substr(colon + 1));
  return std::make_shared<tokenpool::RedisLedger>(redis);
}

tokenpool::ClientOptions client_options(const Options& options) {
  tokenpool::ClientOptions made{.base_url = options.url, .tokens = tokenpool::parse_tokens(options.tokens)};
  made.limits = {tokenpool::Limit::per_token(options.limit, options.window)};
  made.timeouts.total = 60s;
  made.ledger = ledger_of(options);
  if (options.alone_of != 0) {
    made.ledger_options.on_unavailable = tokenpool::OnUnavailable::local;
    made.ledger_options.processes = options.alone_of;
  }
  if (options.fresh_wait) made.ledger_options.on_fresh = tokenpool::OnFresh::wait_window;
  return made;
}

/// What all threads of this process met.
struct Tally {
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};  ///< attempts that met 429
  std::atomic<int> without_ledger{0};
  std::atomic<int> failed{0};
};

/// Returns false, at once, if `instant` is unknown or lies behind `end`.
bool sleep_until(std::optional<tokenpool::WallTime> instant, std::chrono::steady_clock::time_point end) {
  if (!instant || *instant - std::chrono::system_clock::now() > end - std::chrono::steady_clock::now()) {
    return false;
  }
  std::this_thread::sleep_until(*instant);
  return true;
}

void send_until(std::chrono::steady_clock::time_point end, tokenpool::Client<>& client, Tally& tally) {
  const tokenpool::Request request{.path = "/models"};
  const auto count_refusals = [&](const std::vector<tokenpool::Attempt>& attempts) {
    for (const tokenpool::Attempt& attempt : attempts) tally.refused += attempt.status == 429 ? 1 : 0;
  };
  while (std::chrono::steady_clock::now() < end) {
    tokenpool::Request next = request;
    next.deadline =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()) + 1ms;
    const auto result = client.try_send(std::move(next));
    if (result) {
      ++tally.answered;
      count_refusals(result->attempts);
      continue;
    }
    count_refusals(result.error().attempts());
    switch (result.error().code()) {
      case tokenpool::ErrorCode::deadline_exceeded: return;
      case tokenpool::ErrorCode::exhausted:
        if (!sleep_until(result.error().retry_at(), end)) return;
        break;
      case tokenpool::ErrorCode::ledger:
        ++tally.without_ledger;
        std::this_thread::sleep_for(50ms);
        break;
      default: ++tally.failed;
    }
  }
}

int run(const Options& options) {
  const auto end = std::chrono::steady_clock::now() + options.length;
  Tally tally;
  tokenpool::Client<> client(client_options(options));
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < options.threads; ++i) {
    threads.emplace_back([&] { send_until(end, client, tally); });
  }
  for (std::thread& thread : threads) thread.join();
  std::cout << "process " << ::getpid() << ": " << tally.answered << " answered, " << tally.refused
            << " met 429, " << tally.without_ledger << " without counts, " << tally.failed << " failed\n";
  return tally.refused == 0 && tally.failed == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  const shared_counts::CommandLine command_line = shared_counts::read_command_line(count, words);
  if (!command_line.options) return command_line.exit_code;
  try {
    return run(*command_line.options);
  } catch (const std::exception& error) {
    std::cerr << "shared_counts: " << error.what() << '\n';
    return 2;
  }
}
