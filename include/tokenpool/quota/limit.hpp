#pragma once
// What a server allows, as plain data: so many units per window, counted apart by scope.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tokenpool/base/time.hpp"

namespace tokenpool {

/// The dimensions by which a server counts apart; combine them with `|`. `pool` (no dimension) counts
/// everything together.
enum class Scope : std::uint8_t { pool = 0, token = 1, account = 2, egress = 4, bucket = 8 };

/// The dimensions of both.
constexpr Scope operator|(Scope left, Scope right) noexcept {
  return static_cast<Scope>(static_cast<unsigned>(left) | static_cast<unsigned>(right));
}

/// `scope` without the dimensions of `less`.
constexpr Scope operator-(Scope scope, Scope less) noexcept {
  return static_cast<Scope>(static_cast<unsigned>(scope) & ~static_cast<unsigned>(less));
}

/// Whether `scope` counts apart by `dimension`.
constexpr bool has(Scope scope, Scope dimension) noexcept {
  return (static_cast<unsigned>(scope) & static_cast<unsigned>(dimension)) != 0;
}

/// "token", "token+bucket", "pool" for the empty set.
inline std::string to_string(Scope scope) {
  std::string text;
  const auto name = [&](Scope dimension, std::string_view word) {
    if (has(scope, dimension)) {
      text.append(text.empty() ? "" : "+").append(word);
    }
  };
  name(Scope::token, "token");
  name(Scope::account, "account");
  name(Scope::egress, "egress");
  name(Scope::bucket, "bucket");
  return text.empty() ? "pool" : text;
}

/// What is counted.
enum class Unit : std::uint8_t {
  requests,   ///< each request is one
  cost,       ///< what `Request::cost` estimates, corrected once the true figure is known
  in_flight,  ///< requests under way at the same time; has no window
};

/// The name of `unit` as written in the enumeration.
constexpr std::string_view to_string(Unit unit) noexcept {
  switch (unit) {
    case Unit::requests: return "requests";
    case Unit::cost: return "cost";
    case Unit::in_flight: return "in_flight";
  }
  return "unknown";
}

/// When the server counts a request, where that is known; it gives back capacity that the cautious default
/// costs (window.hpp has the proofs).
enum class Counted : std::uint8_t {
  unknown,     ///< at any moment between the first byte sent and the answer
  on_arrival,  ///< when the request arrives: occupies its units for a window after the latest instant by
               ///< which it surely had arrived (`Outcome::arrived_by`) instead of after its answer
  on_answer,   ///< when the answer is made: as cautious as `unknown`, since that may be at once or just now
};

/// At most `amount` units in any `window`, counted apart by `scope`.
struct Limit {
  std::int64_t amount = 0;             ///< at least 1
  std::chrono::milliseconds window{};  ///< above 0; unused with Unit::in_flight
  Scope scope = Scope::pool;           ///< what is counted apart
  Unit unit = Unit::requests;          ///< what is counted
  Counted counted = Counted::unknown;  ///< when the server counts, if that is known

  /// `amount` requests per `window`, counted apart by the dimensions of `scope`.
  static constexpr Limit per(Scope scope, std::int64_t amount, std::chrono::milliseconds window) noexcept {
    return {.amount = amount, .window = window, .scope = scope};
  }
  /// @{
  /// `amount` requests per `window` for each token, account, egress, or all of the pool.
  static constexpr Limit per_token(std::int64_t amount, std::chrono::milliseconds window) noexcept {
    return per(Scope::token, amount, window);
  }
  static constexpr Limit per_account(std::int64_t amount, std::chrono::milliseconds window) noexcept {
    return per(Scope::account, amount, window);
  }
  static constexpr Limit per_egress(std::int64_t amount, std::chrono::milliseconds window) noexcept {
    return per(Scope::egress, amount, window);
  }
  static constexpr Limit per_pool(std::int64_t amount, std::chrono::milliseconds window) noexcept {
    return per(Scope::pool, amount, window);
  }
  /// @}

  friend bool operator==(const Limit&, const Limit&) = default;
};

/// The latest instant at which a server that counts so can have counted a request that had arrived by
/// `arrived_by` and was answered at `answered`.
constexpr SteadyTime counted_by(Counted counted, SteadyTime arrived_by, SteadyTime answered) noexcept {
  return counted == Counted::on_arrival ? (std::min)(arrived_by, answered) : answered;
}

/// The largest amount of a limit; sums of what is counted against it cannot overflow.
inline constexpr std::int64_t largest_amount = 1'000'000'000'000'000'000;

/// What is wrong with `limit`, in one sentence that begins with `field`; nothing when it is fit.
inline std::optional<std::string> problem_with(const Limit& limit, const std::string& field) {
  if (limit.amount < 1) {
    return field + ".amount is " + std::to_string(limit.amount) +
           ": give an amount of at least 1, or leave the limit out";
  }
  if (limit.amount > largest_amount) {
    return field + ".amount is " + std::to_string(limit.amount) + ": give an amount of at most " +
           std::to_string(largest_amount) + ", or leave the limit out";
  }
  if (limit.unit != Unit::in_flight && limit.window <= std::chrono::milliseconds::zero()) {
    return field + ".window is " + std::to_string(limit.window.count()) +
           " ms: give a window above 0, for example 24h";
  }
  return std::nullopt;
}

}  // namespace tokenpool
