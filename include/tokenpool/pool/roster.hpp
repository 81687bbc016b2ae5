#pragma once
// The tokens of a pool by number and by id: who is in, who is available, who wakes when.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tokenpool/base/indexed_heap.hpp"
#include "tokenpool/pool/available.hpp"
#include "tokenpool/pool/names.hpp"
#include "tokenpool/pool/slot.hpp"
#include "tokenpool/pool/token.hpp"

namespace tokenpool::detail {

/// The slots. Not thread-safe.
class Roster {
 public:
  explicit Roster(PolicyPort& policy) : available_(policy) {}

  [[nodiscard]] Slot& operator[](SlotNumber slot) noexcept { return slots_[slot]; }
  [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }
  [[nodiscard]] AvailableSet& available() noexcept { return available_; }

  /// How many tokens are in and neither ejected nor disabled.
  [[nodiscard]] std::size_t usable() const noexcept { return usable_; }

  [[nodiscard]] Slot* find(std::string_view id) noexcept {
    const auto found = numbers_.find(id);
    return found == numbers_.end() ? nullptr : &slots_[found->second];
  }

  [[nodiscard]] bool has_secret(const Secret& secret) const noexcept {
    return std::any_of(slots_.begin(), slots_.end(),
                       [&](const Slot& slot) { return slot.present && slot.credential->secret == secret; });
  }

  /// Puts a fit token in; it is not available before place() says so. Throws std::bad_alloc, nothing changed.
  Slot& add(const Token& token) {
    const std::uint32_t endpoint = endpoints_.number(token.base_url);
    const std::uint32_t account = accounts_.number(token.account);
    auto credential = std::make_shared<const Credential>(Credential{
        token.id.empty() ? token_id(token.secret) : token.id, token.secret, token.base_url, token.headers});
    Slot& slot = vacant();
    slot.own_meters = meters_of(token);
    numbers_.emplace(credential->token_id, slot.face.slot);
    slot.face.id = credential->token_id;
    slot.face.weight = token.weight;
    slot.face.priority = token.priority;
    slot.credential = std::move(credential);
    slot.account = account != 0 ? account : account_of_its_own | slot.face.slot;
    slot.endpoint = endpoint;
    slot.present = true;
    vacant_.pop_back();
    ++usable_;
    return slot;
  }

  /// Takes the token out of reach. Its slot is free for another one once it has no lease in flight.
  void remove(Slot& slot) noexcept {
    numbers_.erase(slot.face.id);
    change(slot, [](Slot& gone) { gone.present = false; });
    withdraw(slot);
  }

  /// Empties the slot of a removed token.
  void vacate(Slot& slot) noexcept {
    const SlotNumber number = slot.face.slot;
    slot = Slot{};
    slot.face.slot = number;
    vacant_.push_back(number);
  }

  /// Replaces what is sent for the token; its id stays.
  void set_credential(Slot& slot, std::shared_ptr<const Credential> credential) noexcept {
    auto node = numbers_.extract(slot.face.id);
    node.key() = credential->token_id;
    slot.face.id = credential->token_id;
    slot.credential = std::move(credential);
    numbers_.insert(std::move(node));
  }

  /// Changes flags of a slot that decide whether it is usable.
  template <class F>
  void change(Slot& slot, F&& edit) noexcept {
    usable_ -= slot.usable() ? 1U : 0U;
    edit(slot);
    usable_ += slot.usable() ? 1U : 0U;
  }

  /// The token is usable from `opens_at` on: now, at a time, or (`end_of_time`) after an event.
  void place(Slot& slot, SteadyTime opens_at, SteadyTime now) noexcept {
    const SlotNumber number = slot.face.slot;
    if (opens_at <= now) {
      wake_ups_.erase(number);
      available_.insert(slot.face);
      return;
    }
    available_.erase(number);
    if (opens_at == end_of_time) {
      wake_ups_.erase(number);
    } else {
      wake_ups_.set(number, opens_at);
    }
  }

  void withdraw(Slot& slot) noexcept { place(slot, end_of_time, SteadyTime{}); }

  /// When the next token wakes; `end_of_time` if none does by time alone.
  [[nodiscard]] SteadyTime next_wake_up() const noexcept {
    return wake_ups_.empty() ? end_of_time : wake_ups_.top_key();
  }
  [[nodiscard]] Slot& next_to_wake() noexcept { return slots_[wake_ups_.top()]; }

  [[nodiscard]] const Names& accounts() const noexcept { return accounts_; }
  [[nodiscard]] std::size_t endpoint_count() const noexcept { return endpoints_.size(); }

  /// Marks the account number of a token that was given no account.
  static constexpr std::uint32_t account_of_its_own = 0x80000000U;

 private:
  /// The slot that the next token gets, with all space that it will need.
  Slot& vacant() {
    if (vacant_.empty()) {
      const std::size_t needed = slots_.size() + 1;
      available_.reserve(needed);
      if (wake_space_ < needed) {
        wake_ups_.reserve((std::max)(needed, 2 * wake_space_));
        wake_space_ = (std::max)(needed, 2 * wake_space_);
        vacant_.reserve(wake_space_);
      }
      slots_.emplace_back().face.slot = static_cast<SlotNumber>(needed - 1);
      vacant_.push_back(static_cast<SlotNumber>(needed - 1));
    }
    return slots_[vacant_.back()];
  }

  static std::vector<Meter> meters_of(const Token& token) {
    std::vector<Meter> meters;
    for (Limit limit : token.limits) {
      limit.scope = limit.scope | Scope::token;
      meters.emplace_back(limit);
    }
    return meters;
  }

  std::deque<Slot> slots_;
  std::vector<SlotNumber> vacant_;
  std::unordered_map<std::string_view, SlotNumber> numbers_;
  AvailableSet available_;
  IndexedHeap<SteadyTime> wake_ups_;
  std::size_t wake_space_ = 0;
  std::size_t usable_ = 0;
  Names accounts_;
  Names endpoints_;
};

}  // namespace tokenpool::detail
