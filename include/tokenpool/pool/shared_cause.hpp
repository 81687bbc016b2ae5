#pragma once
// Whose limit was it? A 429 seldom says. Several different tokens refused in one place (one egress, one
// bucket) with no success between mean a cause that they share: then the place rests and the tokens' own
// rests are taken back, instead of burning through the pool. The guess ends with one real request on a token
// that was not asked yet.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenpool/base/random.hpp"
#include "tokenpool/pool/candidates.hpp"
#include "tokenpool/quota/rest.hpp"

namespace tokenpool::detail {

/// A token's refusal as it was noted: the token, the bucket, and the rest it would have had by itself.
struct Shelved {
  SlotNumber slot = 0;
  std::uint32_t bucket = 0;
  Rest own;
};

/// The evidence of one place. It decides; the pool moves the rests. Not thread-safe.
class SharedCause {
 public:
  /// So many different tokens in a row are enough; it is also all that finding out may cost.
  static constexpr std::size_t enough = 3;

  enum class Finding : std::uint8_t {
    none,       ///< the refusal stands by itself
    suspected,  ///< from now on the place rests: take back the own rests of `asked()`
    one_more,   ///< the place went on refusing: take back the newest own rest
    confirmed,  ///< every token was asked: the own rests of `asked()` stand again, then call confirmed()
  };

  [[nodiscard]] const Rest& rest() const noexcept { return rest_; }

  /// A token with rest `own` was refused; `usable` tokens are in the pool.
  Finding refused(const Shelved& refusal, std::uint64_t ticket, std::uint64_t newest, std::size_t usable) {
    if (confirmed_) {
      return Finding::none;
    }
    if (asked_.empty()) {
      began_ = newest;
    }
    if (!was_asked(refusal.slot)) {
      asked_.push_back(refusal);
    }
    if (suspected_) {
      return asked_.size() >= usable && ticket > rest_began_ ? Finding::confirmed : Finding::one_more;
    }
    if (asked_.size() < enough) {
      return Finding::none;
    }
    suspected_ = true;
    rest_began_ = newest;
    return asked_.size() >= usable ? Finding::confirmed : Finding::suspected;
  }

  /// The place rests a step longer. Called for each refusal while it is suspected.
  void lengthen(std::uint64_t ticket, std::uint64_t newest, SteadyTime now, RandomSource& random) noexcept {
    const Duration step = rest_step((std::max)(rest_.strikes_after(ticket), 1U), random);
    rest_.refused(ticket, newest, after(now, step), Verdict::rate_limited);
  }

  /// The tokens' own rests stand again; the place rests at least until the first of them is over.
  void confirm(std::uint64_t ticket, std::uint64_t newest) noexcept {
    SteadyTime first = end_of_time;
    for (const Shelved& refusal : asked_) {
      first = (std::min)(first, refusal.own.until());
    }
    rest_.refused(ticket, newest, first, Verdict::rate_limited);
    asked_.clear();
    confirmed_ = true;
  }

  /// A request was granted while the place was at the end of its rest.
  void granted(std::uint64_t ticket) noexcept { rest_.granted(ticket); }
  void inconclusive(std::uint64_t ticket) noexcept { rest_.inconclusive(ticket); }

  /// A request succeeded here. Returns the refusals whose own rests stand again: the cause was not shared, or
  /// is over.
  [[nodiscard]] std::vector<Shelved> succeeded(std::uint64_t ticket) noexcept {
    std::vector<Shelved> again;
    if (ticket <= (suspected_ ? rest_began_ : began_)) {
      return again;
    }
    rest_.succeeded(ticket);
    if (suspected_ && !confirmed_) {
      again.swap(asked_);
    }
    asked_.clear();
    suspected_ = confirmed_ = false;
    return again;
  }

  [[nodiscard]] bool active() const noexcept { return suspected_; }

  /// Whether this token was already asked to find out; another one tells more.
  [[nodiscard]] bool spent(SlotNumber slot) const noexcept {
    return suspected_ && !confirmed_ && was_asked(slot);
  }

  [[nodiscard]] const std::vector<Shelved>& asked() const noexcept { return asked_; }

 private:
  [[nodiscard]] bool was_asked(SlotNumber slot) const noexcept {
    return std::any_of(asked_.begin(), asked_.end(),
                       [slot](const Shelved& entry) { return entry.slot == slot; });
  }

  Rest rest_;
  std::vector<Shelved> asked_;
  std::uint64_t began_ = 0;
  std::uint64_t rest_began_ = 0;
  bool suspected_ = false;
  bool confirmed_ = false;
};

}  // namespace tokenpool::detail
