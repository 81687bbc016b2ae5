#pragma once
// Whose limit was it? A 429 seldom says. Several different tokens refused in one place (one egress, one
// bucket) with no success between mean a cause that they share: then the place rests and the tokens' own
// rests are taken back, instead of burning through the pool. The guess ends with one real request, on a token
// that was not asked yet or whose own rest would be over: asking the others again would knock at a closed
// door.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenpool/base/random.hpp"
#include "tokenpool/base/time.hpp"
#include "tokenpool/pool/candidates.hpp"
#include "tokenpool/quota/rest.hpp"

namespace tokenpool::detail {

/// A token's refusal as it was noted: whose rest it was, and that rest before and after.
struct Shelved {
  SlotNumber slot = 0;
  std::uint32_t account = 0;  ///< the named account that rests; 0: the token itself does
  std::uint32_t bucket = 0;
  Rest before{};
  Rest own{};
};

/// The evidence of one place. It decides; the pool moves the rests. Not thread-safe.
class SharedCause {
 public:
  /// So many different tokens in a row are enough; it is also all that finding out may cost.
  static constexpr std::size_t enough = 3;

  /// The place is suspected and rests.
  [[nodiscard]] bool active() const noexcept { return suspected_; }
  [[nodiscard]] const Rest& rest() const noexcept { return rest_; }
  [[nodiscard]] const std::vector<Shelved>& asked() const noexcept { return asked_; }

  /// When a request may go through here, with `usable` tokens in the pool. When all of them were asked that
  /// is not before the first of their own rests would be over.
  [[nodiscard]] SteadyTime opens_at(std::size_t usable) const noexcept {
    if (!suspected_ || asked_.size() < usable) {
      return rest_.opens_at();
    }
    SteadyTime first = end_of_time;
    for (const Shelved& refusal : asked_) {
      first = (std::min)(first, refusal.own.until());
    }
    return (std::max)(first, rest_.opens_at());
  }

  /// When this token may be asked here.
  [[nodiscard]] SteadyTime opens_at_for(SlotNumber slot) const noexcept {
    if (!suspected_) {
      return (SteadyTime::min)();
    }
    const auto asked = std::find_if(asked_.begin(), asked_.end(), is_of(slot));
    return asked == asked_.end() ? (SteadyTime::min)() : asked->own.until();
  }

  /// A token was refused here. If the place is active() then, take back the own rests of `asked()` and call
  /// lengthen(). Throws std::bad_alloc.
  void refused(const Shelved& refusal, std::uint64_t newest) {
    if (asked_.empty()) {
      began_ = newest;
    }
    const auto asked = std::find_if(asked_.begin(), asked_.end(), is_of(refusal.slot));
    if (asked == asked_.end()) {
      asked_.push_back(refusal);
    } else if (asked->own.until() < refusal.own.until()) {
      asked->own = refusal.own;
    }
    if (!suspected_ && asked_.size() >= enough) {
      suspected_ = true;
      began_ = newest;
    }
  }

  /// The place rests a step longer.
  void lengthen(std::uint64_t ticket, std::uint64_t newest, SteadyTime now, RandomSource& random) noexcept {
    const Duration step = rest_step((std::max)(rest_.strikes_after(ticket), 1U), random);
    rest_.refused(ticket, newest, after(now, step), Verdict::rate_limited);
  }

  /// A request was granted while the place was at the end of its rest.
  void granted(std::uint64_t ticket) noexcept { rest_.granted(ticket); }
  void inconclusive(std::uint64_t ticket) noexcept { rest_.inconclusive(ticket); }

  /// A request succeeded here: the cause was not shared, or is over. Returns the refusals whose own rests
  /// stand again. What was sent before the evidence was complete proves nothing.
  [[nodiscard]] std::vector<Shelved> succeeded(std::uint64_t ticket) noexcept {
    std::vector<Shelved> again;
    if (ticket <= began_) {
      return again;
    }
    rest_.succeeded(ticket);
    if (suspected_) {
      again.swap(asked_);
    }
    asked_.clear();
    suspected_ = false;
    return again;
  }

  /// The token is not what it was (gone, ejected, disabled, enabled, or served elsewhere): its refusal tells
  /// nothing any more.
  void forget(SlotNumber slot) noexcept { std::erase_if(asked_, is_of(slot)); }

 private:
  struct IsOf {
    SlotNumber slot;
    bool operator()(const Shelved& entry) const noexcept { return entry.slot == slot; }
  };
  static IsOf is_of(SlotNumber slot) noexcept { return {slot}; }

  Rest rest_;
  std::vector<Shelved> asked_;
  std::uint64_t began_ = 0;
  bool suspected_ = false;
};

}  // namespace tokenpool::detail
