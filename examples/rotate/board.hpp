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

/// "1d 2h", "3m 20s", "4s": the two largest units, rounded up to whole seconds.
std::string words_for(std::chrono::milliseconds length);

/// Two lines of at most `width` columns: bar, rate and counts; then a mark and a count for each token, as
/// many as there is room for ('~' rests, '!' is out).
std::string progress_lines(const Progress& progress, const tokenpool::PoolSnapshot& pool, std::size_t width);

/// A row per token and per egress, then a line for each that is not available; at most 99 columns wide.
std::string final_table(const tokenpool::PoolSnapshot& pool);

}  // namespace rotate
