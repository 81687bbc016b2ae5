#pragma once
// What happened lately, for the page: counts for each second of the last ten minutes, and the last news.

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "tokenpool/client/observer.hpp"

namespace gateway {

/// One second.
struct Second {
  std::int64_t t = 0;              ///< since 1970
  std::uint64_t requests = 0;      ///< that went to the server
  std::uint64_t retries = 0;       ///< calls that went on with another request
  std::uint64_t rate_limited = 0;  ///< requests that were refused for a limit
  std::uint64_t failures = 0;      ///< requests that failed otherwise
};

/// One event.
struct News {
  std::uint64_t id = 0;
  std::int64_t time_ms = 0;  ///< since 1970
  std::string kind{};        ///< "rest", "ejected" ...; a token's, or the pool's
  std::string token{};
  std::string scope{};
  std::string text{};
};

/// Listens to a client and remembers. Thread-safe.
class Chronicle {
 public:
  static constexpr std::size_t seconds_kept = 600;
  static constexpr std::size_t news_kept = 100;

  /// `changed` is called outside of any lock, on whatever thread, when something happened.
  explicit Chronicle(std::function<void()> changed = {}) : changed_(std::move(changed)) {}

  /// What the client is to be given; must not outlive this object.
  tokenpool::Observer observer();

  void tell(std::string kind, std::string token, std::string scope, std::string text);

  /// The second that has just ended, when a new one begins at `now`; the gaps between are filled.
  void turn_to(std::int64_t now);

  /// The whole seconds so far, the oldest first.
  [[nodiscard]] std::vector<Second> seconds() const;
  /// News with an id above `after`, the oldest first.
  [[nodiscard]] std::vector<News> news(std::uint64_t after = 0) const;

 private:
  void count(const tokenpool::Attempt& attempt);
  void change() const;

  std::function<void()> changed_;
  mutable std::mutex mutex_;
  Second current_;
  std::deque<Second> seconds_;
  std::deque<News> news_;
  std::uint64_t last_id_ = 0;
};

}  // namespace gateway
