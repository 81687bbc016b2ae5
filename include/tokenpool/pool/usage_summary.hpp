#pragma once
// The records of one token, or of all that share an account, in the words of a snapshot.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "tokenpool/base/time.hpp"
#include "tokenpool/pool/recent_latencies.hpp"
#include "tokenpool/pool/snapshot.hpp"
#include "tokenpool/pool/track_record.hpp"

namespace tokenpool::detail {

/// Sums up records, which must live until tell().
class UsageSummary {
 public:
  /// `latency` is the moving average that goes with the record.
  void add(const TrackRecord& record, Duration latency) noexcept {
    successes_ += record.successes();
    rate_limited_ += record.rate_limited();
    failures_ += record.failures();
    latency_total_ += record.latency_total();
    if (record.successes() != 0) {
      const auto recent =
          static_cast<double>((std::min)(record.successes(), std::uint64_t{RecentLatencies::capacity}));
      record.add_to(spread_);
      recent_ += recent;
      weighted_ += recent * std::chrono::duration<double, Duration::period>(latency);
    }
    const Mishap* mishap = record.last_mishap();
    if (mishap != nullptr && (last_ == nullptr || mishap->at > last_->at)) {
      last_ = mishap;
    }
  }

  void tell(UsageSnapshot& copy, SteadyTime now) const {
    using std::chrono::duration_cast;
    copy.successes = successes_;
    copy.rate_limited = rate_limited_;
    copy.failures = failures_;
    copy.requests = successes_ + rate_limited_ + failures_;
    copy.latency_total = duration_cast<std::chrono::microseconds>(latency_total_);
    if (recent_ != 0) {
      const Percentiles times = spread_.percentiles();
      copy.latency = duration_cast<std::chrono::microseconds>(weighted_ / recent_);
      copy.p50 = times.p50;
      copy.p95 = times.p95;
      copy.p99 = times.p99;
    }
    if (last_ != nullptr) {
      copy.last_error = LastError{last_->verdict, last_->status, last_->reason,
                                  duration_cast<std::chrono::milliseconds>(now - last_->at)};
    }
  }

 private:
  LatencySpread spread_;
  std::uint64_t successes_ = 0;
  std::uint64_t rate_limited_ = 0;
  std::uint64_t failures_ = 0;
  Duration latency_total_{};
  double recent_ = 0;  ///< answers in `spread_`
  std::chrono::duration<double, Duration::period>
      weighted_{};  ///< each average as often as it has answers there
  const Mishap* last_ = nullptr;
};

}  // namespace tokenpool::detail
