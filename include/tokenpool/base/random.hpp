#pragma once
// Randomness as the core sees it: a source that is handed in. Own draws instead of <random>'s distributions,
// whose results differ between standard libraries: one seed gives one run everywhere.

#include <cstdint>

namespace tokenpool {

/// A source of random bits. Not thread-safe: the pool draws under its lock.
class RandomSource {
 public:
  virtual ~RandomSource() = default;

  /// 64 fresh random bits.
  virtual std::uint64_t bits() = 0;

  /// Uniform in [0, bound); 0 for a bound of 0. Lemire's multiply-and-shift: its bias is below bound / 2^32,
  /// which no choice among tokens can show.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((bits() >> 32U) * bound) >> 32U);
  }

  /// Uniform in [0, 1) with 53 random bits.
  double unit() { return static_cast<double>(bits() >> 11U) * 0x1.0p-53; }

 protected:
  RandomSource() = default;
  RandomSource(const RandomSource&) = default;
  RandomSource& operator=(const RandomSource&) = default;
};

/// SplitMix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195): small, fast, good enough for choices;
/// not for secrets.
class SplitMix64 final : public RandomSource {
 public:
  /// The same seed gives the same numbers on every machine.
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() override {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
  }

 private:
  std::uint64_t state_;
};

}  // namespace tokenpool
