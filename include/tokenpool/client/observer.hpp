#pragma once
// What a program may want to hear while calls go on. One small struct for each kind of news, so that a field
// can be added without breaking a listener.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "tokenpool/base/time.hpp"
#include "tokenpool/pool/events.hpp"
#include "tokenpool/quota/attempt.hpp"
#include "tokenpool/quota/verdict.hpp"

namespace tokenpool {

/// A request went over the wire.
struct AttemptEvent {
  const Attempt& attempt;  ///< valid during the call of the listener
};
/// The same call goes on with another request.
struct RetryEvent {
  const Attempt& after;  ///< what made it necessary
  Duration wait{};       ///< back-off before the next one; zero for a change of token
};
/// A token, or the scope that is named, is not used until `until`.
struct RestEvent {
  std::string token_id{};               ///< which token met the refusal
  LimitScope scope{LimitScope::token};  ///< what rests: the token, or a place that it shares
  std::string scope_id{};               ///< id of the egress, account or bucket
  Verdict cause{};                      ///< what the answer meant
  std::string reason{};                 ///< in a few words, no secret
  WallTime until{};                     ///< when it is over
};
/// A token is out until a person acts.
struct EjectedEvent {
  std::string token_id{};  ///< which token
  Verdict cause{};         ///< what the answer meant
  std::string reason{};    ///< in a few words, no secret
};
/// A token served again after a rest.
struct RecoveredEvent {
  std::string token_id{};  ///< which token
};
/// A call ended because nothing is available.
struct ExhaustedEvent {
  std::string reason{};                ///< what all of them wait for
  std::optional<WallTime> retry_at{};  ///< when the first is back; absent where nobody knows
};
/// Several tokens failed alike: the cause is shared.
struct SharedLimitEvent {
  LimitScope scope{LimitScope::egress};  ///< what the tokens share
  std::string scope_id{};                ///< id of the egress, account or bucket
  std::optional<WallTime> until{};       ///< when its rest ends, where it rests
  std::string reason{};                  ///< in a few words, no secret
};
/// Something that works but should be looked at.
struct WarningEvent {
  std::string text{};  ///< what, and what to do about it
};

/// Listeners, each optional. Called outside of any lock on the thread of the call, may call back into the
/// client; what they throw is dropped.
struct Observer {
  std::function<void(const AttemptEvent&)> on_attempt{};           ///< a request went over the wire
  std::function<void(const RetryEvent&)> on_retry{};               ///< a call goes on with another
  std::function<void(const RestEvent&)> on_rest{};                 ///< a token or a shared place rests
  std::function<void(const EjectedEvent&)> on_ejected{};           ///< a token is out
  std::function<void(const RecoveredEvent&)> on_recovered{};       ///< a token is back
  std::function<void(const ExhaustedEvent&)> on_exhausted{};       ///< nothing is available
  std::function<void(const SharedLimitEvent&)> on_shared_limit{};  ///< several tokens failed alike
  std::function<void(const WarningEvent&)> on_warning{};           ///< somebody should look
};

namespace detail {

/// Calls a listener if there is one; an observer's trouble is not the call's.
template <class Event>
void tell(const std::function<void(const Event&)>& listener, const Event& event) noexcept {
  if (listener) {
    try {
      listener(event);
    } catch (...) {
    }
  }
}

/// A listener that tells `first`, then `second`.
template <class Event>
std::function<void(const Event&)> both(std::function<void(const Event&)> first,
                                       std::function<void(const Event&)> second) {
  if (!first || !second) {
    return first ? std::move(first) : std::move(second);
  }
  return [first = std::move(first), second = std::move(second)](const Event& event) {
    tell(first, event);
    tell(second, event);
  };
}

/// Tells what settling a lease led to.
inline void tell(const Observer& observer, const PoolEvent& event, Now now) {
  const auto at = [&]() -> std::optional<WallTime> {
    return event.until ? std::optional(to_wall(*event.until, now)) : std::nullopt;
  };
  switch (event.kind) {
    case PoolEvent::Kind::rest:
      return tell(observer.on_rest, RestEvent{event.token_id, event.scope, event.scope_id, event.cause,
                                              event.reason, at().value_or(now.wall)});
    case PoolEvent::Kind::ejected:
      return tell(observer.on_ejected, EjectedEvent{event.token_id, event.cause, event.reason});
    case PoolEvent::Kind::recovered: return tell(observer.on_recovered, RecoveredEvent{event.token_id});
    case PoolEvent::Kind::shared_limit:
      return tell(observer.on_shared_limit,
                  SharedLimitEvent{event.scope, event.scope_id, at(), event.reason});
  }
}

}  // namespace detail

/// An observer that tells `first`, then `second`; what one throws keeps nothing from the other.
inline Observer both(Observer first, Observer second) {
  return {
      .on_attempt = detail::both(std::move(first.on_attempt), std::move(second.on_attempt)),
      .on_retry = detail::both(std::move(first.on_retry), std::move(second.on_retry)),
      .on_rest = detail::both(std::move(first.on_rest), std::move(second.on_rest)),
      .on_ejected = detail::both(std::move(first.on_ejected), std::move(second.on_ejected)),
      .on_recovered = detail::both(std::move(first.on_recovered), std::move(second.on_recovered)),
      .on_exhausted = detail::both(std::move(first.on_exhausted), std::move(second.on_exhausted)),
      .on_shared_limit = detail::both(std::move(first.on_shared_limit), std::move(second.on_shared_limit)),
      .on_warning = detail::both(std::move(first.on_warning), std::move(second.on_warning))};
}

}  // namespace tokenpool
