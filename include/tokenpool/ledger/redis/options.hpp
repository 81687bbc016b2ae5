#pragma once
// Where the Redis server of a ledger is and how it is spoken to.

#include <chrono>
#include <functional>
#include <string>

#include "tokenpool/base/secret.hpp"

struct redisContext;

namespace tokenpool {

/// A plain value. All processes that share counts need the same server, database and prefix.
struct RedisOptions {
  std::string host = "127.0.0.1";  ///< name or address; a path beginning with "/" is a Unix socket
  int port = 6379;                 ///< 1 to 65535; unused with a Unix socket
  std::string user{};              ///< of Redis 6's access control; empty: the default user
  Secret password{};               ///< empty: none is sent
  int database = 0;                ///< at least 0; a cluster has only 0

  /// Makes the connection secure before anything is said: redis_tls() of <tokenpool/ledger/redis_tls.hpp>.
  /// Throws Error{ledger} when it cannot. Default: none.
  std::function<void(redisContext&, const std::string& host)> secure{};

  /// Begins the name of each key, as the hash tag that keeps all of them in one slot of a cluster. Pools with
  /// different prefixes know nothing of each other.
  std::string prefix = "tokenpool";

  std::chrono::milliseconds connect_timeout = std::chrono::seconds(2);  ///< above 0
  std::chrono::milliseconds timeout = std::chrono::seconds(1);          ///< for an answer; above 0

  /// @{
  /// How long nobody tries to connect after a failure: this, doubling up to the longest. Questions fail at
  /// once meanwhile. At least 1 ms; the longest well below LedgerOptions::republish_within, in which each
  /// process has to find a server that is back.
  std::chrono::milliseconds first_backoff = std::chrono::milliseconds(50);
  std::chrono::milliseconds longest_backoff = std::chrono::milliseconds(500);
  /// @}
};

}  // namespace tokenpool
