#pragma once
// What a token or an egress has done so far: counts since it is in the pool, how long its last answers took,
// and what went wrong last. For people and their instruments; no decision is taken by it.

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

/// Not thread-safe. Takes 32 bytes as long as nothing was sent: a pool may hold a million idle tokens.
class TrackRecord {
 public:
  [[nodiscard]] std::uint64_t successes() const noexcept { return successes_; }
  [[nodiscard]] std::uint64_t rate_limited() const noexcept { return rate_limited_; }
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_; }
  /// Null before the first attempt ended.
  [[nodiscard]] const RecentLatencies* latencies() const noexcept {
    return lately_ ? &lately_->latencies : nullptr;
  }
  /// The sum of all latencies that were known.
  [[nodiscard]] Duration latency_total() const noexcept {
    return lately_ ? lately_->total : Duration::zero();
  }
  /// Null if there was none.
  [[nodiscard]] const Mishap* last_mishap() const noexcept {
    return lately_ && lately_->mishap ? &*lately_->mishap : nullptr;
  }

  /// The server accepted a request, and answered after `latency`; zero: not known.
  void accepted(Duration latency) noexcept {
    if (Lately* lately = this->lately(); lately != nullptr && latency != Duration::zero()) {
      lately->latencies.put(successes_, latency);
      lately->total += latency;
    }
    ++successes_;
  }

  /// It did not, or no answer came (`status` 0).
  void refused(const Classification& meaning, int status, SteadyTime now) noexcept {
    const bool by_limit =
        meaning.verdict == Verdict::rate_limited || meaning.verdict == Verdict::quota_exhausted;
    ++(by_limit ? rate_limited_ : failures_);
    if (Lately* lately = this->lately()) {
      try {
        lately->mishap = Mishap{meaning.verdict, status, meaning.reason, now};
      } catch (const std::bad_alloc&) {
        lately->mishap.reset();
      }
    }
  }

 private:
  struct Lately {
    RecentLatencies latencies;
    Duration total{};
    std::optional<Mishap> mishap;
  };

  /// Made at the first use. Null when memory is out: a figure is missing then, and no lease is lost for it.
  Lately* lately() noexcept {
    if (!lately_) {
      lately_.reset(new (std::nothrow) Lately);
    }
    return lately_.get();
  }

  std::uint64_t successes_ = 0;
  std::uint64_t rate_limited_ = 0;
  std::uint64_t failures_ = 0;
  std::unique_ptr<Lately> lately_;
};

}  // namespace tokenpool::detail
