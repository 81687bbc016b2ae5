#pragma once
// The rests of one token or account: as a whole, and for single buckets, since a server that counts a bucket
// apart refuses it apart.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/rest.hpp"

namespace tokenpool::detail {

/// All rests of one token or account. Bucket 0 (none named) is the whole of it. Not thread-safe.
class Rests {
 public:
  [[nodiscard]] Rest& whole() noexcept { return whole_; }
  [[nodiscard]] const Rest& whole() const noexcept { return whole_; }

  /// The rest that covers `bucket` alone; null if there is none.
  [[nodiscard]] Rest* find(std::uint32_t bucket) noexcept {
    const auto found = std::find_if(buckets_.begin(), buckets_.end(),
                                    [bucket](const BucketRest& entry) { return entry.bucket == bucket; });
    return found == buckets_.end() ? nullptr : &found->rest;
  }

  /// The rest to which a refusal in `bucket` goes. Throws std::bad_alloc.
  [[nodiscard]] Rest& at(std::uint32_t bucket, SteadyTime now) {
    if (bucket == 0) {
      return whole_;
    }
    if (Rest* known = find(bucket)) {
      return *known;
    }
    // Buckets have names that users make up: a rest that nobody put to the test for so long is not kept.
    std::erase_if(buckets_, [now](const BucketRest& entry) {
      return !entry.rest.probing() && after(entry.rest.until(), std::chrono::minutes(10)) <= now;
    });
    return buckets_.emplace_back(BucketRest{bucket, Rest{}}).rest;
  }

  /// When a request in `bucket` may go through; `end_of_time` while that depends on an answer.
  [[nodiscard]] SteadyTime opens_at(std::uint32_t bucket) noexcept {
    const Rest* rest = find(bucket);
    return rest == nullptr ? whole_.opens_at() : (std::max)(whole_.opens_at(), rest->opens_at());
  }

  /// How many buckets rest, or wait for the request that shows whether they did so long enough.
  [[nodiscard]] std::size_t resting_buckets() const noexcept {
    return static_cast<std::size_t>(std::count_if(
        buckets_.begin(), buckets_.end(), [](const BucketRest& entry) { return entry.rest.active(); }));
  }

  /// Nothing rests.
  [[nodiscard]] bool idle() const noexcept { return !whole_.active() && resting_buckets() == 0; }

  void granted(std::uint32_t bucket, std::uint64_t ticket, SteadyTime now) noexcept {
    each(bucket, [ticket, now](Rest& rest) { rest.granted(ticket, now); });
  }

  void inconclusive(std::uint32_t bucket, std::uint64_t ticket) noexcept {
    each(bucket, [ticket](Rest& rest) { rest.inconclusive(ticket); });
  }

  /// A request in `bucket` succeeded. Returns whether a rest ended by this.
  bool succeeded(std::uint32_t bucket, std::uint64_t ticket) noexcept {
    bool ended = false;
    each(bucket, [&](Rest& rest) { ended = rest.succeeded(ticket) || ended; });
    std::erase_if(buckets_, [](const BucketRest& entry) { return entry.rest.idle(); });
    return ended;
  }

  /// A person says so.
  void end() noexcept {
    whole_.end();
    buckets_.clear();
  }

  /// Calls `visit(bucket, rest)` for each bucket that has a rest of its own.
  template <class F>
  void each_bucket(F&& visit) const {
    for (const BucketRest& entry : buckets_) {
      visit(entry.bucket, entry.rest);
    }
  }

 private:
  struct BucketRest {
    std::uint32_t bucket = 0;
    Rest rest;
  };

  template <class F>
  void each(std::uint32_t bucket, F&& visit) noexcept {
    visit(whole_);
    if (Rest* rest = find(bucket)) {
      visit(*rest);
    }
  }

  Rest whole_;
  std::vector<BucketRest> buckets_;
};

}  // namespace tokenpool::detail
