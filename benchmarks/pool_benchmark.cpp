// What a lease costs: grant and settlement for each policy and pool size, beside a bare mutex locked and
// unlocked in the same run. The counter `allocations` is per grant and settlement, after each token has
// served; `bytes_per_token` is what an idle token takes.
//
//   tokenpool_benchmarks --benchmark_filter='mutex|RoundRobin' --benchmark_repetitions=5

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "tokenpool/policy/policies.hpp"
#include "tokenpool/pool/pool.hpp"

namespace {

thread_local std::int64_t allocations = 0;
std::atomic<std::int64_t> bytes{0};

}  // namespace

void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  ++allocations;
  bytes.fetch_add(static_cast<std::int64_t>(malloc_usable_size(memory)), std::memory_order_relaxed);
  return memory;
}
void operator delete(void* memory) noexcept {
  bytes.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(memory)), std::memory_order_relaxed);
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace {

using namespace std::chrono_literals;
using namespace tokenpool;

/// glibc locks without atomics until a second thread was started: a program that shares a pool has one.
[[maybe_unused]] const bool threaded = [] {
  std::thread([] {}).join();
  return true;
}();

void mutex_pair(benchmark::State& state) {
  static std::mutex mutex;
  for (auto _ : state) {
    mutex.lock();
    benchmark::ClobberMemory();
    mutex.unlock();
  }
}
BENCHMARK(mutex_pair)->ThreadRange(1, 8);

/// A secret of 48 bytes, as providers hand out.
std::string secret(std::int64_t number) {
  std::string text = std::to_string(number);
  return "sk-" + std::string(45 - text.size(), 'x') + text;
}

template <class Policy>
void grant_and_settle(TokenPool<Policy>& pool, const Outcome& outcome, Now now) {
  Acquired acquired = pool.acquire({}, now);
  std::get<Lease>(acquired).settle(outcome, now);
}

/// The one pool that is alive: a million tokens take seconds to make and much memory.
std::shared_ptr<void> kept;

/// The pool that the threads of one benchmark share. Made before they start, kept for all runs of its size.
template <class Policy>
struct Shared {
  static inline TokenPool<Policy>* pool = nullptr;
  static inline std::int64_t size = 0;
  static inline double bytes_per_token = 0;

  static void make(const benchmark::State& state) {
    if (size == state.range(0) && kept.get() == pool) {
      return;
    }
    kept.reset();
    size = state.range(0);
    PoolOptions options;
    options.tokens.resize(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) {
      options.tokens[static_cast<std::size_t>(i)].secret = std::string_view(secret(i));
    }
    const std::int64_t before = bytes;
    auto made = std::make_shared<TokenPool<Policy>>(options);
    bytes_per_token = static_cast<double>(bytes - before) / static_cast<double>(size);
    pool = made.get();
    kept = std::move(made);
    for (std::int64_t i = 0; i < 8 * size; ++i) {
      grant_and_settle(*pool, {}, {});
    }
  }
};

template <class Policy>
void lease(benchmark::State& state) {
  TokenPool<Policy>& pool = *Shared<Policy>::pool;
  Outcome outcome;
  outcome.answered = true;
  outcome.latency = 100ms;
  const Now now{SteadyTime{1h}, {}};
  outcome.answered_at = now.steady;
  grant_and_settle(pool, outcome, now);
  const std::int64_t before = allocations;
  for (auto _ : state) {
    grant_and_settle(pool, outcome, now);
  }
  state.counters["allocations"] =
      benchmark::Counter(static_cast<double>(allocations - before), benchmark::Counter::kAvgIterations);
  state.counters["bytes_per_token"] =
      benchmark::Counter(Shared<Policy>::bytes_per_token, benchmark::Counter::kAvgThreads);
}

template <class Policy>
void sizes(benchmark::internal::Benchmark* one) {
  one->Setup(Shared<Policy>::make)->ThreadRange(1, 8);
  for (const std::int64_t size : {4, 64, 1000, 100'000, 1'000'000}) {
    one->Arg(size);
  }
}

BENCHMARK_TEMPLATE(lease, Random)->Apply(sizes<Random>);
BENCHMARK_TEMPLATE(lease, RoundRobin)->Apply(sizes<RoundRobin>);
BENCHMARK_TEMPLATE(lease, LeastUsed)->Apply(sizes<LeastUsed>);
BENCHMARK_TEMPLATE(lease, WeightedRandom)->Apply(sizes<WeightedRandom>);
BENCHMARK_TEMPLATE(lease, WeightedRoundRobin)->Apply(sizes<WeightedRoundRobin>);
BENCHMARK_TEMPLATE(lease, LeastInFlight)->Apply(sizes<LeastInFlight>);
BENCHMARK_TEMPLATE(lease, PowerOfTwoChoices)->Apply(sizes<PowerOfTwoChoices>);
BENCHMARK_TEMPLATE(lease, LowestLatency)->Apply(sizes<LowestLatency>);
BENCHMARK_TEMPLATE(lease, MostHeadroom)->Apply(sizes<MostHeadroom>);
BENCHMARK_TEMPLATE(lease, Failover)->Apply(sizes<Failover>);
BENCHMARK_TEMPLATE(lease, Sticky)->Apply(sizes<Sticky>);
BENCHMARK_TEMPLATE(lease, AnyPolicy)->Apply(sizes<AnyPolicy>);

/// What a pick costs Sticky where there is an affinity: it looks at every token.
void lease_with_affinity(benchmark::State& state) {
  TokenPool<Sticky>& pool = *Shared<Sticky>::pool;
  std::int64_t talk = 0;
  for (auto _ : state) {
    const std::string affinity = "talk-" + std::to_string(++talk % 1000);
    Acquired acquired = pool.acquire({.affinity = affinity}, {});
    std::get<Lease>(acquired).settle({}, {});
  }
}
BENCHMARK(lease_with_affinity)->Setup(Shared<Sticky>::make)->Arg(4)->Arg(64)->Arg(1000)->Arg(100'000);

}  // namespace
