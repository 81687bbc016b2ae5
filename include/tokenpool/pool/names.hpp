#pragma once
// Names that users make up (accounts, buckets, base URLs) as small numbers.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tokenpool::detail {

/// Gives each name a number, starting at 1; the empty name is 0. Not thread-safe.
class Names {
 public:
  /// The number of `name`, given out now if it is new. Throws std::bad_alloc.
  std::uint32_t number(std::string_view name) {
    if (name.empty()) {
      return 0;
    }
    if (const auto known = numbers_.find(name); known != numbers_.end()) {
      return known->second;
    }
    const std::string& kept = names_.emplace_back(name);
    return numbers_.emplace(kept, static_cast<std::uint32_t>(names_.size())).first->second;
  }

  /// The name of a number that was given out.
  [[nodiscard]] std::string_view name(std::uint32_t number) const {
    return number == 0 ? std::string_view() : std::string_view(names_[number - 1]);
  }

  /// How many numbers there are, 0 included.
  [[nodiscard]] std::size_t size() const noexcept { return names_.size() + 1; }

 private:
  std::deque<std::string> names_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
};

}  // namespace tokenpool::detail
