#pragma once
// The same step on several threads at a time, as a case of a benchmark.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "rounds.hpp"

namespace benchmarks {

/// What makes a step for one thread.
using MakeStep = std::function<std::function<void()>()>;

/// Steps a second of `threads` together, which take `seconds`. Steps are made before the time begins.
inline double rate_on_threads(std::size_t threads, double seconds, const MakeStep& make_step) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::function<void()>> work(threads);
  for (auto& step : work) step = make_step();
  std::atomic<std::uint64_t> steps{0};
  std::vector<std::thread> running;
  const auto began = Clock::now();
  const auto end =
      began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (const auto& step : work) {
    running.emplace_back([&steps, &step, end] {
      for (; Clock::now() < end; ++steps) step();
    });
  }
  for (std::thread& thread : running) thread.join();
  return static_cast<double>(steps) / std::chrono::duration<double>(Clock::now() - began).count();
}

/// A case that is called "NAME, N threads".
inline Case on_threads(const std::string& name, std::size_t threads, double seconds, MakeStep make_step) {
  return {name + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads"),
          [=, make = std::move(make_step)] { return rate_on_threads(threads, seconds, make); }};
}

}  // namespace benchmarks
