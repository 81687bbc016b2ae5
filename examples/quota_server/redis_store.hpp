#pragma once

// Counts in a Redis server, which several quota servers share: each question is one script, so that it is
// whole, and the time is the Redis server's, so that clocks that differ do not matter.

#include <hiredis/hiredis.h>

#include <memory>
#include <string>

#include "redis_address.hpp"
#include "store.hpp"

namespace quota_server {

/// Whose time counts: that of the Redis server, or what the caller hands in (for tests).
enum class TimeOf { server, caller };

/// A failed question is not repeated, since it may have been counted; the next one connects anew. Not
/// thread-safe: its gate calls it under a lock.
class RedisStore : public Store {
 public:
  /// Connects with the first question. Ignores SIGPIPE in this process: hiredis writes without asking.
  RedisStore(RedisAddress address, const Quota& quota, TimeOf time = TimeOf::server);

  /// Throws StoreUnavailable.
  Decision take(const std::vector<Key>& keys, Time now) override;

  /// Throws StoreUnavailable.
  std::size_t used(const Key& key, Time now) override;

 private:
  using Reply = std::unique_ptr<redisReply, void (*)(void*)>;

  Reply ask(const char* verb, const std::vector<Key>& keys, Time now);
  void connect();
  [[noreturn]] void fail(const std::string& reason, Time now);

  RedisAddress address_;
  Quota quota_;
  TimeOf time_;
  std::unique_ptr<redisContext, void (*)(redisContext*)> connection_{nullptr, redisFree};
  std::string failure_{};
  Time silent_until_{};
};

}  // namespace quota_server
