#pragma once
// What is worth telling a person, once per fact: computed from events and snapshots, with the time handed in.

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tokenpool/base/time.hpp"
#include "tokenpool/client/observer.hpp"
#include "tokenpool/http/timestamp.hpp"
#include "tokenpool/json/json.hpp"
#include "tokenpool/pool/snapshot.hpp"

namespace tokenpool::detail {

/// Makes an alert of what is new; nothing of what was told already. A fact is over, and new when it comes
/// back, once the time that it named has passed and nothing was heard of it for `calm`. Not thread-safe.
class AlertFacts {
 public:
  /// As AlertOptions has them.
  AlertFacts(std::size_t floor, Duration hold, Duration calm) : floor_(floor), hold_(hold), calm_(calm) {}

  std::optional<nlohmann::json> hear(const EjectedEvent& event, Now now) {
    if (!is_news(ejection_of(event.token_id), std::nullopt, now)) {
      return std::nullopt;
    }
    return nlohmann::json{{"kind", "token_ejected"},
                          {"text", "token " + event.token_id + " is out until somebody acts: " +
                                       words(event.reason, to_string(event.cause))},
                          {"token", event.token_id},
                          {"cause", to_string(event.cause)},
                          {"reason", event.reason}};
  }

  std::optional<nlohmann::json> hear(const ExhaustedEvent& event, Now now) {
    if (!is_news("exhausted", event.retry_at, now)) {
      return std::nullopt;
    }
    return until(event.retry_at,
                 {{"kind", "exhausted"},
                  {"text", "calls end because no token is available" + text_of(event.retry_at) + ": " +
                               words(event.reason, "no reason given")},
                  {"reason", event.reason}});
  }

  std::optional<nlohmann::json> hear(const SharedLimitEvent& event, Now now) {
    const std::string scope(to_string(event.scope));
    if (!is_news("shared by " + scope + ' ' + event.scope_id, event.until, now)) {
      return std::nullopt;
    }
    return until(event.until,
                 {{"kind", "shared_limit"},
                  {"text", "several tokens were refused in a row for what they share: " + scope +
                               (event.scope_id.empty() ? "" : " " + event.scope_id) + text_of(event.until)},
                  {"scope", scope},
                  {"scope_id", event.scope_id},
                  {"reason", event.reason}});
  }

  /// The pool as it is now: whether it has crossed the floor, and which ejections go on.
  std::optional<nlohmann::json> see(const PoolSnapshot& snapshot, Now now) {
    for (const TokenSnapshot& token : snapshot.tokens) {
      if (token.state != TokenState::ejected) {
        continue;
      }
      if (const auto known = facts_.find(ejection_of(token.id)); known != facts_.end()) {
        known->second.last_heard = now.steady;
      }
    }
    return crossed_floor(snapshot.pool.available, now);
  }

 private:
  struct Fact {
    SteadyTime last_heard{};
    WallTime until{};
  };

  static std::string ejection_of(const std::string& token_id) { return "ejection of " + token_id; }

  static std::string words(const std::string& reason, std::string_view otherwise) {
    return reason.empty() ? std::string(otherwise) : reason;
  }

  static std::string text_of(const std::optional<WallTime>& until) {
    return until ? " until " + to_rfc3339(*until) : "";
  }

  static nlohmann::json until(const std::optional<WallTime>& until, nlohmann::json alert) {
    if (until) {
      alert["until"] = to_rfc3339(*until);
    }
    return alert;
  }

  bool is_news(std::string name, const std::optional<WallTime>& until, Now now) {
    std::erase_if(facts_, [&](const auto& known) {
      const Fact& fact = known.second;
      return fact.until <= now.wall && now.steady - fact.last_heard >= calm_;
    });
    const auto [known, is_new] = facts_.try_emplace(std::move(name));
    Fact& fact = known->second;
    fact.last_heard = now.steady;
    fact.until = (std::max)(fact.until, until.value_or(now.wall));
    return is_new;
  }

  /// Told when it has been so for a while: at the floor a pool goes up and down.
  std::optional<nlohmann::json> crossed_floor(std::size_t available, Now now) {
    const bool is_below = available < floor_;
    if (is_below == told_below_) {
      otherwise_since_.reset();
      return std::nullopt;
    }
    if (!otherwise_since_) {
      otherwise_since_ = now.steady;
    }
    if (now.steady - *otherwise_since_ < (is_below ? hold_ : calm_)) {
      return std::nullopt;
    }
    told_below_ = is_below;
    otherwise_since_.reset();
    const std::string count = std::to_string(available) + (available == 1 ? " token is" : " tokens are");
    return nlohmann::json{{"kind", is_below ? "below_floor" : "above_floor"},
                          {"text", count + " available, " + (is_below ? "fewer than " : "again at least ") +
                                       std::to_string(floor_)},
                          {"available", available},
                          {"floor", floor_}};
  }

  std::size_t floor_;
  Duration hold_;
  Duration calm_;
  std::map<std::string, Fact> facts_;
  bool told_below_ = false;
  std::optional<SteadyTime> otherwise_since_;
};

}  // namespace tokenpool::detail
