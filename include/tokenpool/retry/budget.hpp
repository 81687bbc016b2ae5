#pragma once
// Retries help when one request fails and harm when all do. The budget of a client, shared by all its calls,
// makes sure that retries never become the load: in an outage of everything N calls cost at most
// N * (1 + ratio) + reserve requests.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>

namespace tokenpool {

/// How many repetitions all calls of a client may make together.
struct BudgetOptions {
  double ratio = 0.2;   ///< repetitions a call pays for; 0 to 1000
  double reserve = 10;  ///< repetitions that a client may make before its calls have paid for any, and the
                        ///< most that it saves up (that at least 10); 0 to 1e9
};

/// A bucket of repetitions: each call puts `ratio` in, each repetition takes 1 out (as Finagle's and tower's
/// retry budgets). Thread-safe, lock-free.
class RetryBudget {
 public:
  /// Begins with `options.reserve` repetitions.
  explicit RetryBudget(const BudgetOptions& options)
      : deposit_(in_thousandths(options.ratio)),
        most_(in_thousandths((std::max)(options.reserve, 10.0))),
        balance_(in_thousandths(options.reserve)) {}

  /// A call begins.
  void deposit() noexcept {
    std::int64_t balance = balance_.load(std::memory_order_relaxed);
    while (balance < most_ && !balance_.compare_exchange_weak(balance, (std::min)(most_, balance + deposit_),
                                                              std::memory_order_relaxed)) {
    }
  }

  /// Takes one repetition out; false when there is none left.
  bool withdraw() noexcept {
    std::int64_t balance = balance_.load(std::memory_order_relaxed);
    while (balance >= 1000) {
      if (balance_.compare_exchange_weak(balance, balance - 1000, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

 private:
  static std::int64_t in_thousandths(double value) noexcept { return std::llround(value * 1000); }

  std::int64_t deposit_;
  std::int64_t most_;
  std::atomic<std::int64_t> balance_;
};

}  // namespace tokenpool
