#pragma once
// The slots of a pool by number. They never move, so that policies and the dense array may point at them, and
// lie in chunks: each slot fills two whole cache lines and is found by a shift.

#include <cstddef>
#include <memory>
#include <vector>

#include "tokenpool/pool/slot.hpp"

namespace tokenpool::detail {

/// Grows at its end and never shrinks. Not thread-safe.
class Slots {
 public:
  [[nodiscard]] Slot& operator[](SlotNumber number) noexcept {
    return chunks_[number / per_chunk][number % per_chunk];
  }
  [[nodiscard]] const Slot& operator[](SlotNumber number) const noexcept {
    return chunks_[number / per_chunk][number % per_chunk];
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// One more slot, which knows its number. Throws std::bad_alloc, nothing changed.
  Slot& grow() {
    if (size_ == chunks_.size() * per_chunk) {
      chunks_.push_back(std::make_unique<Slot[]>(per_chunk));
    }
    const auto number = static_cast<SlotNumber>(size_++);
    Slot& slot = (*this)[number];
    slot.face.slot = number;
    return slot;
  }

 private:
  static constexpr std::size_t per_chunk = 64;

  std::vector<std::unique_ptr<Slot[]>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace tokenpool::detail
