#pragma once
// One connection to a Redis server: opened, secured, signed in. hiredis does the talking.

#include <hiredis/hiredis.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tokenpool/base/error.hpp"
#include "tokenpool/ledger/redis/command.hpp"
#include "tokenpool/ledger/redis/options.hpp"
#include "tokenpool/ledger/redis/sigpipe.hpp"

namespace tokenpool::detail {

/// The connection is gone; whether the command was carried out is unknown.
struct RedisLost : std::runtime_error {
  RedisLost(const std::string& why, bool timed_out_) : std::runtime_error(why), timed_out(timed_out_) {}
  bool timed_out;  ///< it took too long, so that another try would as well
};

using RedisReply = std::unique_ptr<redisReply, void (*)(void*)>;

inline std::string_view text_of(const redisReply& reply) noexcept {
  return reply.str == nullptr ? std::string_view() : std::string_view(reply.str, reply.len);
}

/// "NOSCRIPT", "MOVED", ...: the first word of an error; empty when `reply` is none.
inline std::string_view error_word(const redisReply& reply) noexcept {
  const std::string_view text = reply.type == REDIS_REPLY_ERROR ? text_of(reply) : std::string_view();
  return text.substr(0, text.find(' '));
}

/// Where a server is; a cluster may name another place than the options do.
struct RedisEndpoint {
  std::string host{};
  int port = 0;

  [[nodiscard]] bool is_path() const noexcept { return !host.empty() && host.front() == '/'; }
  [[nodiscard]] std::string text() const { return is_path() ? host : host + ":" + std::to_string(port); }
};

/// Used by one thread at a time.
class RedisConnection {
 public:
  /// Throws RedisLost when the server cannot be reached, Error{ledger} when it does not let us in.
  RedisConnection(const RedisOptions& options, const RedisEndpoint& endpoint,
                  std::chrono::milliseconds patience)
      : context_(open(endpoint, (std::min)(options.connect_timeout, patience)), redisFree) {
    if (context_ == nullptr) {
      throw std::bad_alloc();
    }
    if (context_->err != 0) {
      lost();
    }
    set_timeout((std::min)(options.timeout, patience));
    if (!endpoint.is_path()) {
      redisEnableKeepAlive(context_.get());
    }
    if (options.secure) {
      const WithoutSigpipe guard;
      options.secure(*context_, endpoint.host);
    }
    sign_in(options);
    read_run_id();
  }

  /// How long an answer may take from now on.
  void set_timeout(std::chrono::milliseconds timeout) {
    if (timeout != timeout_) {
      timeout_ = timeout;
      redisSetTimeout(context_.get(), to_timeval(timeout));
    }
  }

  /// The server's answer, which may be an error. Throws RedisLost.
  RedisReply ask(const RedisCommand& command) {
    const WithoutSigpipe guard;
    const std::string text = command.text();
    void* reply = nullptr;
    if (redisAppendFormattedCommand(context_.get(), text.data(), text.size()) != REDIS_OK ||
        redisGetReply(context_.get(), &reply) != REDIS_OK) {
      lost();
    }
    return {static_cast<redisReply*>(reply), freeReplyObject};
  }

  /// Changes each time the server starts; empty when it does not tell.
  [[nodiscard]] const std::string& run_id() const noexcept { return run_id_; }

 private:
  static timeval to_timeval(std::chrono::milliseconds length) {
    timeval converted{};
    converted.tv_sec = static_cast<decltype(converted.tv_sec)>(length.count() / 1000);
    converted.tv_usec = static_cast<decltype(converted.tv_usec)>(length.count() % 1000 * 1000);
    return converted;
  }

  static redisContext* open(const RedisEndpoint& endpoint, std::chrono::milliseconds patience) {
    const timeval timeout = to_timeval(patience);
    return endpoint.is_path() ? redisConnectUnixWithTimeout(endpoint.host.c_str(), timeout)
                              : redisConnectWithTimeout(endpoint.host.c_str(), endpoint.port, timeout);
  }

  [[noreturn]] void lost() const {
    const bool timed_out = context_->err == REDIS_ERR_IO && (errno == EAGAIN || errno == ETIMEDOUT);
    throw RedisLost(timed_out ? "no answer in time" : context_->errstr, timed_out);
  }

  /// An answer may repeat what it was told, so of a refusal only the first word is shown.
  void sign_in(const RedisOptions& options) {
    if (!options.user.empty() || !options.password.empty()) {
      RedisCommand command;
      command.add("AUTH");
      if (!options.user.empty()) {
        command.add(options.user);
      }
      command.add(options.password.reveal());
      const RedisReply reply = ask(command);
      if (const auto word = error_word(*reply); !word.empty()) {
        throw Error(ErrorCode::ledger,
                    "Redis refused user and password (" + std::string(word) + "): check RedisOptions");
      }
    }
    if (options.database != 0) {
      RedisCommand command;
      command.add("SELECT");
      command.add(options.database);
      const RedisReply reply = ask(command);
      if (reply->type == REDIS_REPLY_ERROR) {
        throw Error(ErrorCode::ledger, "Redis refused database " + std::to_string(options.database) + ": " +
                                           std::string(text_of(*reply)));
      }
    }
  }

  void read_run_id() {
    constexpr std::string_view field = "run_id:";
    RedisCommand command;
    command.add("INFO");
    command.add("server");
    const RedisReply reply = ask(command);
    const std::string_view text = text_of(*reply);
    const std::size_t at = text.find(field);
    if (reply->type != REDIS_REPLY_ERROR && at != std::string_view::npos) {
      const std::string_view rest = text.substr(at + field.size());
      run_id_ = rest.substr(0, rest.find('\r'));
    }
  }

  std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
  std::chrono::milliseconds timeout_{};
  std::string run_id_;
};

}  // namespace tokenpool::detail
