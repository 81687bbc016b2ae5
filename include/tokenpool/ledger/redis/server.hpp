#pragma once
// The way to one Redis server: a connection for each question that is under way, scripts that are loaded
// once, and the manners of somebody whose server may be gone: one try more where a kept connection had died,
// then a back-off in which nobody knocks.

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/base/numbers.hpp"
#include "tokenpool/ledger/redis/connection.hpp"

namespace tokenpool::detail {

/// A script, known by its hash once the server has seen it.
struct RedisScript {
  std::string text{};
  std::string hash{};
};

/// Thread-safe. Every function throws Error{ledger} when the server cannot be asked.
class RedisServer {
 public:
  explicit RedisServer(RedisOptions options)
      : options_(std::move(options)), endpoint_{options_.host, options_.port} {}

  /// Runs the script with what `arguments(run_id)` gives: `keys` and `words`. It must be one that may run
  /// twice. An answer is of no use after `patience`; 0: no bound but the options'.
  template <class MakeArguments>
  RedisReply run(RedisScript& script, std::chrono::milliseconds patience, MakeArguments&& arguments) {
    if (patience.count() <= 0) {
      patience = (std::chrono::milliseconds::max)();
    }
    for (int moves = 0;;) {
      auto [connection, kept] = take(patience);
      try {
        connection->set_timeout((std::min)(options_.timeout, patience));
        RedisReply reply = evaluate(*connection, script, arguments(connection->run_id()));
        const std::string_view word = error_word(*reply);
        if (word == "MOVED" && moves++ < most_moves) {
          follow(text_of(*reply));
          continue;
        }
        if (!word.empty()) {
          fail(std::string(text_of(*reply)), word == "READONLY");
        }
        give_back(std::move(connection));
        return reply;
      } catch (const RedisLost& lost) {
        if (!kept || lost.timed_out) {
          fail(lost.what(), true);
        }
        forget_idle();  // the others are as old
      }
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int most_moves = 3;

  struct Taken {
    std::unique_ptr<RedisConnection> connection;
    bool kept = false;  ///< it was used before, and may have died since
  };

  Taken take(std::chrono::milliseconds patience) {
    RedisEndpoint endpoint;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Taken taken{std::move(idle_.back()), true};
        idle_.pop_back();
        return taken;
      }
      if (Clock::now() < silent_until_) {
        throw unreachable(failure_);
      }
      endpoint = endpoint_;
    }
    try {
      return {std::make_unique<RedisConnection>(options_, endpoint, patience), false};
    } catch (const RedisLost& lost) {
      fail(lost.what(), true);
    } catch (const Error& refused) {
      back_off(refused.what());
      throw;
    }
  }

  void give_back(std::unique_ptr<RedisConnection> connection) {
    const std::lock_guard lock(mutex_);
    failures_ = 0;
    idle_.push_back(std::move(connection));
  }

  void forget_idle() {
    std::vector<std::unique_ptr<RedisConnection>> gone;
    const std::lock_guard lock(mutex_);
    gone.swap(idle_);
  }

  template <class Arguments>
  RedisReply evaluate(RedisConnection& connection, RedisScript& script, const Arguments& arguments) {
    std::string hash = hash_of(script);
    for (bool loaded = false;; loaded = true) {
      if (hash.empty()) {
        hash = load(connection, script);
      }
      RedisCommand command;
      command.add("EVALSHA");
      command.add(hash);
      command.add(arguments.keys.words());
      command.add(arguments.keys);
      command.add(arguments.words);
      RedisReply reply = connection.ask(command);
      if (loaded || error_word(*reply) != "NOSCRIPT") {
        return reply;
      }
      hash.clear();
    }
  }

  [[nodiscard]] std::string hash_of(const RedisScript& script) {
    const std::lock_guard lock(mutex_);
    return script.hash;
  }

  std::string load(RedisConnection& connection, RedisScript& script) {
    RedisCommand command;
    command.add("SCRIPT");
    command.add("LOAD");
    command.add(script.text);
    const RedisReply reply = connection.ask(command);
    if (reply->type != REDIS_REPLY_STRING) {
      fail("it does not load a script: " + std::string(text_of(*reply)), false);
    }
    const std::lock_guard lock(mutex_);
    script.hash = text_of(*reply);
    return script.hash;
  }

  /// "MOVED 1234 10.0.0.2:6380": another node of the cluster has our keys.
  void follow(std::string_view moved) {
    const std::string_view place = moved.substr(moved.rfind(' ') + 1);
    const std::size_t colon = place.rfind(':');
    const auto port =
        colon == std::string_view::npos ? std::nullopt : parse_whole<int>(place.substr(colon + 1));
    if (!port) {
      fail(std::string(moved), true);
    }
    forget_idle();
    const std::lock_guard lock(mutex_);
    const std::string host(place.substr(0, colon));
    endpoint_ = {host.empty() ? endpoint_.host : host, *port};
  }

  /// Ends the question. `for_all`: others would fare no better, so for a while nobody tries.
  [[noreturn]] void fail(const std::string& reason, bool for_all) {
    if (for_all) {
      forget_idle();
      back_off(reason);
    }
    throw unreachable(reason);
  }

  void back_off(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    if (now >= silent_until_) {  // threads that fail together are one failure
      constexpr unsigned most_doublings = 20;
      const auto wait = options_.first_backoff * (1U << (std::min)(failures_++, most_doublings));
      silent_until_ = now + (std::min)(wait, options_.longest_backoff);
      failure_ = reason;
      endpoint_ = {options_.host, options_.port};
    }
  }

  [[nodiscard]] Error unreachable(const std::string& reason) const {
    const RedisEndpoint configured{options_.host, options_.port};
    return {ErrorCode::ledger, "Redis at " + configured.text() + ": " + reason};
  }

  RedisOptions options_;
  std::mutex mutex_;
  RedisEndpoint endpoint_;
  std::vector<std::unique_ptr<RedisConnection>> idle_;
  unsigned failures_ = 0;
  Clock::time_point silent_until_{};
  std::string failure_;
};

}  // namespace tokenpool::detail
