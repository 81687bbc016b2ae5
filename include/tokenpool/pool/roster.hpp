#pragma once
// The tokens of a pool by number and by id: who is in, who is available, who wakes when.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tokenpool/base/indexed_heap.hpp"
#include "tokenpool/pool/available.hpp"
#include "tokenpool/pool/id_index.hpp"
#include "tokenpool/pool/names.hpp"
#include "tokenpool/pool/slots.hpp"
#include "tokenpool/pool/token.hpp"

namespace tokenpool::detail {

/// The slots. Not thread-safe.
class Roster {
 public:
  explicit Roster(PolicyPort& policy) : available_(policy) {}
  Roster(const Roster&) = delete;
  Roster& operator=(const Roster&) = delete;

  [[nodiscard]] Slot& operator[](SlotNumber slot) noexcept { return slots_[slot]; }
  [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }
  [[nodiscard]] AvailableSet& available() noexcept { return available_; }

  /// How many tokens are in and neither ejected nor disabled.
  [[nodiscard]] std::size_t usable() const noexcept { return usable_; }

  [[nodiscard]] Slot* find(std::string_view id) noexcept {
    const SlotNumber found = ids_.find(id);
    return found == IdIndex::nobody ? nullptr : &slots_[found];
  }

  /// The token with this secret; null if there is none.
  [[nodiscard]] const Slot* find(const Secret& secret) const noexcept {
    for (SlotNumber number = 0; number < slots_.size(); ++number) {
      if (const Slot& slot = slots_[number]; slot.present && slot.credential->secret == secret) {
        return &slot;
      }
    }
    return nullptr;
  }

  /// Makes space for `tokens` tokens at once. Throws std::bad_alloc, or what the policy's reserve throws.
  void reserve(std::size_t tokens) {
    available_.reserve(tokens);
    wake_ups_.reserve(tokens);
    ids_.reserve(tokens);
    space_ = (std::max)(space_, tokens);
  }

  /// Puts a fit token in; it is not available before place() says so. Throws std::bad_alloc, nothing changed.
  Slot& add(Token token) {
    Slot& slot = vacant();
    describe(slot, std::move(token));
    ids_.insert(slot.face.slot);
    vacant_ = std::exchange(slot.next_vacant, 0);
    change(slot, [](Slot& in) { in.present = true; });
    return slot;
  }

  /// Gives a slot what `token` says of itself. Throws std::bad_alloc, nothing changed.
  void describe(Slot& slot, Token token) {
    const std::uint32_t endpoint = endpoints_.number(token.base_url);
    const std::uint32_t account = accounts_.number(token.account);
    std::string id = id_of(token);
    slot.set_credential(std::make_unique<const Credential>(Credential{
        std::move(id), std::move(token.secret), std::move(token.base_url), std::move(token.headers)}));
    slot.face.weight = token.weight;
    slot.face.priority = token.priority;
    slot.account = account != 0 ? account : account_of_its_own | slot.face.slot;
    slot.endpoint = endpoint;
  }

  /// Takes the token out of reach. Its slot is free for another one once it has no lease in flight.
  void remove(Slot& slot) noexcept {
    ids_.erase(slot.face.slot);
    change(slot, [](Slot& gone) { gone.present = false; });
    withdraw(slot);
  }

  /// Empties the slot of a removed token.
  void vacate(Slot& slot) noexcept {
    const SlotNumber number = slot.face.slot;
    slot = Slot{};
    slot.face.slot = number;
    slot.next_vacant = std::exchange(vacant_, number + 1);
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
      if (!std::exchange(slot.available, true)) {
        wake_ups_.erase(number);
        available_.insert(slot.face);
      }
      return;
    }
    if (std::exchange(slot.available, false)) {
      available_.erase(number);
    }
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

 private:
  /// The slot that the next token gets, with all space that it will need.
  Slot& vacant() {
    if (vacant_ == 0) {
      const std::size_t needed = slots_.size() + 1;
      if (space_ < needed) {
        reserve((std::max)(needed, 2 * space_));
      }
      slots_.grow();
      vacant_ = static_cast<SlotNumber>(needed);
    }
    return slots_[vacant_ - 1];
  }

  Slots slots_;
  SlotNumber vacant_ = 0;  ///< one more than the number of the first empty slot; 0: none
  IdIndex ids_{slots_};
  AvailableSet available_;
  IndexedHeap<SteadyTime> wake_ups_;
  std::size_t space_ = 0;
  std::size_t usable_ = 0;
  Names accounts_;
  Names endpoints_;
};

}  // namespace tokenpool::detail
