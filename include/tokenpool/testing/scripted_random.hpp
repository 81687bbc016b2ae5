#pragma once
// Chance with a script: a test says what the dice show.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "tokenpool/base/random.hpp"

namespace tokenpool::testing {

/// Gives the bits of its script in order, then again from the beginning; zeros when it is empty. Not
/// thread-safe.
class ScriptedRandom final : public RandomSource {
 public:
  /// Gives out the numbers of `script`, then begins again; without any, zeros.
  explicit ScriptedRandom(std::vector<std::uint64_t> script = {}) : script_(std::move(script)) {}

  /// A script of numbers in [0, 1): unit() gives each as it is, and below(n) gives that share of n, rounded
  /// down.
  static ScriptedRandom of_units(const std::vector<double>& units) {
    std::vector<std::uint64_t> script;
    script.reserve(units.size());
    for (const double unit : units) {
      script.push_back(static_cast<std::uint64_t>(unit * 0x1.0p64));
    }
    return ScriptedRandom(std::move(script));
  }

  std::uint64_t bits() override {
    const std::size_t number = drawn_++;
    return script_.empty() ? 0 : script_[number % script_.size()];
  }

  /// How often it was asked.
  [[nodiscard]] std::size_t drawn() const noexcept { return drawn_; }

 private:
  std::vector<std::uint64_t> script_;
  std::size_t drawn_ = 0;
};

}  // namespace tokenpool::testing
