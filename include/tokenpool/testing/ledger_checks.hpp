#pragma once
// How the ledger suite judges: what was promised and not kept, a sentence each. No check depends on how fast
// the machine is: what must not be granted yet is judged by when the answer was there, what must be granted
// by when it was asked.

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/testing/ledger_trial.hpp"

namespace tokenpool::testing::detail {

/// A store under test and what was found.
class LedgerChecks {
 protected:
  using Process = LedgerProcess;
  using Try = LedgerProcess::Try;
  using Milliseconds = std::chrono::milliseconds;

  explicit LedgerChecks(LedgerStand stand) : trial_(std::move(stand)), window_(trial_.stand().window) {}
  ~LedgerChecks() = default;

  /// Runs one scenario; `when` says what it is about.
  template <class Suite>
  void check(const char* when, void (Suite::*scenario)()) {
    when_ = when;
    try {
      (static_cast<Suite*>(this)->*scenario)();
    } catch (const std::exception& error) {
      violations_.push_back(std::string(when_) + ": " + error.what());
    }
  }

  void expect(bool kept, const std::string& otherwise) {
    if (!kept) {
      violations_.push_back(std::string(when_) + ": " + otherwise);
    }
  }

  /// No room before `until`: a lease that was there earlier is one too many. Lets that time pass.
  void expect_no_room_until(Process& process, const std::vector<Claim>& claims, Milliseconds until) {
    while (trial_.now() < until) {
      const Try made = process.take(claims);
      if (made && made.after < until) {
        return expect(false, "a lease was granted " + std::to_string((until - made.after).count()) +
                                 " ms before there was room");
      }
      if (made) {
        process.end({.reservation = made.id, .sent = false});
        return;
      }
      expect(made.answer.retry_in.count() > 0, "a refusal says to try again at once");
      trial_.pass(window_ / 10);
    }
  }

  /// Room from `from` on: whoever asks a little later is not refused.
  Try expect_room_from(Process& process, const std::vector<Claim>& claims, Milliseconds from) {
    for (;;) {
      Try made = process.take(claims);
      if (made || made.before > from + trial_.stand().patience) {
        expect(made.answer.granted, "no lease was granted although there has long been room");
        return made;
      }
      trial_.pass((std::max)((std::min)(made.answer.retry_in, window_ / 20), Milliseconds(1)));
    }
  }

  LedgerTrial trial_;
  Milliseconds window_;
  std::vector<std::string> violations_;

 private:
  const char* when_ = "";
};

}  // namespace tokenpool::testing::detail
