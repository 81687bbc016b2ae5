#pragma once
// Processes that share one store, with the words that the ledger suite is written in.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tokenpool/quota/ledger.hpp"

namespace tokenpool::testing {

/// What the suite needs of the ledger that it checks.
struct LedgerStand {
  /// Another process's way to one and the same store. The process's own clocks are wrong by `skew`; a ledger
  /// that reads none of them takes no notice of it.
  std::function<std::shared_ptr<Ledger>(std::chrono::milliseconds skew)> connect{};

  /// Empties the store while processes are connected; none: what follows from it is not checked.
  std::function<void()> empty{};

  /// The store's clock and how to let time pass, for a store that can be told the time; none: the time of
  /// day, and sleeping.
  std::function<std::chrono::milliseconds()> now{};
  std::function<void(std::chrono::milliseconds)> pass{};  ///< lets that much time pass for the ledger

  /// The window of most limits: long against a question to the store.
  std::chrono::milliseconds window{500};

  /// How much later than it might a store may give room back.
  std::chrono::milliseconds patience{250};
};

namespace detail {

/// One process as a store sees it. Used by one thread at a time.
class LedgerProcess {
 public:
  LedgerProcess(std::shared_ptr<Ledger> ledger, std::function<std::chrono::milliseconds()> now)
      : ledger_(std::move(ledger)), now_(std::move(now)) {}

  /// One try to get a lease.
  struct Try {
    LedgerAnswer answer{};
    std::uint64_t id = 0;
    std::chrono::milliseconds before{};  ///< when it was asked
    std::chrono::milliseconds after{};   ///< when the answer was there
    explicit operator bool() const noexcept { return answer.granted; }
  };

  Try take(const std::vector<Claim>& claims, LedgerQuestion more = {}) {
    Try made;
    made.id = more.reservation = more.reservation != 0 ? more.reservation : new_id();
    more.claims = claims;
    more.lives_for = more.lives_for.count() != 0 ? more.lives_for : std::chrono::minutes(1);
    made.before = now_();
    made.answer = ask(more);
    made.after = now_();
    return made;
  }

  LedgerAnswer end(const LedgerNote& note) { return ask({.notes = {&note, 1}}); }
  LedgerAnswer tell(const LedgerNews& news) { return ask({.news = {&news, 1}}); }
  std::vector<LedgerNews> hear() { return ask({}).news; }
  LedgerAnswer spend(const std::vector<LedgerSpent>& spent) { return ask({.spent = spent}); }

  std::int64_t used(const Claim& place) { return ledger_->read({&place, 1}).at(0).used; }
  LedgerCount read(const Claim& place) { return ledger_->read({&place, 1}).at(0); }

  /// Asks and remembers what has to be handed back with the next question.
  LedgerAnswer ask(LedgerQuestion question) {
    question.heard = heard_;
    question.epoch = epoch_;
    LedgerAnswer answer = ledger_->ask(question);
    heard_ = answer.epoch == epoch_ || epoch_ == 0 ? answer.heard : 0;
    epoch_ = answer.epoch;
    return answer;
  }

  static std::uint64_t new_id() {
    static std::atomic<std::uint64_t> newest{std::uint64_t{std::random_device{}()} << 32U};
    return ++newest;
  }

 private:
  std::shared_ptr<Ledger> ledger_;
  std::function<std::chrono::milliseconds()> now_;
  std::uint64_t heard_ = 0;
  std::uint64_t epoch_ = 0;
};

/// The store with its processes.
class LedgerTrial {
 public:
  explicit LedgerTrial(LedgerStand stand) : stand_(std::move(stand)) {
    if (!stand_.now) {
      stand_.now = [] {
        return std::chrono::floor<std::chrono::milliseconds>(
            std::chrono::steady_clock::now().time_since_epoch());
      };
    }
    if (!stand_.pass) {
      stand_.pass = [](std::chrono::milliseconds length) { std::this_thread::sleep_for(length); };
    }
  }

  [[nodiscard]] const LedgerStand& stand() const noexcept { return stand_; }
  [[nodiscard]] std::chrono::milliseconds now() const { return stand_.now(); }
  void pass(std::chrono::milliseconds length) const { stand_.pass(length); }

  [[nodiscard]] LedgerProcess process(std::chrono::milliseconds skew = {}) const {
    return {stand_.connect(skew), stand_.now};
  }

  /// A claim on a place that no other run of the suite has used.
  [[nodiscard]] Claim claim(const std::string& place, std::int64_t amount, std::int64_t units = 1) const {
    return {
        .place = "token=" + run_ + place, .limit = Limit::per_token(amount, stand_.window), .units = units};
  }
  [[nodiscard]] std::string subject(const std::string& name) const { return "token=" + run_ + name; }

 private:
  LedgerStand stand_;
  std::string run_ = std::to_string(LedgerProcess::new_id()) + '-';
};

}  // namespace detail

}  // namespace tokenpool::testing
