#pragma once
// How long the last answers took, in a byte each. A mean hides the slow ones and a sorted list costs time and
// memory that a lease does not have: here an answer costs one store, and what a person asks for (half of them
// came within so long, 95 %, 99 %) is counted when it is asked.

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tokenpool/base/time.hpp"

namespace tokenpool::detail {

/// A length of time in a byte: exact below 8 microseconds, then eight steps for each doubling, so that
/// latency_of() gives it back within 1/16 of it. Up to 4.6 hours, then the same as these. Never 0.
constexpr std::uint8_t latency_code(Duration latency) noexcept {
  constexpr std::uint64_t steps = 8;
  constexpr std::uint64_t last = 254;
  const auto length = std::chrono::duration_cast<std::chrono::microseconds>(latency).count();
  const auto value = static_cast<std::uint64_t>((std::max)(length, decltype(length){0}));
  const auto width = static_cast<unsigned>(std::bit_width(value));
  const std::uint64_t step =
      value < steps ? value : steps * (width - 3) + ((value >> (width - 4)) & (steps - 1));
  return static_cast<std::uint8_t>((std::min)(step, last) + 1);
}

/// The middle of what `code`, above 0, stands for.
constexpr std::chrono::microseconds latency_of(std::uint8_t code) noexcept {
  constexpr unsigned steps = 8;
  const unsigned step = code - 1U;
  if (step < steps) {
    return std::chrono::microseconds(step);
  }
  const unsigned doublings = step / steps - 1;
  const std::uint64_t least = std::uint64_t{steps + step % steps} << doublings;
  return std::chrono::microseconds(least + ((std::uint64_t{1} << doublings) - 1) / 2);
}

/// The last `capacity` answers; older ones are forgotten one by one, however long ago they came.
class RecentLatencies {
 public:
  static constexpr std::size_t capacity = 256;

  /// Answer `number`, counted from 0. The count is kept by who has one anyway.
  void put(std::uint64_t number, std::uint8_t code) noexcept { codes_[number % capacity] = code; }

  /// 0 where no answer was put.
  [[nodiscard]] const std::array<std::uint8_t, capacity>& codes() const noexcept { return codes_; }

 private:
  std::array<std::uint8_t, capacity> codes_{};
};

/// What 50, 95 and 99 in 100 answers took at most; zero without an answer.
struct Percentiles {
  std::chrono::microseconds p50{};
  std::chrono::microseconds p95{};
  std::chrono::microseconds p99{};
};

/// Counts recent answers, those of several tokens together where they share something.
class LatencySpread {
 public:
  void add(std::uint8_t code) noexcept { ++counts_[code]; }
  void add(const RecentLatencies& recent) noexcept {
    for (const std::uint8_t code : recent.codes()) {
      add(code);
    }
  }

  /// By the nearest rank: of n answers in the order of their length, number ceil(n * p / 100).
  [[nodiscard]] Percentiles percentiles() const noexcept {
    std::uint64_t answers = 0;
    for (std::size_t code = 1; code < counts_.size(); ++code) {
      answers += counts_[code];
    }
    return {at_rank((answers * 50 + 99) / 100), at_rank((answers * 95 + 99) / 100),
            at_rank((answers * 99 + 99) / 100)};
  }

 private:
  [[nodiscard]] std::chrono::microseconds at_rank(std::uint64_t rank) const noexcept {
    std::size_t code = 0;
    for (std::uint64_t passed = 0; passed < rank; passed += counts_[code]) {
      ++code;
    }
    return code == 0 ? std::chrono::microseconds{} : latency_of(static_cast<std::uint8_t>(code));
  }

  std::array<std::uint32_t, 256> counts_{};  ///< by code
};

}  // namespace tokenpool::detail
