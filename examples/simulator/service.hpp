#pragma once
// A simulated service that counts requests and refuses what is too many: rules, the places in which they
// count, and what it says of a refusal.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "counter.hpp"
#include "dice.hpp"
#include "tokenpool/quota/limit.hpp"

namespace simulator {

/// A request as the service sees it.
struct Knock {
  std::string token{};
  std::string account{};
  std::uint32_t egress = 0;
  std::string bucket{};
  std::int64_t cost = 1;
};

/// One thing that the service counts.
struct Rule {
  tokenpool::Limit limit{};  ///< amount, window, scope and unit, as plain data
  WindowKind kind = WindowKind::fixed;
  Instant phase{};                              ///< when a fixed window begins
  std::function<bool(const Knock&)> applies{};  ///< empty: to every request

  [[nodiscard]] bool is_about(const Knock& knock) const { return !applies || applies(knock); }
  [[nodiscard]] std::int64_t units(const Knock& knock) const {
    return limit.unit == tokenpool::Unit::cost ? knock.cost : 1;
  }
};

/// When the service counts a request.
enum class CountedAt { arrival, answer, between };

/// How a refusal tells its end.
enum class Word { none, seconds, milliseconds, date };

struct ServiceOptions {
  std::vector<Rule> rules{};
  CountedAt counted_at = CountedAt::arrival;
  Word word = Word::seconds;
  bool names_scope = false;      ///< the body of a refusal says whose limit it was
  double broken = 0;             ///< share of requests answered 503, half of them after they were counted
  Length clock_offset{};         ///< of the server's clock against the client's
  std::set<std::string> dead{};  ///< tokens that are revoked
};

/// What the service decided.
struct Decision {
  int status = 200;
  std::optional<Length> opens_in{};  ///< of a refusal: when there is room again
  tokenpool::Scope scope{};          ///< of a refusal: whose limit it was
  bool counted = false;
};

/// The place in which a rule counts a request: those dimensions that it does not count apart are empty.
using PlaceKey = std::array<std::string, 4>;

inline PlaceKey place_key(tokenpool::Scope scope, const Knock& knock) {
  using tokenpool::Scope;
  const auto part = [scope](Scope dimension, const std::string& id) {
    return tokenpool::has(scope, dimension) ? id : std::string();
  };
  return {part(Scope::token, knock.token), part(Scope::account, knock.account),
          part(Scope::egress, std::to_string(knock.egress)), part(Scope::bucket, knock.bucket)};
}

class Service {
 public:
  Service(ServiceOptions options, Dice dice) : options_(std::move(options)), dice_(dice) {}

  [[nodiscard]] const ServiceOptions& options() const noexcept { return options_; }

  /// From now on a rule that counts requests in flight sees it.
  void arrive(const Knock& knock) {
    each_in_flight(knock, [](std::int64_t& in_flight, const Rule&) { ++in_flight; });
  }
  void leave(const Knock& knock) {
    each_in_flight(knock, [](std::int64_t& in_flight, const Rule&) { --in_flight; });
  }

  /// The request counts now, if it is admitted.
  Decision decide(const Knock& knock, Instant at) {
    if (options_.dead.count(knock.token) != 0) {
      return {.status = 401};
    }
    const bool broken = dice_.chance(options_.broken);
    if (broken && dice_.chance(0.5)) {
      return {.status = 503};
    }
    if (std::optional<Decision> refusal = refuse(knock, at)) {
      return *refusal;
    }
    for (std::size_t i = 0; i < options_.rules.size(); ++i) {
      if (const Rule& rule = options_.rules[i]; counts(rule, knock)) {
        counter(i, knock).count(rule.units(knock), at);
      }
    }
    return {.status = broken ? 503 : 200, .counted = true};
  }

 private:
  static bool counts(const Rule& rule, const Knock& knock) {
    return rule.limit.unit != tokenpool::Unit::in_flight && rule.is_about(knock);
  }

  /// The refusal that lasts longest, if any rule refuses.
  std::optional<Decision> refuse(const Knock& knock, Instant at) {
    std::optional<Decision> refusal;
    for (std::size_t i = 0; i < options_.rules.size(); ++i) {
      const Rule& rule = options_.rules[i];
      if (!counts(rule, knock)) {
        continue;
      }
      const Length wait = counter(i, knock).opens_at(rule.units(knock), at) - at;
      if (wait > Length::zero() && (!refusal || wait > *refusal->opens_in)) {
        refusal = {.status = 429, .opens_in = wait, .scope = rule.limit.scope};
      }
    }
    each_in_flight(knock, [&](const std::int64_t& in_flight, const Rule& rule) {
      if (in_flight > rule.limit.amount && !refusal) {
        refusal = {.status = 429, .opens_in = std::chrono::seconds(1), .scope = rule.limit.scope};
      }
    });
    return refusal;
  }

  Counter& counter(std::size_t rule, const Knock& knock) {
    const Rule& is = options_.rules[rule];
    return counters_
        .try_emplace({rule, place_key(is.limit.scope, knock)}, is.kind, is.limit.amount, is.limit.window,
                     is.phase)
        .first->second;
  }

  template <class F>
  void each_in_flight(const Knock& knock, F&& visit) {
    for (std::size_t i = 0; i < options_.rules.size(); ++i) {
      const Rule& rule = options_.rules[i];
      if (rule.limit.unit == tokenpool::Unit::in_flight && rule.is_about(knock)) {
        visit(in_flight_[{i, place_key(rule.limit.scope, knock)}], rule);
      }
    }
  }

  ServiceOptions options_;
  Dice dice_;
  std::map<std::pair<std::size_t, PlaceKey>, Counter> counters_;
  std::map<std::pair<std::size_t, PlaceKey>, std::int64_t> in_flight_;
};

}  // namespace simulator
