#pragma once
// A time in which something (a token, one bucket of it, an account, an egress) is not used, and how it comes
// back: when the time is over one real request goes through, others follow step by step when it succeeds.
// Nothing is ever sent for what rests: servers exist that lengthen the block at each knock.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "tokenpool/base/random.hpp"
#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/ramp.hpp"
#include "tokenpool/quota/ration.hpp"
#include "tokenpool/quota/verdict.hpp"

namespace tokenpool {

/// How long to rest without the server's word: 1, 2, 4 ... 120 s by strikes (1 is the first), up to a tenth
/// more so that several processes do not come back in step.
inline Duration rest_step(unsigned strikes, RandomSource& random) {
  constexpr Duration longest = std::chrono::seconds(120);
  const Duration step = std::chrono::seconds(1) * (1U << (std::min)(strikes - 1, 7U));
  const auto extra = static_cast<Duration::rep>(random.unit() * 0.1 * static_cast<double>(step.count()));
  return (std::min)(step + Duration(extra), longest);
}

/// How long after a refusal: the server's word if there is one, else the step. A word under a second that
/// turns out wrong is not believed twice in a row, or a server that says 0 would be asked without end.
inline Duration rest_length(unsigned strikes, std::optional<std::chrono::milliseconds> word,
                            Duration max_rest, RandomSource& random) {
  const Duration step = rest_step(strikes, random);
  Duration length = word ? (std::max)(saturated(*word), Duration::zero()) : step;
  if (word && strikes > 1 && length < std::chrono::seconds(1)) {
    length = step;
  }
  return (std::min)(length, max_rest);
}

/// One rest and its half-open end; and between rests, what they have taught of how much is given at a time.
/// Requests are known by their ticket, a number that grows with each grant: what was sent before the rest
/// began proves nothing about it. Not thread-safe.
class Rest {
 public:
  /// Resting, or waiting for the one request that shows whether the rest was long enough.
  [[nodiscard]] bool active() const noexcept { return active_; }

  /// It does not rest, and nothing of earlier rests is remembered.
  [[nodiscard]] bool idle() const noexcept { return idle_; }

  /// Whether a request may be sent.
  [[nodiscard]] bool admits(SteadyTime now) const noexcept { return opens_at() <= now; }

  /// The time is over and the one request is under way.
  [[nodiscard]] bool probing() const noexcept { return active_ && probe_ != 0; }

  /// When a request may go through; `end_of_time` while that depends on the answer to the one under way.
  [[nodiscard]] SteadyTime opens_at() const noexcept {
    if (active_) {
      return probe_ != 0 ? end_of_time : until_;
    }
    return idle_ ? (SteadyTime::min)() : (std::max)(ration_.opens_at(), ramp_.opens_at());
  }

  /// When the rest ends.
  [[nodiscard]] SteadyTime until() const noexcept { return until_; }
  /// How many refusals in a row.
  [[nodiscard]] unsigned strikes() const noexcept { return strikes_; }
  /// What began it.
  [[nodiscard]] Verdict cause() const noexcept { return cause_; }

  /// A request granted now is the probe of a rest that is over.
  void granted(std::uint64_t ticket, SteadyTime now) noexcept {
    if (active_) {
      probe_ = ticket;
      probe_at_ = now;
    } else if (!idle_) {
      ration_.granted(now);
      ramp_.granted(now);
      forget(now);
    }
  }

  /// The number that the next refusal of `ticket` would have: refusals of requests that were under way when
  /// the rest began are one and the same news.
  [[nodiscard]] unsigned strikes_after(std::uint64_t ticket) const noexcept {
    return is_new(ticket) ? (std::min)(strikes_ + 1U, 1000U) : strikes_;
  }

  /// `ticket` was refused, as is known `now`: rest until `until`, or longer if that is already so. `newest`
  /// is the latest ticket given out.
  void refused(std::uint64_t ticket, std::uint64_t newest, SteadyTime now, SteadyTime until,
               Verdict cause) noexcept {
    if (is_new(ticket)) {
      strikes_ = strikes_after(ticket);
      began_ = newest;
      probe_ = 0;
    }
    refused_at_ = active_ ? refused_at_ : now;
    until_ = active_ ? (std::max)(until_, until) : until;
    cause_ = cause;
    active_ = true;
    idle_ = false;
  }

  /// Somebody else tests whether the rest was long enough: no test here before `until`.
  void postpone(SteadyTime until) noexcept {
    if (active_) {
      until_ = (std::max)(until_, until);
    }
  }

  /// `ticket` succeeded: the rest is over and forgotten if the request was sent after it began.
  /// Returns whether a rest ended by this.
  bool succeeded(std::uint64_t ticket) noexcept {
    if (!active_ || !is_new(ticket)) {
      ration_.succeeded(ticket);
      ramp_.succeeded(ticket);
      return false;
    }
    if (cause_ == Verdict::rate_limited) {
      ration_.opened(ticket, probe_at_, probe_at_ - refused_at_);
    }
    Rest awake;
    awake.ration_ = ration_;
    awake.ramp_ = ramp_;
    awake.ramp_.begin(ticket, probe_at_);
    awake.forget(probe_at_);
    awake.until_ = probe_at_;
    *this = awake;
    return true;
  }

  /// `ticket` ended without telling anything: if it was the probe, another one may go.
  void inconclusive(std::uint64_t ticket) noexcept {
    if (probe_ == ticket) {
      probe_ = 0;
    }
  }

  /// This rest with no request under way to test it: what may be kept aside and put back later.
  [[nodiscard]] Rest untested() const noexcept {
    Rest copy = *this;
    copy.probe_ = 0;
    return copy;
  }

  /// The refusals since there were `strikes` of them turned out to be somebody else's: the time stays.
  void forgive(unsigned strikes) noexcept { strikes_ = strikes; }

  /// A person says so.
  void end() noexcept { *this = Rest{}; }

 private:
  void forget(SteadyTime now) noexcept {
    idle_ = ration_.is_forgotten(now) && ramp_.over();
    ramp_ = idle_ ? detail::Ramp{} : ramp_;
  }

  [[nodiscard]] bool is_new(std::uint64_t ticket) const noexcept { return ticket > began_; }

  SteadyTime until_{};
  SteadyTime refused_at_{};  ///< the first time since the last success
  SteadyTime probe_at_{};
  std::uint64_t began_ = 0;
  std::uint64_t probe_ = 0;
  unsigned strikes_ = 0;
  Verdict cause_ = Verdict::success;
  bool active_ = false;
  bool idle_ = true;
  detail::Ration ration_;
  detail::Ramp ramp_;
};

}  // namespace tokenpool
