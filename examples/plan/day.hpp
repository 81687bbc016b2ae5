#pragma once
// One simulated stretch of time with one policy, and what came of it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "options.hpp"

namespace plan {

/// What happened in one part of the time.
struct Slice {
  std::uint64_t answers = 0;
  std::uint64_t refusals = 0;  ///< 429
  double waited = 0;           ///< seconds, of all answered calls together
};

struct Day {
  std::string policy{};
  std::uint64_t calls = 0;
  std::uint64_t answers = 0;
  std::uint64_t refusals = 0;
  std::vector<double> waits{};  ///< seconds, of the answered calls, sorted
  std::vector<Slice> slices{};  ///< parts of equal length

  /// The share of calls that were answered; 1 when there were none.
  [[nodiscard]] double share() const {
    return calls == 0 ? 1 : static_cast<double>(answers) / static_cast<double>(calls);
  }
  /// The wait that this share of the answered calls did not exceed, in seconds.
  [[nodiscard]] double wait_of(double share) const;
};

/// Simulates `options` with `tokens` tokens and one of the policies.
Day simulate(const Options& options, const std::string& policy, std::size_t tokens);

/// The least number of tokens with which `wanted` of the calls are answered; 0 when even a thousand are too
/// few.
std::size_t tokens_needed(const Options& options, const std::string& policy, double wanted);

}  // namespace plan
