#pragma once
// The members of a JSON object, each asked for by name and kind. What nobody asked for is an error: a field
// that is misspelt would otherwise be one that is silently not heeded.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "tokenpool/base/numbers.hpp"

namespace gateway {

[[noreturn]] inline void unfit(const std::string& sentence) { throw std::invalid_argument(sentence); }

/// "250ms", "90s", "15m" or "24h". Throws std::invalid_argument that begins with `field`.
inline std::chrono::milliseconds read_duration(std::string_view text, const std::string& field) {
  static constexpr std::pair<std::string_view, std::int64_t> units[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  const std::size_t digits = (std::min)(text.find_first_not_of("0123456789"), text.size());
  for (const auto& [unit, factor] : units) {
    if (digits == 0 || digits > 9 || text.substr(digits) != unit) continue;
    return std::chrono::milliseconds(std::stoll(std::string(text.substr(0, digits))) * factor);
  }
  unfit(field + " is \"" + std::string(text) + "\": give a number with ms, s, m or h, for example \"90s\"");
}

/// An object's members. Throws std::invalid_argument that names the field.
class Fields {
 public:
  /// `name` is what the object is called, with a dot behind it; empty for the outermost.
  Fields(const nlohmann::json& object, std::string name) : object_(object), name_(std::move(name)) {
    if (!object.is_object())
      unfit((name_.empty() ? "the configuration" : called()) + " has to be an object: {...}");
  }

  [[nodiscard]] std::string name_of(const std::string& member) const { return name_ + member; }

  /// The member, whatever it is; null if it is not there.
  const nlohmann::json* find(const std::string& member) {
    known_.insert(member);
    const auto at = object_.find(member);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }

  std::string text(const std::string& member, std::string fallback = {}) {
    const nlohmann::json* value = find(member);
    if (value == nullptr) return fallback;
    if (!value->is_string()) unfit(name_of(member) + " has to be a text: \"...\"");
    return value->get<std::string>();
  }

  bool flag(const std::string& member, bool fallback) {
    const nlohmann::json* value = find(member);
    if (value == nullptr) return fallback;
    if (!value->is_boolean()) unfit(name_of(member) + " has to be true or false");
    return value->get<bool>();
  }

  double number(const std::string& member, double fallback) {
    const nlohmann::json* value = find(member);
    if (value == nullptr) return fallback;
    if (!value->is_number()) unfit(name_of(member) + " has to be a number");
    return value->get<double>();
  }

  std::int64_t whole(const std::string& member, std::int64_t fallback, std::int64_t least,
                     std::int64_t most) {
    const nlohmann::json* value = find(member);
    if (value == nullptr) return fallback;
    const bool fits =
        value->is_number_integer() &&
        (!value->is_number_unsigned() || value->get<std::uint64_t>() <= static_cast<std::uint64_t>(most)) &&
        value->get<std::int64_t>() >= least && value->get<std::int64_t>() <= most;
    if (!fits) {
      unfit(name_of(member) + " is " + (value->is_number() ? value->dump() : "no number") +
            ": give a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return value->get<std::int64_t>();
  }

  std::chrono::milliseconds duration(const std::string& member, std::chrono::milliseconds fallback) {
    const nlohmann::json* value = find(member);
    return value == nullptr ? fallback : read_duration(text(member), name_of(member));
  }

  /// Calls `read(entry, "name[i]")` for each of a list.
  template <class Read>
  void list(const std::string& member, Read&& read) {
    const nlohmann::json* value = find(member);
    if (value == nullptr) return;
    if (!value->is_array()) unfit(name_of(member) + " has to be a list: [...]");
    std::size_t number = 0;
    for (const nlohmann::json& entry : *value)
      read(entry, name_of(member) + "[" + std::to_string(number++) + "]");
  }

  /// Nothing else may be there.
  void end() const {
    const auto items = object_.items();
    const auto odd = std::find_if(items.begin(), items.end(),
                                  [&](const auto& item) { return known_.count(item.key()) == 0; });
    if (odd == items.end()) return;
    std::string all;
    for (const std::string& one : known_) all.append(all.empty() ? "" : ", ").append(one);
    unfit(name_ + odd.key() + " is no field of the configuration: give one of " + all);
  }

 private:
  [[nodiscard]] std::string called() const { return name_.substr(0, name_.size() - 1); }

  const nlohmann::json& object_;
  std::string name_;
  std::set<std::string> known_;
};

}  // namespace gateway
