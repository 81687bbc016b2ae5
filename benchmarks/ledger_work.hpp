#pragma once
// What the benchmarks of shared counts ask a ledger for: one lease after the other, each bringing the note of
// the one before, as calls do.

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "tokenpool/quota/ledger.hpp"

namespace benchmarks {

/// A step is a lease with one claim for each of `limits`, from 1 to 3, of `amount` in a window of `window`;
/// the one before was `sent`, or is taken back.
inline std::function<void()> leases(const std::shared_ptr<tokenpool::Ledger>& ledger, std::size_t limits,
                                    std::int64_t amount, std::chrono::hours window, bool sent,
                                    std::mutex* one_at_a_time) {
  using namespace tokenpool;
  static std::atomic<std::uint64_t> newest{1};
  const char* const places[] = {"token=3fa0b1c2d3e4f506", "egress=default",
                                "token=3fa0b1c2d3e4f506 bucket=gpt"};
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < limits; ++i) {
    claims.push_back({.place = places[i], .limit = Limit::per_token(amount, window)});
  }
  const std::uint64_t process = static_cast<std::uint64_t>(getpid()) << 32U;
  return [=, before = std::uint64_t{0}]() mutable {
    LedgerQuestion question{
        .reservation = process + newest++, .claims = claims, .lives_for = std::chrono::minutes(10)};
    const LedgerNote note{.reservation = before, .sent = sent};
    if (before != 0) {
      question.notes = {&note, 1};
    }
    std::unique_lock<std::mutex> lock;
    if (one_at_a_time != nullptr) {
      lock = std::unique_lock(*one_at_a_time);
    }
    if (!ledger->ask(question).granted) {
      std::puts("the benchmark ends: a lease was refused");
      std::exit(1);
    }
    before = question.reservation;
  };
}

/// Limits that nobody reaches.
inline std::function<void()> leases(const std::shared_ptr<tokenpool::Ledger>& ledger, std::size_t limits,
                                    std::mutex* one_at_a_time = nullptr) {
  return leases(ledger, limits, 1'000'000'000, std::chrono::hours(24), true, one_at_a_time);
}

/// Two small limits, kept as an exact log; each lease is taken back.
inline std::function<void()> refunds(const std::shared_ptr<tokenpool::Ledger>& ledger) {
  return leases(ledger, 2, 100, std::chrono::hours(1), false, nullptr);
}

}  // namespace benchmarks
