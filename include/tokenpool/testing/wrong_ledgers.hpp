#pragma once
// Three ledgers that look right and are not, as they are often written. The ledger suite has to refuse them:
// a suite that passes everything proves nothing.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/ledger_book.hpp"

namespace tokenpool::testing {

/// What the connections of wrong ledgers share.
struct WrongStore {
  std::mutex mutex{};                                        ///< of all below
  LedgerBook book{};                                         ///< what is counted rightly
  std::unordered_map<std::string, std::int64_t> counters{};  ///< what is counted wrongly
};

/// A ledger in memory that its heirs get wrong.
class WrongLedger : public Ledger {
 public:
  /// One connection to `store`, whose time is `clock`'s.
  WrongLedger(std::shared_ptr<WrongStore> store, std::function<SteadyTime()> clock)
      : store_(std::move(store)), clock_(std::move(clock)) {}

  LedgerAnswer ask(const LedgerQuestion& question) override {
    const std::lock_guard lock(store_->mutex);
    return store_->book.ask(question, now());
  }

  std::vector<LedgerCount> read(std::span<const Claim> places) override {
    const std::lock_guard lock(store_->mutex);
    std::vector<LedgerCount> counts;
    for (const Claim& place : places) {
      counts.push_back(store_->book.read(place, now()));
    }
    return counts;
  }

 protected:
  /// Milliseconds of the clock.
  [[nodiscard]] std::int64_t now() const {
    return std::chrono::floor<std::chrono::milliseconds>(clock_().time_since_epoch()).count();
  }
  /// What the connections share.
  [[nodiscard]] WrongStore& store() noexcept { return *store_; }

 private:
  std::shared_ptr<WrongStore> store_;
  std::function<SteadyTime()> clock_;
};

/// Counts in fixed windows, as INCR and EXPIRE do: twice the amount fits around the end of one.
class FixedWindowLedger final : public WrongLedger {
 public:
  using WrongLedger::WrongLedger;

  LedgerAnswer ask(const LedgerQuestion& question) override {
    const std::lock_guard lock(store().mutex);
    LedgerAnswer answer{.epoch = 1};
    for (std::size_t i = 0; i < question.claims.size(); ++i) {
      const Claim& claim = question.claims[i];
      const std::int64_t window = (std::max)(claim.limit.window, std::chrono::milliseconds(1)).count();
      const std::int64_t began = now() / window * window;
      if ((store().counters[ledger_key(claim) + ' ' + std::to_string(began)] += claim.units) >
          claim.limit.amount) {
        answer.granted = false;
        answer.refused_claim = i;
        answer.retry_in = std::chrono::milliseconds(began + window - now());
        break;
      }
    }
    return answer;
  }
};

/// Looks whether there is room and then takes it, in two steps: between them others do the same.
class CheckThenAddLedger final : public WrongLedger {
 public:
  using WrongLedger::WrongLedger;

  LedgerAnswer ask(const LedgerQuestion& question) override {
    LedgerQuestion only_look = question;
    only_look.reservation = 0;
    only_look.claims = {};
    LedgerAnswer answer = WrongLedger::ask(only_look);
    for (std::size_t i = 0; i < question.claims.size() && question.reservation != 0; ++i) {
      const Claim& claim = question.claims[i];
      const LedgerCount count = read({&claim, 1}).front();
      if (count.used + claim.units > claim.limit.amount) {
        answer.refused_claim = i;
        answer.retry_in = (std::max)(count.resets_in, std::chrono::milliseconds(1));
        return answer;
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::vector<LedgerSpent> taken;
    for (const Claim& claim : question.claims) {
      taken.push_back({claim, question.lives_for + claim.limit.window, question.reservation});
    }
    only_look.notes = {};
    only_look.news = {};
    only_look.spent = taken;
    static_cast<void>(WrongLedger::ask(only_look));
    answer.granted = question.reservation != 0;
    return answer;
  }
};

/// Believes the clock of whoever asks. Give each connection a clock that is wrong by its skew.
class ClientsClockLedger final : public WrongLedger {
 public:
  using WrongLedger::WrongLedger;
};

}  // namespace tokenpool::testing
