#pragma once
// One limit and all the places in which it is counted: a window for each token, each egress, each pair.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tokenpool/quota/limit.hpp"
#include "tokenpool/quota/window.hpp"

namespace tokenpool {

/// Where a request counts, as numbers that the pool gives out.
struct Place {
  std::uint32_t token = 0;
  std::uint32_t account = 0;
  std::uint32_t egress = 0;
  std::uint32_t bucket = 0;

  friend bool operator==(const Place&, const Place&) = default;
};

/// One limit with its windows. Places of one plain dimension lie in an array, the others in a table. Not
/// thread-safe.
class Meter {
 public:
  /// A meter that counts the requests granted after ticket `since`; earlier ones were never reserved here.
  explicit Meter(Limit limit, std::uint64_t since = 0) : limit_(limit), since_(since) {}

  [[nodiscard]] const Limit& limit() const noexcept { return limit_; }
  [[nodiscard]] bool counts(std::uint64_t ticket) const noexcept { return ticket > since_; }

  /// What a request of `cost` takes from this limit.
  [[nodiscard]] std::int64_t units(std::int64_t cost) const noexcept {
    return limit_.unit == Unit::cost ? cost : 1;
  }

  /// When a request of `cost` has room at `place`: `now` if it does, `never` if that waits for an answer.
  [[nodiscard]] SteadyTime room_at(const Place& place, std::int64_t cost, SteadyTime now) noexcept {
    Window* window = find(place);
    return window == nullptr ? now : window->room_at(limit_, units(cost), now);
  }

  void reserve(const Place& place, std::int64_t cost) { window(place).reserve(limit_, units(cost)); }
  void refund(const Place& place, std::int64_t cost) noexcept { find(place)->refund(units(cost)); }
  void settle(const Place& place, std::int64_t reserved, std::int64_t cost, SteadyTime answered) noexcept {
    find(place)->settle(limit_, units(reserved), units(cost), answered);
  }

  /// A shared ledger says that there is no room at `place` before `until`.
  void close(const Place& place, SteadyTime until) { window(place).close(until); }

  /// The window of `place`; null while nothing was counted there.
  [[nodiscard]] Window* find(const Place& place) noexcept {
    if (dense()) {
      const std::uint32_t index = dense_index(place);
      return index < dense_.size() ? &dense_[index] : nullptr;
    }
    const auto found = table_.find(key(place));
    return found == table_.end() ? nullptr : &found->second;
  }

  /// The token is gone and its number will be given to another one.
  void forget_token(std::uint32_t token) {
    if (!has(limit_.scope, Scope::token)) {
      return;
    }
    if (dense()) {
      if (token < dense_.size()) {
        dense_[token] = Window{};
      }
      return;
    }
    std::erase_if(table_, [token](const auto& entry) { return entry.first.token == token; });
  }

  /// Drops the windows in which nothing is counted any more: buckets have names that users make up.
  void sweep(SteadyTime now) {
    if (table_.size() < sweep_at_) {
      return;
    }
    for (auto entry = table_.begin(); entry != table_.end();) {
      entry = entry->second.idle(now) ? table_.erase(entry) : std::next(entry);
    }
    sweep_at_ = (std::max)(std::size_t{1024}, table_.size() * 2);
  }

 private:
  struct HashPlace {
    std::size_t operator()(const Place& place) const noexcept {
      const std::uint64_t low = std::uint64_t{place.token} << 32U | place.account;
      const std::uint64_t high = std::uint64_t{place.egress} << 32U | place.bucket;
      const std::uint64_t mixed = (low * 0x9e3779b97f4a7c15U) ^ (high * 0xc2b2ae3d27d4eb4fU);
      return static_cast<std::size_t>(mixed ^ (mixed >> 29U));
    }
  };

  [[nodiscard]] bool dense() const noexcept {
    return limit_.scope == Scope::token || limit_.scope == Scope::egress || limit_.scope == Scope::pool;
  }
  [[nodiscard]] std::uint32_t dense_index(const Place& place) const noexcept {
    return limit_.scope == Scope::token ? place.token : limit_.scope == Scope::egress ? place.egress : 0;
  }

  /// `place` with the dimensions that this limit does not count apart set to nothing.
  [[nodiscard]] Place key(const Place& place) const noexcept {
    const auto keep = [this](Scope dimension, std::uint32_t value) {
      return has(limit_.scope, dimension) ? value : 0;
    };
    return {keep(Scope::token, place.token), keep(Scope::account, place.account),
            keep(Scope::egress, place.egress), keep(Scope::bucket, place.bucket)};
  }

  Window& window(const Place& place) {
    if (!dense()) {
      return table_[key(place)];
    }
    const std::uint32_t index = dense_index(place);
    if (index >= dense_.size()) {
      dense_.resize(index + 1);
    }
    return dense_[index];
  }

  Limit limit_;
  std::uint64_t since_;
  std::vector<Window> dense_;
  std::unordered_map<Place, Window, HashPlace> table_;
  std::size_t sweep_at_ = 1024;
};

}  // namespace tokenpool
