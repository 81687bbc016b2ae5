#pragma once

// Who may pass: the token must be known and alive, and its rule must have room. One lock makes each ruling
// whole, and the clock is read under it, so that rulings lie in order of time.

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store.hpp"
#include "time.hpp"
#include "tokens.hpp"

namespace quota_server {

enum class Rule {
  per_token,    ///< each token has its quota, wherever it is used
  token_and_ip  ///< the same, and each IP has one too, over all tokens
};

enum class Outcome { admitted, refused, unauthorised };

struct Ruling {
  Outcome outcome{};
  Time now{};
  Scope scope{};   ///< when refused, as in Decision
  Time free_at{};  ///< when refused, as in Decision
};

/// Thread-safe. Its functions throw StoreUnavailable.
class Gate {
 public:
  Gate(Rule rule, const Tokens& tokens, std::unique_ptr<Store> store, Clock clock)
      : rule_(rule),
        tokens_(tokens),
        store_(std::move(store)),
        clock_(std::move(clock)),
        served_(tokens.size()) {}

  Ruling admit(std::optional<std::size_t> token, const std::string& ip) {
    const std::lock_guard lock(mutex_);
    const Time now = clock_();
    if (!token || tokens_.dead_after(*token, served_[*token])) return {Outcome::unauthorised, now};
    const Decision decision = store_->take(keys(*token, ip), now);
    if (!decision.admitted) return {Outcome::refused, now, decision.scope, decision.free_at};
    ++served_[*token];
    return {Outcome::admitted, now};
  }

  std::size_t used_by_token(std::size_t token) { return used({Scope::token, tokens_.value(token)}); }

  std::size_t used_by_ip(const std::string& ip) { return used({Scope::ip, ip}); }

 private:
  std::vector<Key> keys(std::size_t token, const std::string& ip) const {
    std::vector<Key> keys{{Scope::token, tokens_.value(token)}};
    if (rule_ == Rule::token_and_ip) keys.push_back({Scope::ip, ip});
    return keys;
  }

  std::size_t used(const Key& key) {
    const std::lock_guard lock(mutex_);
    return store_->used(key, clock_());
  }

  Rule rule_;
  const Tokens& tokens_;
  std::unique_ptr<Store> store_;
  Clock clock_;
  std::vector<std::size_t> served_;
  std::mutex mutex_;
};

}  // namespace quota_server
