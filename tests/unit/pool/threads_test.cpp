// Many threads at one pool: counts are exact at the end, no wake-up is lost, no limit is passed.
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "rig.hpp"

using namespace test;

namespace {

struct Bell final : Wakeable {
  void wake() noexcept override {
    const std::lock_guard lock(mutex);
    rung = true;
    bell.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex);
    bell.wait(lock, [this] { return rung; });
    rung = false;
  }
  std::mutex mutex;
  std::condition_variable bell;
  bool rung = false;
};

constexpr Now now{SteadyTime{1000s}, WallTime{}};
constexpr std::size_t token_count = 3;
constexpr int threads = 8;
constexpr int rounds = 400;

/// What the server would see.
struct Server {
  std::array<std::atomic<int>, token_count> open{};
  std::atomic<int> most{0};
  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint64_t> given_back{0};
  std::atomic<std::uint64_t> left{0};
};

class Worker {
 public:
  Worker(TokenPool<RoundRobin>& pool, Server& server, std::uint64_t seed)
      : pool_(pool), server_(server), random_(seed) {}

  void work() {
    for (int round = 0; round < rounds; ++round) {
      if (std::optional<Lease> lease = get()) {
        use(*lease);
      }
    }
  }

 private:
  std::optional<Lease> get() {
    const auto bell = std::make_shared<Bell>();
    Waiter waiter;
    waiter.wakeable = bell;
    NotUntil refusal;
    std::optional<Acquired> acquired = pool_.acquire_or_join(waiter, now, refusal);
    if (!acquired && random_.below(4) == 0) {
      acquired = pool_.leave(waiter);
      if (!acquired) {
        ++server_.left;
        return std::nullopt;
      }
    }
    while (!acquired) {
      bell->wait();
      acquired = pool_.collect(waiter);
    }
    return std::get<Lease>(std::move(*acquired));
  }

  void use(Lease& lease) {
    std::atomic<int>& open = server_.open[lease.slot()];
    const int at_once = ++open;
    int most = server_.most;
    while (most < at_once && !server_.most.compare_exchange_weak(most, at_once)) {
    }
    if (random_.below(8) == 0) {
      std::this_thread::yield();
    }
    --open;
    if (random_.below(5) == 0) {
      ++server_.given_back;
      const Lease gone = std::move(lease);
    } else {
      ++server_.answered;
      lease.settle({.answered = true, .answered_at = now.steady}, now);
    }
  }

  TokenPool<RoundRobin>& pool_;
  Server& server_;
  SplitMix64 random_;
};

}  // namespace

TEST_CASE("eight threads that take wait leave and settle lose nothing") {
  TokenPool<RoundRobin> pool({.tokens = tokens(token_count),
                              .limits = {{.amount = 2, .scope = Scope::token, .unit = Unit::in_flight},
                                         Limit::per_token(1'000'000, 24h)}});
  Server server;
  std::vector<std::thread> crew;
  for (std::uint64_t i = 0; i < threads; ++i) {
    crew.emplace_back([&, i] { Worker(pool, server, i).work(); });
  }
  for (std::thread& one : crew) {
    one.join();
  }
  const PoolSnapshot snapshot = pool.snapshot(now);
  std::uint64_t successes = 0;
  std::int64_t used = 0;
  for (const TokenSnapshot& token : snapshot.tokens) {
    CHECK(token.in_flight == 0);
    successes += token.successes;
    used += token.limits[1].used;
  }
  CHECK(server.most <= 2);
  CHECK(successes == server.answered);
  CHECK(used == static_cast<std::int64_t>(server.answered));
  CHECK(server.answered + server.given_back + server.left == std::uint64_t{threads} * rounds);
  CHECK(snapshot.pool.waiting == 0);
  CHECK(snapshot.pool.available == token_count);
}

TEST_CASE("a pool that is changed while threads use it stays whole") {
  TokenPool<RoundRobin> pool({.tokens = tokens(token_count)});
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> served{0};
  std::vector<std::thread> crew;
  for (int i = 0; i < 4; ++i) {
    crew.emplace_back([&] {
      while (!done) {
        Acquired acquired = pool.acquire({}, now);
        if (Lease* lease = std::get_if<Lease>(&acquired)) {
          served += lease->credential().secret.empty() ? 0 : 1;
          lease->settle({.answered = true, .answered_at = now.steady}, now);
        }
      }
    });
  }
  for (int i = 0; i < 300 || served < 100; ++i) {
    pool.disable("t0");
    pool.set_secret("t1", "rotated-" + std::to_string(i));
    pool.add({.secret = "guest", .id = "guest"});
    pool.set_weight("guest", 2);
    pool.enable("t0");
    pool.remove("guest");
    static_cast<void>(pool.snapshot(now));
    if (i % 50 == 0) {
      pool.replace(tokens(token_count));
    }
  }
  done = true;
  for (std::thread& one : crew) {
    one.join();
  }
  std::uint64_t successes = 0;
  for (const TokenSnapshot& token : pool.snapshot(now).tokens) {
    CHECK(token.in_flight == 0);
    successes += token.successes;
  }
  CHECK(pool.snapshot(now).tokens.size() == token_count);
  CHECK(successes <= served);
  CHECK(successes > 0);
}
