#pragma once

// What a person sees while it runs, and at the end.

#include <chrono>
#include <cstddef>
#include <string>

#include <tokenpool/pool/snapshot.hpp>

namespace rotate {

/// How far a run has come.
struct Progress {
  std::size_t done{};
  std::size_t total{};
  std::size_t retries{};
  std::size_t failed{};
  std::chrono::duration<double> elapsed{};
};

/// One line: bar, rate, successes, retries and a mark for each token.
std::string progress_line(const Progress& progress, const tokenpool::PoolSnapshot& pool);

/// A row per token and per egress.
std::string final_table(const tokenpool::PoolSnapshot& pool);

}  // namespace rotate
