#pragma once
// What a server gives by the piece. A bucket that refills request by request refuses everybody who comes
// twice while it gives once: without its limits every success would cost a refusal. So who was refused learns
// how much is given from one opening to the next, and does not ask for more. A window that opens as a whole
// teaches nothing here: its rest says all.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "tokenpool/base/time.hpp"

namespace tokenpool::detail {

/// A share of a few requests per period, as two openings in a row have shown it. It is believed for half an
/// hour; then all are let through again, since the limit may be another one by now. Not thread-safe.
class Ration {
 public:
  /// More than that from one opening to the next is a window, and worth asking for as it comes.
  static constexpr unsigned few = 4;
  static constexpr Duration belief = std::chrono::minutes(30);  ///< how long what was learned holds

  /// A rest that took `rested` is over: the request `ticket`, granted at `at`, was served.
  void opened(std::uint64_t ticket, SteadyTime at, Duration rested) noexcept {
    note_rest(at, rested);
    if (counting_ && served_ != 0 && at - opened_ < belief) {
      learn(at);
    }
    counting_ = true;
    first_ = ticket;
    opened_ = began_ = at;
    served_ = taken_ = 1;
  }

  /// The request `ticket` was served.
  void succeeded(std::uint64_t ticket) noexcept { served_ += counting_ && ticket > first_ ? 1U : 0U; }

  /// A request was granted while nothing rests.
  void granted(SteadyTime now) noexcept {
    if (share_ != 0 && now >= believed_until_) {
      share_ = served_ = 0;
      opened_ = now;
    }
    if (now >= after(began_, period_)) {
      began_ = now;
      taken_ = 0;
    }
    ++taken_;
  }

  /// When another request may be granted.
  [[nodiscard]] SteadyTime opens_at() const noexcept {
    return share_ != 0 && taken_ >= share_ ? (std::min)(after(began_, period_), believed_until_)
                                           : (SteadyTime::min)();
  }

  /// Nothing is believed and nothing can be learned any more.
  [[nodiscard]] bool is_forgotten(SteadyTime now) const noexcept {
    return share_ == 0 && (!counting_ || after(opened_, belief) <= now);
  }

 private:
  /// The longest of the latest rests tells a window from what is given by the piece.
  void note_rest(SteadyTime at, Duration rested) noexcept {
    if (rested >= longest_rest_ || at >= rest_remembered_until_) {
      longest_rest_ = rested;
      rest_remembered_until_ = after(at, belief);
    }
  }

  /// What was served since the last opening is the share, if it is a few, if the opening before gave about as
  /// much in the same time, and if there was no rest of a window's length.
  void learn(SteadyTime at) noexcept {
    const Duration each = (at - opened_) / served_;
    const unsigned share = share_ == 0 ? served_ : (std::min)(share_, served_);
    const bool as_before = each <= 2 * each_ && each_ <= 2 * each;
    share_ = share <= few && as_before && longest_rest_ <= 4 * (each * share) ? share : 0;
    period_ = each * share;
    believed_until_ = after(at, belief);
    each_ = share <= few ? each : each_;
  }

  Duration period_{};
  Duration each_{};  ///< the time per request from the opening before to the last one
  Duration longest_rest_{};
  SteadyTime rest_remembered_until_{};
  SteadyTime believed_until_{};
  SteadyTime opened_{};      ///< since when served_ counts
  SteadyTime began_{};       ///< the period at hand
  std::uint64_t first_ = 0;  ///< the request that found the last opening
  unsigned served_ = 0;
  unsigned share_ = 0;  ///< 0: nothing is believed
  unsigned taken_ = 0;  ///< in the period at hand
  bool counting_ = false;
};

}  // namespace tokenpool::detail
