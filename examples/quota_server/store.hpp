#pragma once

// Where the counts live. A request is counted for all of its keys or for none, so the question and the count
// are one step: a store that other servers share can answer it in one script.

#include <chrono>
#include <compare>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "time.hpp"
#include "windows.hpp"

namespace quota_server {

/// What a limit is counted for.
enum class Scope { token, ip };

inline const char* to_string(Scope scope) { return scope == Scope::token ? "token" : "ip"; }

struct Key {
  Scope scope{};
  std::string name{};

  auto operator<=>(const Key&) const = default;
};

/// The allowance that each key has.
struct Quota {
  std::size_t amount = 100;  ///< at least 1
  std::chrono::milliseconds window = std::chrono::hours{24};
  WindowKind kind = WindowKind::fixed;
  bool count_refused = false;  ///< a refused request counts as well
};

struct Decision {
  bool admitted = false;
  Scope scope{};   ///< when refused: the full key that has room last
  Time free_at{};  ///< when refused: the instant at which all keys have room
};

/// Nobody can say what counts: the store is elsewhere and does not answer.
class StoreUnavailable : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Store {
 public:
  virtual ~Store() = default;

  /// Counts a request for every key if each of them has room at `now`, else for none (or, where refused
  /// requests count, for all).
  virtual Decision take(const std::vector<Key>& keys, Time now) = 0;

  /// Requests that count for the key at `now`; 0 for a key never seen.
  virtual std::size_t used(const Key& key, Time now) = 0;
};

}  // namespace quota_server
