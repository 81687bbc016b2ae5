#pragma once
// How much of one limit is used, in one place (one token, one egress, one pair...).
//
// The server may count a request at any moment between our first byte and its answer, in a fixed, rolling or
// first-request window. So a request occupies its units from the grant until `window` after its answer came.
// Then no window of the server's can hold more than `amount`: let g be the last grant that is counted in a
// window which began at s; every other one in it was answered at or after s, occupies until s + window or
// later, hence still at g.
//
// A server that counts on arrival: nothing changes while the request is under way, since a client does not
// see it arrive. Once something tells that it had arrived by b, it occupies until b + window. The proof is
// the same: every other one in the window arrived at or after s, so b >= s, and it occupies at g, being under
// way or until b + window >= s + window.
//
// A server that counts when it makes the answer: nothing can be given back. It may answer at any moment, so
// what is under way may be counted right after g together with all that was answered within `window`; and it
// may have counted in the very moment in which its answer came.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/limit.hpp"

namespace tokenpool {

/// The use of one limit in one place. The caller passes the same Limit each time: a million tokens share one.
/// Not thread-safe.
class Window {
 public:
  /// Units that are in flight or not yet expired at `now`.
  [[nodiscard]] std::int64_t used(SteadyTime now) noexcept {
    expire(now);
    return in_flight_ + settled_;
  }

  /// When `units` fit if nothing new is granted: `now` if they do, `end_of_time` if that waits for an answer
  /// instead of time.
  [[nodiscard]] SteadyTime room_at(const Limit& limit, std::int64_t units, SteadyTime now) noexcept {
    std::int64_t excess = units - (limit.amount - used(now));
    SteadyTime when = (std::max)(now, closed_until_);
    for (std::size_t i = 0; i < count_ && excess > 0; ++i) {
      when = (std::max)(when, at(i).expires);
      excess -= at(i).units;
    }
    return excess > 0 ? end_of_time : when;
  }

  /// When the last settled unit expires; `now` when there is none.
  [[nodiscard]] SteadyTime empty_at(SteadyTime now) noexcept {
    expire(now);
    return count_ == 0 ? now : at(count_ - 1).expires;
  }

  /// Whether it counts nothing and is open.
  [[nodiscard]] bool idle(SteadyTime now) noexcept { return used(now) == 0 && closed_until_ <= now; }

  /// Others have used it up, too: no room before `until`.
  void close(SteadyTime until) noexcept { closed_until_ = (std::max)(closed_until_, until); }

  /// Takes `units` for a request about to be sent, and the memory that its settlement will need: only this
  /// may throw (std::bad_alloc, nothing changed).
  void reserve(const Limit& limit, std::int64_t units) {
    if (limit.unit != Unit::in_flight) {
      make_space(limit);
    }
    in_flight_ += units;
    ++open_;
  }

  /// The request surely never reached the server: its units are free at once.
  void refund(std::int64_t units) noexcept {
    in_flight_ -= units;
    --open_;
  }

  /// The request, reserved with `reserved` units, truly took `units`, which the server counted at `counted`
  /// at the latest.
  void settle(const Limit& limit, std::int64_t reserved, std::int64_t units, SteadyTime counted) noexcept {
    refund(reserved);
    if (limit.unit != Unit::in_flight && units > 0) {
      remember(expiry(limit, counted), units);
    }
  }

 private:
  struct Entry {
    SteadyTime expires;
    std::int64_t units;
  };

  /// Up to this amount every request is remembered by itself; above, requests share sub-buckets that expire
  /// at their end.
  static constexpr std::int64_t exact_amount = 256;
  static constexpr std::uint8_t sub_buckets = 128;

  [[nodiscard]] static SteadyTime expiry(const Limit& limit, SteadyTime counted) noexcept {
    const SteadyTime exact = after(counted, limit.window);
    if (limit.amount <= exact_amount || exact == end_of_time) {
      return exact;
    }
    const Duration step = (std::max)(saturated(limit.window) / sub_buckets, Duration{1});
    const Duration over = exact.time_since_epoch() % step;
    return over == Duration::zero() ? exact : after(exact, step - over);
  }

  void expire(SteadyTime now) noexcept {
    while (count_ != 0 && ring_[first_].expires <= now) {
      settled_ -= ring_[first_].units;
      first_ = (first_ + 1) & static_cast<std::uint32_t>(ring_.size() - 1);
      --count_;
    }
  }

  /// Keeps the log sorted: answers of concurrent requests come a little out of order.
  void remember(SteadyTime expires, std::int64_t units) noexcept {
    std::size_t place = count_;
    while (place != 0 && at(place - 1).expires > expires) {
      --place;
    }
    settled_ += units;
    if (place != 0 && at(place - 1).expires == expires) {
      at(place - 1).units += units;
    } else if (count_ == ring_.size()) {
      merge(place, expires, units);
    } else {
      for (std::size_t i = count_++; i != place; --i) {
        at(i) = at(i - 1);
      }
      at(place) = {expires, units};
    }
  }

  /// No entry is left, as when many requests were given up at instants far ahead: joins the next one, which
  /// expires later.
  void merge(std::size_t place, SteadyTime expires, std::int64_t units) noexcept {
    Entry& entry = at((std::min)(place, std::size_t{count_} - 1));
    entry.units += units;
    entry.expires = (std::max)(entry.expires, expires);
  }

  /// Room for an entry of each request in flight; sub-buckets never need more than one each and two at the
  /// edges.
  void make_space(const Limit& limit) {
    std::size_t needed = count_ + open_ + 1;
    if (limit.amount > exact_amount) {
      needed = (std::min)(needed, std::size_t{sub_buckets} + 2);
    }
    if (needed <= ring_.size()) {
      return;
    }
    std::vector<Entry> larger(std::bit_ceil((std::max)(needed, std::size_t{4})));
    for (std::size_t i = 0; i < count_; ++i) {
      larger[i] = at(i);
    }
    ring_.swap(larger);
    first_ = 0;
  }

  /// The i-th oldest entry. The ring's size is a power of two.
  [[nodiscard]] Entry& at(std::size_t i) noexcept { return ring_[(first_ + i) & (ring_.size() - 1)]; }

  std::vector<Entry> ring_;
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t open_ = 0;
  std::int64_t in_flight_ = 0;
  std::int64_t settled_ = 0;
  SteadyTime closed_until_{};
};

}  // namespace tokenpool
