#pragma once
// What all calls of one simulation share: time, the pool under test, the service, and who listens.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dice.hpp"
#include "event_loop.hpp"
#include "listener.hpp"
#include "service.hpp"
#include "tokenpool/policy/any_policy.hpp"
#include "tokenpool/pool/pool.hpp"
#include "tokenpool/retry/budget.hpp"
#include "world.hpp"

namespace simulator {

using Pool = tokenpool::TokenPool<tokenpool::AnyPolicy>;

/// Seconds since 1970 at which every simulation begins.
inline constexpr std::int64_t first_second = 1'704'067'200;

class Stage {
 public:
  Stage(const World& setting, Dice given)
      : world(setting),
        dice(given),
        service(setting.service, dice.fork()),
        pool({.tokens = setting.tokens,
              .limits = setting.limits,
              .egress = setting.egress,
              .random = std::make_shared<tokenpool::SplitMix64>(dice.bits())},
             tokenpool::AnyPolicy(setting.policy)),
        budget(setting.retry.budget),
        random(dice.bits()) {
    for (const tokenpool::Token& token : setting.tokens) {
      know(token);
    }
  }

  World world;
  Dice dice;
  Service service;
  Pool pool;
  tokenpool::RetryBudget budget;
  tokenpool::SplitMix64 random;
  std::uint64_t searches = 0;
  EventLoop loop;  ///< the last one: events hold leases, which must not outlive their pool

  /// The client's clocks at an instant.
  static tokenpool::SteadyTime steady(Instant at) {
    return tokenpool::SteadyTime(std::chrono::seconds(1000)) +
           std::chrono::duration_cast<tokenpool::Duration>(at);
  }
  [[nodiscard]] tokenpool::Now now() const {
    return {steady(loop.now()), tokenpool::WallTime(std::chrono::duration_cast<tokenpool::WallTime::duration>(
                                    std::chrono::seconds(first_second) + loop.now()))};
  }
  static Instant instant(tokenpool::SteadyTime at) {
    return at == tokenpool::end_of_time ? never : at.time_since_epoch() - std::chrono::seconds(1000);
  }

  /// The seconds that the service's clock shows.
  [[nodiscard]] std::int64_t server_seconds() const {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::seconds(first_second) + loop.now() +
                                                    service.options().clock_offset)
        .count();
  }

  /// The service learns whose token it is.
  void know(const tokenpool::Token& token) { accounts_[token.id] = token.account; }
  [[nodiscard]] std::string account_of(const std::string& token) const {
    const auto found = accounts_.find(token);
    return found == accounts_.end() || found->second.empty() ? "of " + token : found->second;
  }

  void add(Listener& listener) { listeners_.push_back(&listener); }

  /// Calls `tell(listener)` for each.
  template <class F>
  void tell(F&& tell) {
    std::for_each(listeners_.begin(), listeners_.end(), [&](Listener* listener) { tell(*listener); });
  }

 private:
  std::map<std::string, std::string> accounts_;
  std::vector<Listener*> listeners_;
};

}  // namespace simulator
