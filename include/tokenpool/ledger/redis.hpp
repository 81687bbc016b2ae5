#pragma once
// A ledger on a Redis server, for pools on several machines: one round trip and one script per lease, by the
// server's clock. Needs hiredis; CMake: find_package(tokenpool COMPONENTS redis), tokenpool::redis.
//
// Redis 6.0 and later, 7, 8 and Valkey; a cluster; not Sentinel. The server must not throw keys away while
// they count, so its maxmemory-policy is noeviction. A server that starts with what it saved is asked on; one
// that comes back with less than it had told of begins a new epoch, as an emptied one does. Its clock must
// not be set forward by hand: what was counted would expire early.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/ledger/redis/options.hpp"
#include "tokenpool/ledger/redis/question.hpp"
#include "tokenpool/ledger/redis/script.hpp"
#include "tokenpool/ledger/redis/server.hpp"
#include "tokenpool/quota/ledger.hpp"

namespace tokenpool {

namespace detail {

/// Throws Error{invalid_request} that names the first unfit field.
inline const RedisOptions& checked(const RedisOptions& options) {
  const auto require = [](bool fit, const std::string& otherwise) {
    if (!fit) {
      throw Error(ErrorCode::invalid_request, "RedisOptions." + otherwise);
    }
  };
  const auto ms = [](std::chrono::milliseconds length) { return std::to_string(length.count()) + " ms"; };
  require(!options.host.empty(), "host is empty: give a name, an address or the path of a Unix socket");
  require(options.port >= 1 && options.port <= 65535,
          "port is " + std::to_string(options.port) + ": give 1 to 65535");
  require(options.database >= 0, "database is " + std::to_string(options.database) + ": give at least 0");
  require(!options.prefix.empty() && options.prefix.find_first_of("{}") == std::string::npos,
          "prefix is \"" + options.prefix + "\": give a name without braces, for example \"tokenpool\"");
  require(options.connect_timeout.count() > 0,
          "connect_timeout is " + ms(options.connect_timeout) + ": give a time above 0");
  require(options.timeout.count() > 0, "timeout is " + ms(options.timeout) + ": give a time above 0");
  require(options.first_backoff.count() > 0 && options.longest_backoff >= options.first_backoff,
          "first_backoff is " + ms(options.first_backoff) + " and longest_backoff " +
              ms(options.longest_backoff) + ": give a first wait above 0 and a longest not below it");
  return options;
}

}  // namespace detail

/// Counts, rests and ejections on a Redis server. Thread-safe: each question under way has a connection of
/// its own, which is kept. Not to be carried over a fork: make one in the child.
/// @code
/// auto ledger = std::make_shared<tokenpool::RedisLedger>(tokenpool::RedisOptions{.host = "redis.local"});
/// @endcode
class RedisLedger final : public Ledger {
 public:
  /// Connects with the first question. Throws Error{invalid_request} for unfit options.
  explicit RedisLedger(const RedisOptions& options)
      : keys_(detail::checked(options).prefix), server_(options), next_epoch_(random_number()) {}

  LedgerAnswer ask(const LedgerQuestion& question) override {
    const auto arguments = [&](std::string_view run_id) {
      return detail::RedisQuestion(keys_, question,
                                   {.candidate = next_epoch_.fetch_add(2) | 1U,
                                    .run_id = run_id,
                                    .leases = leases_of(question.epoch)})
          .arguments();
    };
    const detail::RedisReply reply = server_.run(ask_, question.patience, arguments);
    std::optional<detail::RedisAnswer> read = detail::redis_answer(*reply, question.claims.size());
    if (!read) {
      throw Error(ErrorCode::ledger, "Redis gave an answer that is none of the ledger's script");
    }
    remember(read->answer.epoch, read->leases);
    return std::move(read->answer);
  }

  std::vector<LedgerCount> read(std::span<const Claim> places) override {
    detail::RedisArguments arguments;
    for (const Claim& place : places) {
      arguments.keys.add(keys_.place(place));
    }
    const detail::RedisReply reply =
        server_.run(read_, {}, [&](std::string_view) -> const detail::RedisArguments& { return arguments; });
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 * places.size()) {
      throw Error(ErrorCode::ledger, "Redis gave an answer that is none of the ledger's script");
    }
    std::vector<LedgerCount> counts;
    for (std::size_t i = 0; i < reply->elements; i += 2) {
      counts.push_back({detail::number_in<std::int64_t>(*reply->element[i]),
                        std::chrono::milliseconds(detail::number_in<std::int64_t>(*reply->element[i + 1]))});
    }
    return counts;
  }

 private:
  static std::uint64_t random_number() {
    std::random_device device;
    return std::uint64_t{device()} << 32U | device();
  }

  /// How many leases the store has told of in `epoch`: one that knows of fewer has lost some.
  std::int64_t leases_of(std::uint64_t epoch) {
    const std::lock_guard lock(mutex_);
    return epoch != 0 && epoch == epoch_ ? leases_ : 0;
  }

  void remember(std::uint64_t epoch, std::int64_t leases) {
    const std::lock_guard lock(mutex_);
    leases_ = epoch == epoch_ ? (std::max)(leases_, leases) : leases;
    epoch_ = epoch;
  }

  detail::RedisKeys keys_;
  detail::RedisServer server_;
  detail::RedisScript ask_{std::string(detail::redis_places) + detail::redis_ask};
  detail::RedisScript read_{std::string(detail::redis_places) + detail::redis_read};
  std::atomic<std::uint64_t> next_epoch_;
  std::mutex mutex_;
  std::uint64_t epoch_ = 0;
  std::int64_t leases_ = 0;
};

}  // namespace tokenpool
