#pragma once
// The simulator's own randomness, so that one seed gives one trace whatever the library under test draws.

#include <cstddef>
#include <cstdint>
#include <span>

#include "time.hpp"

namespace simulator {

/// xorshift64* (Vigna 2016, doi:10.1145/2845077): small, and the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_((seed + 1) * 0x2545f4914f6cdd1dU | 1U) {
    for (int i = 0; i < 8; ++i) {
      bits();  // small seeds differ in few bits: let them spread
    }
  }

  /// Dice that show what a script says, two bytes a throw, and go on by themselves when it is over: whoever
  /// writes the script, such as a fuzzer, decides what happens. The bytes outlive the dice.
  explicit Dice(std::span<const std::uint8_t> script) : Dice(script.size()) { script_ = script; }

  std::uint64_t bits() {
    if (script_.size() >= 2) {
      const std::uint64_t thrown = script_[0] * 256U + script_[1];
      script_ = script_.subspan(2);
      return thrown << 48U;
    }
    state_ ^= state_ >> 12U;
    state_ ^= state_ << 25U;
    state_ ^= state_ >> 27U;
    return state_ * 0x2545f4914f6cdd1dU;
  }

  /// Uniform in [0, 1).
  double unit() { return static_cast<double>(bits() >> 11U) * 0x1.0p-53; }

  /// Uniform in [least, most].
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(unit() * static_cast<double>(most - least + 1));
  }
  Length between(Length least, Length most) { return Length(between(least.count(), most.count())); }
  std::size_t index(std::size_t size) {
    return static_cast<std::size_t>(between(0, static_cast<std::int64_t>(size) - 1));
  }

  bool chance(double share) { return unit() < share; }

  /// Other dice, for a part that must not disturb this one's sequence.
  Dice fork() { return Dice(bits()); }

 private:
  std::uint64_t state_;
  std::span<const std::uint8_t> script_{};
};

}  // namespace simulator
