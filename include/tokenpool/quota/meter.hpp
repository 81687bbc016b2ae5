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
  std::uint32_t token = 0;    ///< number of the token
  std::uint32_t account = 0;  ///< of its account
  std::uint32_t egress = 0;   ///< of the egress
  std::uint32_t bucket = 0;   ///< of the bucket

  friend bool operator==(const Place&, const Place&) = default;
};

/// Marks the account number of a token that was given no account: it is the token's number with this bit.
inline constexpr std::uint32_t account_of_its_own = 0x80000000U;

/// The largest true cost of one request; more is taken for this much.
inline constexpr std::int64_t largest_cost_of_one = 1'000'000'000'000'000;

/// One limit with its windows. Places of one plain dimension lie in an array, the others in a table. Not
/// thread-safe.
class Meter {
 public:
  /// A meter that counts the requests granted after ticket `since`; earlier ones were never reserved here. It
  /// hangs on one `owner` (a token, an egress), whose number it need not tell apart.
  explicit Meter(Limit limit, Scope owner = Scope::pool, std::uint64_t since = 0)
      : limit_(limit), apart_(limit.scope - owner), since_(since) {}

  /// The limit.
  [[nodiscard]] const Limit& limit() const noexcept { return limit_; }
  /// Whether the request of that ticket was reserved here.
  [[nodiscard]] bool counts(std::uint64_t ticket) const noexcept { return ticket > since_; }

  /// The server has changed how much it allows; what is counted stays.
  void set_amount(std::int64_t amount) noexcept { limit_.amount = amount; }

  /// What a request of `cost` takes from this limit.
  [[nodiscard]] std::int64_t units(std::int64_t cost) const noexcept {
    return limit_.unit == Unit::cost ? (std::min)(cost, largest_cost_of_one) : 1;
  }

  /// When a request of `cost` has room at `place`: `now` if it does, `end_of_time` if that waits for an
  /// answer or cannot be.
  [[nodiscard]] SteadyTime room_at(const Place& place, std::int64_t cost, SteadyTime now) noexcept {
    Window* window = find(place);
    if (window == nullptr) {
      return units(cost) <= limit_.amount ? now : end_of_time;
    }
    return window->room_at(limit_, units(cost), now);
  }

  /// Takes the units of a request; there must be room.
  void reserve(const Place& place, std::int64_t cost) { window(place).reserve(limit_, units(cost)); }
  /// Gives back what was reserved: the request never reached the server.
  void refund(const Place& place, std::int64_t cost) noexcept { find(place)->refund(units(cost)); }

  /// The request truly took `cost`, had arrived by `arrived_by` and was answered at `answered`.
  void settle(const Place& place, std::int64_t reserved, std::int64_t cost, SteadyTime arrived_by,
              SteadyTime answered) noexcept {
    const SteadyTime counted = counted_by(limit_.counted, arrived_by, answered);
    find(place)->settle(limit_, units(reserved), units(cost), counted);
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
  void forget_token(std::uint32_t token) noexcept {
    if (apart_ == Scope::token && token < dense_.size()) {
      dense_[token] = Window{};
    }
    if (!dense()) {
      std::erase_if(table_, [&](const auto& entry) {
        return (has(apart_, Scope::token) && entry.first.token == token) ||
               entry.first.account == (account_of_its_own | token);
      });
    }
  }

  /// Calls `visit(place)` for each place in which something is or was counted, unless places are told apart
  /// by one plain dimension.
  template <class F>
  void each_place(F&& visit) const {
    for (const auto& entry : table_) {
      visit(entry.first);
    }
  }

  /// Drops the windows in which nothing is counted any more: buckets have names that users make up.
  void sweep(SteadyTime now) {
    for (auto entry = table_.begin(); entry != table_.end();) {
      entry = entry->second.idle(now) ? table_.erase(entry) : std::next(entry);
    }
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
    return apart_ == Scope::pool || apart_ == Scope::token || apart_ == Scope::egress;
  }
  [[nodiscard]] std::uint32_t dense_index(const Place& place) const noexcept {
    return apart_ == Scope::token ? place.token : apart_ == Scope::egress ? place.egress : 0;
  }

  /// `place` with the dimensions that this limit does not count apart set to nothing.
  [[nodiscard]] Place key(const Place& place) const noexcept {
    const auto keep = [this](Scope dimension, std::uint32_t value) {
      return has(apart_, dimension) ? value : 0;
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
  Scope apart_;  ///< the dimensions by which windows are told apart
  std::uint64_t since_;
  std::vector<Window> dense_;
  std::unordered_map<Place, Window, HashPlace> table_;
};

}  // namespace tokenpool
