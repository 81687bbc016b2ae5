#pragma once
// The header fields of a request or an answer. HTTP names are case-blind, order can matter and a field may
// come several times, so neither a map nor a plain vector of pairs says what they are.

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokenpool {

namespace detail {

/// Lower-cases an ASCII letter and leaves every other byte alone; no locale is asked.
constexpr char ascii_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace detail

/// True if both texts are the same but for the case of ASCII letters, as field names are
/// compared (RFC 9110 5.1).
constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return detail::ascii_lower(x) == detail::ascii_lower(y); });
}

/// One header field as it was sent or received.
struct HeaderField {
  std::string name{};   ///< as written; compared without regard to case
  std::string value{};  ///< of the field; text behind the colon

  friend bool operator==(const HeaderField&, const HeaderField&) = default;
};

/// An ordered list of header fields with case-blind names; repeated fields are kept (RFC 9110 5.2 and 5.3).
/// A plain value: not synchronised. Views handed out live until the list is changed.
///
///     Headers headers{{"Accept", "text/plain"}, {"X-Tag", "a"}};
///     for (const auto& [name, value] : headers) { ... }
class Headers {
 public:
  using const_iterator = std::vector<HeaderField>::const_iterator;  ///< over HeaderField, in order

  Headers() = default;
  /// `{{"Accept", "text/plain"}, {"X-Trace", "1"}}`, in this order.
  Headers(std::initializer_list<HeaderField> fields) : fields_(fields) {}

  /// Appends a field, whether or not one of this name is there.
  void add(std::string_view name, std::string_view value) { fields_.emplace_back(Made{name, value}); }

  /// Makes this the only field of its name: it takes the place of the first one, or comes last.
  void set(std::string_view name, std::string_view value) {
    const auto first = find(name);
    if (first == fields_.end()) {
      return add(name, value);
    }
    HeaderField only{std::string(name), std::string(value)};  // the views may be into what is erased
    const auto is_another = [&only](const HeaderField& field) {
      return equal_ignoring_case(field.name, only.name);
    };
    fields_.erase(std::remove_if(first + 1, fields_.end(), is_another), fields_.end());
    *first = std::move(only);
  }

  /// Removes every field of this name and returns how many there were.
  std::size_t remove(std::string_view name) {
    return std::erase_if(fields_, [name](const HeaderField& f) { return equal_ignoring_case(f.name, name); });
  }

  /// The value of the first field of this name.
  std::optional<std::string_view> get(std::string_view name) const {
    for (const HeaderField& field : fields_) {
      if (equal_ignoring_case(field.name, name)) {
        return field.value;
      }
    }
    return std::nullopt;
  }

  /// The values of all fields of this name, in order.
  std::vector<std::string_view> all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const HeaderField& field : fields_) {
      if (equal_ignoring_case(field.name, name)) {
        values.emplace_back(field.value);
      }
    }
    return values;
  }

  /// @{
  /// The fields in order; a change ends the iterators.
  const_iterator begin() const noexcept { return fields_.begin(); }
  const_iterator end() const noexcept { return fields_.end(); }
  /// @}
  /// Makes space for `fields` of them.
  void reserve(std::size_t fields) { fields_.reserve(fields); }
  /// The number of fields, repeated ones counted each.
  std::size_t size() const noexcept { return fields_.size(); }
  /// Whether there is no field.
  bool empty() const noexcept { return fields_.empty(); }
  /// Removes all fields.
  void clear() noexcept { fields_.clear(); }

  /// The same fields, spelled the same way, in the same order.
  friend bool operator==(const Headers&, const Headers&) = default;

 private:
  /// Becomes a field where that is to be, which saves moving its texts there.
  struct Made {
    std::string_view name;
    std::string_view value;
    operator HeaderField() const { return {std::string(name), std::string(value)}; }
  };

  std::vector<HeaderField>::iterator find(std::string_view name) {
    return std::find_if(fields_.begin(), fields_.end(),
                        [name](const HeaderField& field) { return equal_ignoring_case(field.name, name); });
  }

  std::vector<HeaderField> fields_;
};

/// A header field whose texts lie elsewhere, and stay there for as long as it is used.
struct HeaderView {
  std::string_view name{};   ///< as written
  std::string_view value{};  ///< without line ends
};

/// The header of a request while it is put together: of its caller's, its token's and its client's fields
/// only one is new to each request, so none is copied. A plain value: not synchronised.
class HeaderViews {
 public:
  /// Appends a field, whether or not one of this name is there.
  void add(std::string_view name, std::string_view value) { fields_.push_back(HeaderView{name, value}); }

  /// Removes every field of this name.
  void remove(std::string_view name) {
    std::erase_if(fields_, [name](const HeaderView& f) { return equal_ignoring_case(f.name, name); });
  }

  /// Whether one of the first `count` fields has this name.
  [[nodiscard]] bool has(std::string_view name, std::size_t count) const noexcept {
    return std::any_of(fields_.begin(), fields_.begin() + static_cast<std::ptrdiff_t>(count),
                       [name](const HeaderView& field) { return equal_ignoring_case(field.name, name); });
  }
  /// Whether a field has this name, in any case.
  [[nodiscard]] bool has(std::string_view name) const noexcept { return has(name, size()); }

  /// The same fields with texts of their own.
  [[nodiscard]] Headers copied() const {
    Headers headers;
    headers.reserve(size());
    for (const HeaderView& field : fields_) {
      headers.add(field.name, field.value);
    }
    return headers;
  }

  /// Makes space for `fields` of them.
  void reserve(std::size_t fields) { fields_.reserve(fields); }
  /// @{
  /// The fields in order, and their number.
  [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
  [[nodiscard]] auto begin() const noexcept { return fields_.begin(); }
  [[nodiscard]] auto end() const noexcept { return fields_.end(); }
  /// @}

 private:
  std::vector<HeaderView> fields_;
};

}  // namespace tokenpool
