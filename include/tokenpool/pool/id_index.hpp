#pragma once
// Finds a token's slot by its id: a table of slot numbers that looks the ids up in the slots themselves. It
// takes about 8 bytes a token where a map of nodes takes 50.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/pool/slots.hpp"

namespace tokenpool::detail {

/// Open addressing with linear probing; a member that leaves pulls those behind it forward (Knuth, The Art of
/// Computer Programming 3, 6.4 algorithm R), so that no tombstones gather. Not thread-safe.
class IdIndex {
 public:
  explicit IdIndex(const Slots& slots) : slots_(slots) {}

  static constexpr SlotNumber nobody = 0xffffffffU;

  [[nodiscard]] SlotNumber find(std::string_view id) const noexcept {
    return cells_.empty() ? nobody : cells_[cell_of(id)];
  }

  /// Makes space for `members`. Throws std::bad_alloc, nothing changed.
  void reserve(std::size_t members) {
    if (members * 8 <= cells_.size() * 7) {
      return;
    }
    std::vector<SlotNumber> old(std::bit_ceil(members * 2), nobody);
    old.swap(cells_);
    for (const SlotNumber slot : old) {
      if (slot != nobody) {
        insert(slot);
      }
    }
  }

  /// Puts a slot in whose id is not yet there; reserve() has made space.
  void insert(SlotNumber slot) noexcept { cells_[cell_of(slots_[slot].face.id)] = slot; }

  /// Takes a member out, whose id must still be in its slot.
  void erase(SlotNumber slot) noexcept {
    const std::size_t mask = cells_.size() - 1;
    std::size_t hole = cell_of(slots_[slot].face.id);
    for (std::size_t next = (hole + 1) & mask; cells_[next] != nobody; next = (next + 1) & mask) {
      const std::size_t home = home_of(slots_[cells_[next]].face.id);
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        cells_[hole] = cells_[next];
        hole = next;
      }
    }
    cells_[hole] = nobody;
  }

 private:
  [[nodiscard]] std::size_t home_of(std::string_view id) const noexcept {
    return std::hash<std::string_view>{}(id) & (cells_.size() - 1);
  }

  /// The cell that holds `id`, or the empty one where it belongs.
  [[nodiscard]] std::size_t cell_of(std::string_view id) const noexcept {
    std::size_t cell = home_of(id);
    while (cells_[cell] != nobody && slots_[cells_[cell]].face.id != id) {
      cell = (cell + 1) & (cells_.size() - 1);
    }
    return cell;
  }

  const Slots& slots_;
  std::vector<SlotNumber> cells_;
};

}  // namespace tokenpool::detail
