#pragma once
// Names that users make up (accounts, buckets, base URLs) as small numbers.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tokenpool::detail {

/// Gives each name a number, starting at 1; the empty name is 0. Not thread-safe.
class Names {
 public:
  /// Stands for "this name has no number"; larger than every number.
  static constexpr std::uint32_t unknown = 0xffffffffU;

  /// The number of `name`, or `unknown`.
  [[nodiscard]] std::uint32_t find(std::string_view name) const {
    if (name.empty()) {
      return 0;
    }
    const auto known = numbers_.find(name);
    return known == numbers_.end() ? unknown : known->second;
  }

  /// The number of `name`, given out now if it is new. Throws std::bad_alloc, nothing changed.
  std::uint32_t number(std::string_view name) {
    if (const std::uint32_t known = find(name); known != unknown) {
      return known;
    }
    if (vacant_.empty()) {
      names_.emplace_back();
      vacant_.push_back(static_cast<std::uint32_t>(names_.size()));
    }
    const std::uint32_t number = vacant_.back();
    std::string& kept = names_[number - 1] = name;
    numbers_.emplace(kept, number);
    vacant_.pop_back();
    return number;
  }

  /// Takes a number back, so that another name may get it. Throws std::bad_alloc, nothing changed.
  void release(std::uint32_t number) {
    vacant_.push_back(number);
    numbers_.erase(names_[number - 1]);
    names_[number - 1].clear();
  }

  /// The name of a number that was given out.
  [[nodiscard]] std::string_view name(std::uint32_t number) const {
    return number == 0 ? std::string_view() : std::string_view(names_[number - 1]);
  }

  /// How many numbers there ever were, 0 included: each is below this.
  [[nodiscard]] std::size_t size() const noexcept { return names_.size() + 1; }

  /// How many names have a number.
  [[nodiscard]] std::size_t in_use() const noexcept { return numbers_.size(); }

 private:
  std::deque<std::string> names_;
  std::vector<std::uint32_t> vacant_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
};

}  // namespace tokenpool::detail
