#pragma once
// Whose limit was it? A 429 seldom says. Three refusals in a row in one place (one egress, one bucket), each
// of a token that was well until then, with no success between, mean a cause that is shared: then the place
// rests and the tokens' own rests are taken back, instead of burning through the pool. The guess is put to
// the test by one real request after the other, each on a token that was not asked since. The first that
// succeeds ends it, and the refusals turn out to be the tokens' own.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "tokenpool/base/random.hpp"
#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/rest.hpp"

namespace tokenpool::detail {

/// A refusal as it was noted: whose rest it was (an account's, or that of a token without one, which is an
/// account of its own), and that rest before and after.
struct Refusal {
  std::uint32_t account = 0;
  std::uint32_t bucket = 0;
  Rest before{};
  Rest own{};
  unsigned times = 1;  ///< so often it was well and then refused here
};

/// The evidence of one place. It decides; the pool moves the rests. Not thread-safe.
class SharedCause {
 public:
  /// So many refusals are enough; it is also all that finding out may cost.
  static constexpr unsigned enough = 3;

  /// The place is suspected and rests.
  [[nodiscard]] bool active() const noexcept { return suspected_; }
  /// Nothing speaks against the place.
  [[nodiscard]] bool idle() const noexcept { return !suspected_ && asked_.empty() && ramp_.over(); }
  [[nodiscard]] const Rest& rest() const noexcept { return rest_; }
  [[nodiscard]] const std::vector<Refusal>& asked() const noexcept { return asked_; }
  [[nodiscard]] bool has_asked(std::uint32_t account) const noexcept { return find(account) != nullptr; }

  /// When a request may go through here, with `usable` tokens in the pool. When all of them were asked that
  /// is not before the first of their own rests would be over.
  [[nodiscard]] SteadyTime opens_at(std::size_t usable) const noexcept {
    if (!suspected_) {
      return ramp_.opens_at();
    }
    if (asked_.size() < usable) {
      return rest_.opens_at();
    }
    SteadyTime first = end_of_time;
    for (const Refusal& refusal : asked_) {
      first = (std::min)(first, refusal.own.until());
    }
    return (std::max)(first, rest_.opens_at());
  }

  /// When the tokens of this account may be asked here.
  [[nodiscard]] SteadyTime opens_at_for(std::uint32_t account) const noexcept {
    const Refusal* asked = suspected_ ? find(account) : nullptr;
    return asked == nullptr ? (SteadyTime::min)() : asked->own.until();
  }

  /// Somebody who was well was refused here. If the place is active() then, take back the own rests of
  /// `asked()` and call lengthen(). Throws std::bad_alloc.
  void refused(const Refusal& refusal, std::uint64_t newest) {
    if (asked_.empty()) {
      began_ = newest;
    }
    if (Refusal* known = find(refusal.account); known == nullptr) {
      asked_.push_back(refusal);
    } else if (!known->own.active()) {
      const unsigned times = known->times + 1;
      *known = refusal;
      known->times = times;
    } else if (known->bucket == refusal.bucket && known->own.until() < refusal.own.until()) {
      known->own = refusal.own;
    }
    if (!suspected_ && evidence() >= enough) {
      suspected_ = true;
      began_ = newest;
    }
  }

  /// The place rests a step longer: 1, 2, 4, 8 s, and not longer than that while one of the `usable` tokens
  /// of the pool is left that was not asked; then up to two minutes. But not beyond `told`, the time at which
  /// the server said to come again (`end_of_time`: it said nothing), or an eighth of the step, whichever is
  /// later: what is told may be wrong each time.
  void lengthen(std::uint64_t ticket, std::uint64_t newest, SteadyTime now, std::size_t usable,
                SteadyTime told, RandomSource& random) noexcept {
    constexpr Duration longest_guess = std::chrono::seconds(8);
    const unsigned strikes = (std::max)(rest_.strikes_after(ticket), 1U);
    const Duration step = rest_step(strikes, random);
    const Duration length = strikes <= usable ? (std::min)(step, longest_guess) : step;
    const SteadyTime until = (std::min)(after(now, length), (std::max)(told, after(now, step / 8)));
    rest_.refused(ticket, newest, now, until, Verdict::rate_limited);
  }

  /// A request was granted while the place was at the end of its rest.
  void granted(std::uint64_t ticket, SteadyTime now) noexcept {
    rest_.granted(ticket, now);
    ramp_.granted(now);
  }
  void inconclusive(std::uint64_t ticket) noexcept { rest_.inconclusive(ticket); }

  /// A request succeeded here: the cause was not shared, or is over. Returns the refusals whose own rests
  /// stand again. Where a test had been refused before, the place was limited for a while and nobody gets a
  /// strike for that. What was sent before the evidence was complete proves nothing.
  [[nodiscard]] std::vector<Refusal> succeeded(std::uint64_t ticket, SteadyTime now) noexcept {
    std::vector<Refusal> again;
    ramp_.succeeded(ticket);
    if (ticket <= began_) {
      return again;
    }
    if (suspected_) {
      again.swap(asked_);
    }
    if (rest_.strikes() > 1) {
      ramp_.begin(ticket, now);
      std::for_each(again.begin(), again.end(),
                    [](Refusal& refusal) { refusal.own.forgive(refusal.before.strikes()); });
    }
    rest_.end();
    asked_.clear();
    suspected_ = false;
    return again;
  }

  /// A request of this account succeeded in another place: it is well. That speaks against this place, but
  /// its own rest has nothing left to stand for.
  void served_elsewhere(std::uint32_t account, std::uint32_t bucket, std::uint64_t ticket) noexcept {
    Refusal* known = find(account);
    if (known != nullptr && (known->bucket == 0 || known->bucket == bucket)) {
      static_cast<void>(known->own.succeeded(ticket));
    }
  }

  /// The account is not what it was (gone, ejected, disabled, enabled), or its refusal is explained
  /// otherwise: it tells nothing any more.
  void forget(std::uint32_t account) noexcept { std::erase_if(asked_, IsOf{account}); }

 private:
  struct IsOf {
    std::uint32_t account;
    bool operator()(const Refusal& refusal) const noexcept { return refusal.account == account; }
  };

  [[nodiscard]] const Refusal* find(std::uint32_t account) const noexcept {
    const auto found = std::find_if(asked_.begin(), asked_.end(), IsOf{account});
    return found == asked_.end() ? nullptr : &*found;
  }
  [[nodiscard]] Refusal* find(std::uint32_t account) noexcept {
    const auto found = std::find_if(asked_.begin(), asked_.end(), IsOf{account});
    return found == asked_.end() ? nullptr : &*found;
  }

  [[nodiscard]] unsigned evidence() const noexcept {
    return std::accumulate(asked_.begin(), asked_.end(), 0U,
                           [](unsigned sum, const Refusal& refusal) { return sum + refusal.times; });
  }

  Rest rest_;
  Ramp ramp_;
  std::vector<Refusal> asked_;
  std::uint64_t began_ = 0;
  bool suspected_ = false;
};

}  // namespace tokenpool::detail
