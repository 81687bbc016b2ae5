#pragma once
// A value or an Error, with the interface of std::expected<T, Error>. Our own on every compiler: a public
// type that changes with the language standard of the including program would break the one-definition rule.

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

#include "tokenpool/base/error.hpp"

namespace tokenpool {

/// Makes the failed Result: `return Unexpected(error);`
class Unexpected {
 public:
  /// The error that a Result is to hold.
  explicit Unexpected(Error error) : error_(std::move(error)) {}
  /// @{
  /// The error.
  [[nodiscard]] const Error& error() const& noexcept { return error_; }
  [[nodiscard]] Error&& error() && noexcept { return std::move(error_); }
  /// @}

 private:
  Error error_;
};

/// A `T` or the Error that stood in its way. Not thread-safe to change, like any value.
template <class T>
class [[nodiscard]] Result {
 public:
  /// @{
  /// The types that std::expected names so.
  using value_type = T;
  using error_type = Error;
  using unexpected_type = Unexpected;
  /// @}

  /// A default-made value, where T has one.
  Result() requires std::default_initializable<T>
  = default;

  /// Holds the value.
  template <class U = T>
    requires(!std::same_as<std::remove_cvref_t<U>, Result> &&
             !std::same_as<std::remove_cvref_t<U>, Unexpected> && std::constructible_from<T, U>)
  explicit(!std::convertible_to<U, T>) Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  /// Holds the Error.
  Result(Unexpected failure) : state_(std::in_place_index<1>, std::move(failure).error()) {}

  /// Makes the value in place and returns it.
  template <class... Args>
  requires std::constructible_from<T, Args...> T& emplace(Args&&... args) {
    return state_.template emplace<0>(std::forward<Args>(args)...);
  }

  /// @{
  /// Whether there is a value and no Error.
  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  /// @}

  /// @{
  /// The value; throws the Error when there is none (where std::expected would throw a wrapper around it).
  [[nodiscard]] T& value() & { return has_value() ? **this : throw error(); }
  [[nodiscard]] const T& value() const& { return has_value() ? **this : throw error(); }
  [[nodiscard]] T&& value() && { return has_value() ? std::move(**this) : throw Error(error()); }
  /// @}

  /// @{
  /// The value; undefined without one, as in std::expected.
  [[nodiscard]] T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  [[nodiscard]] const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  [[nodiscard]] T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  [[nodiscard]] T* operator->() noexcept { return std::get_if<0>(&state_); }
  [[nodiscard]] const T* operator->() const noexcept { return std::get_if<0>(&state_); }
  /// @}

  /// @{
  /// The Error; undefined when there is a value, as in std::expected.
  [[nodiscard]] Error& error() & noexcept { return *std::get_if<1>(&state_); }
  [[nodiscard]] const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  [[nodiscard]] Error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }
  /// @}

  /// @{
  /// The value, or `fallback` made a T.
  template <class U>
  [[nodiscard]] T value_or(U&& fallback) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(fallback));
  }
  template <class U>
  [[nodiscard]] T value_or(U&& fallback) && {
    return has_value() ? std::move(**this) : static_cast<T>(std::forward<U>(fallback));
  }
  /// @}

  /// The Error, or `fallback` when there is a value.
  [[nodiscard]] Error error_or(Error fallback) const { return has_value() ? std::move(fallback) : error(); }

  /// `then(value)`, itself a Result, or this Error.
  template <class F>
  auto and_then(F&& then) const& {
    return chain(*this, std::forward<F>(then));
  }
  /// The same, of a Result that is given up.
  template <class F>
  auto and_then(F&& then) && {
    return chain(std::move(*this), std::forward<F>(then));
  }

  /// `change(value)` as a Result, or this Error.
  template <class F>
  auto transform(F&& change) const& {
    return map(*this, std::forward<F>(change));
  }
  /// The same, of a Result that is given up.
  template <class F>
  auto transform(F&& change) && {
    return map(std::move(*this), std::forward<F>(change));
  }

  /// This value, or `recover(error)`, itself a Result<T>.
  template <class F>
  Result or_else(F&& recover) const& {
    return has_value() ? *this : Result(std::invoke(std::forward<F>(recover), error()));
  }
  /// The same, of a Result that is given up.
  template <class F>
  Result or_else(F&& recover) && {
    return has_value() ? std::move(*this)
                       : Result(std::invoke(std::forward<F>(recover), std::move(*this).error()));
  }

  /// This value, or `change(error)`.
  template <class F>
  Result transform_error(F&& change) const& {
    return has_value() ? *this : Result(Unexpected(std::invoke(std::forward<F>(change), error())));
  }
  /// The same, of a Result that is given up.
  template <class F>
  Result transform_error(F&& change) && {
    return has_value() ? std::move(*this)
                       : Result(Unexpected(std::invoke(std::forward<F>(change), std::move(*this).error())));
  }

  /// Whether there is a value and it equals `value`. (Errors do not compare: they carry a trail.)
  friend bool operator==(const Result& result, const T& value) requires std::equality_comparable<T> {
    return result.has_value() && *result == value;
  }

  friend void swap(Result& left, Result& right) noexcept(noexcept(left.state_.swap(right.state_))) {
    left.state_.swap(right.state_);
  }

 private:
  template <class Self, class F>
  static auto chain(Self&& self, F&& then) {
    using Next = std::remove_cvref_t<std::invoke_result_t<F, decltype(*std::forward<Self>(self))>>;
    return self.has_value() ? std::invoke(std::forward<F>(then), *std::forward<Self>(self))
                            : Next(Unexpected(std::forward<Self>(self).error()));
  }

  template <class Self, class F>
  static auto map(Self&& self, F&& change) {
    using Next = Result<std::remove_cvref_t<std::invoke_result_t<F, decltype(*std::forward<Self>(self))>>>;
    return self.has_value() ? Next(std::invoke(std::forward<F>(change), *std::forward<Self>(self)))
                            : Next(Unexpected(std::forward<Self>(self).error()));
  }

  std::variant<T, Error> state_;
};

}  // namespace tokenpool
