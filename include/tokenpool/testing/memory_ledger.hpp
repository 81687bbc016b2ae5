#pragma once
// A shared ledger in memory: what ledgers are measured against, and all that a test of two clients needs.

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/ledger_book.hpp"

namespace tokenpool::testing {

/// A ledger for clients of one program. Thread-safe.
class MemoryLedger : public Ledger {
 public:
  /// `clock` is the store's, such as `[clock] { return clock.now().steady; }` of a ManualClock.
  explicit MemoryLedger(std::function<SteadyTime()> clock) : clock_(std::move(clock)), book_(epoch_, now()) {}

  LedgerAnswer ask(const LedgerQuestion& question) override {
    const std::lock_guard lock(mutex_);
    return book_.ask(question, now());
  }

  std::vector<LedgerCount> read(std::span<const Claim> places) override {
    const std::lock_guard lock(mutex_);
    std::vector<LedgerCount> counts;
    for (const Claim& place : places) {
      counts.push_back(book_.read(place, now()));
    }
    return counts;
  }

  /// Forgets everything, as a store does that was flushed.
  void empty() {
    const std::lock_guard lock(mutex_);
    book_ = LedgerBook(++epoch_, now());
  }

 private:
  [[nodiscard]] std::int64_t now() const {
    return std::chrono::floor<std::chrono::milliseconds>(clock_().time_since_epoch()).count();
  }

  std::function<SteadyTime()> clock_;
  std::mutex mutex_;
  std::uint64_t epoch_ = 1;
  LedgerBook book_;
};

}  // namespace tokenpool::testing
