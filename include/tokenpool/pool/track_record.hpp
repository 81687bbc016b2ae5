#pragma once
// What a token or an egress has done so far: counts since it is in the pool, how long its last answers took,
// and what went wrong last. For people and their instruments; no decision is taken by it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "tokenpool/base/time.hpp"
#include "tokenpool/pool/recent_latencies.hpp"
#include "tokenpool/quota/verdict.hpp"

namespace tokenpool::detail {

/// Why an attempt was none that the server accepted.
struct Mishap {
  Verdict verdict{};
  int status = 0;      ///< 0: no answer came
  std::string reason;  ///< a few words, no secret
  SteadyTime at{};
};

/// `average` after one more answer: an eighth of the way towards it.
constexpr Duration moved_average(Duration average, Duration latency) noexcept {
  constexpr int smoothing = 8;
  return average == Duration::zero() ? latency : average + (latency - average) / smoothing;
}

/// Not thread-safe. Takes 32 bytes as long as little was sent: a pool may hold a million idle tokens. What is
/// needed seldom lies behind a pointer, and the times of answers go there eight at once: in a large pool each
/// step behind it is one out of every cache.
class TrackRecord {
 public:
  [[nodiscard]] std::uint64_t successes() const noexcept { return successes_; }
  [[nodiscard]] std::uint64_t rate_limited() const noexcept { return lately_ ? lately_->rate_limited : 0; }
  [[nodiscard]] std::uint64_t failures() const noexcept { return lately_ ? lately_->failures : 0; }
  /// The sum of all latencies that were known.
  [[nodiscard]] Duration latency_total() const noexcept { return latency_total_; }
  /// Null if there was none.
  [[nodiscard]] const Mishap* last_mishap() const noexcept {
    return lately_ && lately_->mishap ? &*lately_->mishap : nullptr;
  }

  /// Adds the times of the last answers, up to seven more than RecentLatencies holds.
  void add_to(LatencySpread& spread) const noexcept {
    if (lately_) {
      spread.add(lately_->latencies);
    }
    for (std::size_t i = 0; i < successes_ % newest_.size(); ++i) {
      spread.add(newest_[i]);
    }
  }

  /// The server accepted a request, and answered after `latency`; zero: not known.
  void accepted(Duration latency) noexcept {
    newest_[successes_ % newest_.size()] =
        latency == Duration::zero() ? std::uint8_t{0} : latency_code(latency);
    ++successes_;
    latency_total_ += latency;
    if (successes_ % newest_.size() == 0) {
      keep_newest();
    }
  }

  /// It did not, or no answer came (`status` 0).
  void refused(const Classification& meaning, int status, SteadyTime now) noexcept {
    Lately* lately = this->lately();
    if (lately == nullptr) {
      return;
    }
    const bool by_limit =
        meaning.verdict == Verdict::rate_limited || meaning.verdict == Verdict::quota_exhausted;
    ++(by_limit ? lately->rate_limited : lately->failures);
    try {
      lately->mishap = Mishap{meaning.verdict, status, meaning.reason, now};
    } catch (const std::bad_alloc&) {
      lately->mishap.reset();
    }
  }

 private:
  struct Lately {
    RecentLatencies latencies;
    std::uint64_t rate_limited = 0;
    std::uint64_t failures = 0;
    std::optional<Mishap> mishap;
  };

  void keep_newest() noexcept {
    if (Lately* lately = this->lately()) {
      for (std::size_t i = 0; i < newest_.size(); ++i) {
        lately->latencies.put(successes_ - newest_.size() + i, newest_[i]);
      }
    }
  }

  /// Made at the first use. Null when memory is out: a figure is missing then, and no lease is lost for it.
  Lately* lately() noexcept {
    if (!lately_) {
      lately_.reset(new (std::nothrow) Lately);
    }
    return lately_.get();
  }

  std::uint64_t successes_ = 0;
  Duration latency_total_{};
  std::array<std::uint8_t, 8> newest_{};  ///< latency_code of the answers since the last multiple of eight
  std::unique_ptr<Lately> lately_;
};

}  // namespace tokenpool::detail
