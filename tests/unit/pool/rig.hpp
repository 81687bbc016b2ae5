#pragma once
// A pool with a clock of its own and one-word answers, so that a test reads as what happened.

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/policy/round_robin.hpp"
#include "tokenpool/pool/pool.hpp"

namespace test {

using namespace std::chrono_literals;
using namespace tokenpool;

/// Tokens "t0", "t1"... with secrets of their own.
inline std::vector<Token> tokens(std::size_t count) {
  std::vector<Token> made;
  for (std::size_t i = 0; i < count; ++i) {
    made.push_back({.secret = "secret-" + std::to_string(i), .id = "t" + std::to_string(i)});
  }
  return made;
}

inline Classification success() { return {}; }
inline Classification limited(std::optional<std::chrono::milliseconds> rest = {},
                              LimitScope scope = LimitScope::unknown) {
  return {.verdict = Verdict::rate_limited, .scope = scope, .rest = rest, .try_another_token = true};
}
inline Classification invalid(bool has_code = true) {
  return {
      .verdict = Verdict::token_invalid, .try_another_token = true, .eject = has_code, .reason = "revoked"};
}
inline Classification meaning(Verdict verdict) { return {.verdict = verdict}; }

/// Randomness without any: no jitter.
struct NoJitter final : RandomSource {
  std::uint64_t bits() override { return 0; }
};

template <class Policy = RoundRobin>
class Rig {
 public:
  explicit Rig(PoolOptions options, Policy policy = {})
      : pool_(without_jitter(std::move(options)), std::move(policy)) {}

  TokenPool<Policy>& pool() { return pool_; }
  [[nodiscard]] Now now() const { return {SteadyTime{1000s} + passed_, WallTime{1'700'000'000s}}; }
  void pass(Duration time) { passed_ += time; }
  void pass_to(SteadyTime when) { passed_ = when - SteadyTime{1000s}; }

  Acquired acquire(const LeaseRequest& request = {}) { return pool_.acquire(request, now()); }

  Lease lease(const LeaseRequest& request = {}) {
    Acquired acquired = acquire(request);
    REQUIRE(std::holds_alternative<Lease>(acquired));
    return std::get<Lease>(std::move(acquired));
  }
  NotUntil refused(const LeaseRequest& request = {}) {
    Acquired acquired = acquire(request);
    REQUIRE(std::holds_alternative<NotUntil>(acquired));
    return std::get<NotUntil>(acquired);
  }
  Never never(const LeaseRequest& request = {}) {
    Acquired acquired = acquire(request);
    REQUIRE(std::holds_alternative<Never>(acquired));
    return std::get<Never>(acquired);
  }
  bool has_room(const LeaseRequest& request = {}) { return std::holds_alternative<Lease>(acquire(request)); }
  Duration wait(const LeaseRequest& request = {}) { return refused(request).when - now().steady; }

  SettleResult answer(Lease& lease, const Classification& meaning = success(),
                      std::optional<std::int64_t> cost = {}) {
    return lease.settle({.meaning = meaning, .answered = true, .answered_at = now().steady, .cost = cost},
                        now());
  }

  /// One request, answered at once.
  std::string once(const Classification& meaning = success(), const LeaseRequest& request = {}) {
    Lease sent = lease(request);
    answer(sent, meaning);
    return sent.credential().token_id;
  }
  void times(int count, const LeaseRequest& request = {}) {
    for (int i = 0; i < count; ++i) {
      once(success(), request);
    }
  }

  PoolSnapshot snapshot() { return pool_.snapshot(now()); }
  TokenSnapshot token(const std::string& id) {
    for (const TokenSnapshot& one : snapshot().tokens) {
      if (one.id == id) {
        return one;
      }
    }
    FAIL("no token " << id);
    return {};
  }

 private:
  static PoolOptions without_jitter(PoolOptions options) {
    if (!options.random) {
      options.random = std::make_shared<NoJitter>();
    }
    return options;
  }

  TokenPool<Policy> pool_;
  Duration passed_{};
};

}  // namespace test
