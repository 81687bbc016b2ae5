#pragma once
// A value or an Error, with the interface of std::expected<T, Error>. Our own on every compiler: a public
// type that changes with the language standard of the including program would break the one-definition rule.

#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

#include "tokenpool/base/error.hpp"

namespace tokenpool {

/// Makes the failed Result: `return Unexpected(error);`
class Unexpected {
 public:
  explicit Unexpected(Error error) : error_(std::move(error)) {}
  [[nodiscard]] const Error& error() const& noexcept { return error_; }
  [[nodiscard]] Error&& error() && noexcept { return std::move(error_); }

 private:
  Error error_;
};

/// A `T` or the Error that stood in its way. Not thread-safe to change, like any value.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = Error;
  using unexpected_type = Unexpected;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Unexpected failure) : state_(std::in_place_index<1>, std::move(failure).error()) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value; throws the Error when there is none (where std::expected would throw a wrapper around it).
  [[nodiscard]] T& value() & { return has_value() ? **this : throw error(); }
  [[nodiscard]] const T& value() const& { return has_value() ? **this : throw error(); }
  [[nodiscard]] T&& value() && { return has_value() ? std::move(**this) : throw error(); }

  /// The value; undefined without one, as in std::expected.
  [[nodiscard]] T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  [[nodiscard]] const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  [[nodiscard]] T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  [[nodiscard]] T* operator->() noexcept { return std::get_if<0>(&state_); }
  [[nodiscard]] const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  /// The Error; undefined when there is a value, as in std::expected.
  [[nodiscard]] Error& error() & noexcept { return *std::get_if<1>(&state_); }
  [[nodiscard]] const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  [[nodiscard]] Error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

  template <class U>
  [[nodiscard]] T value_or(U&& fallback) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(fallback));
  }
  template <class U>
  [[nodiscard]] T value_or(U&& fallback) && {
    return has_value() ? std::move(**this) : static_cast<T>(std::forward<U>(fallback));
  }

  /// `then(value)`, itself a Result, or this Error.
  template <class F>
  auto and_then(F&& then) const& -> std::remove_cvref_t<std::invoke_result_t<F, const T&>> {
    using Next = std::remove_cvref_t<std::invoke_result_t<F, const T&>>;
    return has_value() ? std::invoke(std::forward<F>(then), **this) : Next(Unexpected(error()));
  }
  template <class F>
  auto and_then(F&& then) && -> std::remove_cvref_t<std::invoke_result_t<F, T&&>> {
    using Next = std::remove_cvref_t<std::invoke_result_t<F, T&&>>;
    return has_value() ? std::invoke(std::forward<F>(then), std::move(**this))
                       : Next(Unexpected(std::move(*this).error()));
  }

  /// `change(value)` as a Result, or this Error.
  template <class F>
  auto transform(F&& change) const& -> Result<std::remove_cvref_t<std::invoke_result_t<F, const T&>>> {
    using Next = Result<std::remove_cvref_t<std::invoke_result_t<F, const T&>>>;
    return has_value() ? Next(std::invoke(std::forward<F>(change), **this)) : Next(Unexpected(error()));
  }

  /// This value, or `recover(error)`, itself a Result<T>.
  template <class F>
  Result or_else(F&& recover) const& {
    return has_value() ? *this : Result(std::invoke(std::forward<F>(recover), error()));
  }

  /// This value, or `change(error)`.
  template <class F>
  Result transform_error(F&& change) const& {
    return has_value() ? *this : Result(Unexpected(std::invoke(std::forward<F>(change), error())));
  }

 private:
  std::variant<T, Error> state_;
};

}  // namespace tokenpool
