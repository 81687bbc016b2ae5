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

/// A request went over the wire, or tried to.
struct AttemptEvent {
  const Attempt& attempt;  ///< valid during the call of the listener
};
/// The attempt was not the end of its call: it asks for another one, which it may not get.
struct RetryEvent {
  const Attempt& after;  ///< what made it necessary
  Duration wait{};       ///< back-off before the next one; zero for a change of token
};
/// A token, or the scope that is named, is not used until `until`, because it was refused. Told again when it
/// is refused at the end of its rest, or told to rest for longer by a second or more. A token at a limit of
/// its own, or by the server's word with nothing left, is not told of: that is how a limit works.
struct RestEvent {
  std::string token_id{};  ///< whose request was refused; empty when another process learnt it of a scope
  LimitScope scope{LimitScope::token};  ///< what rests: the token, or a place that it shares
  std::string scope_id{};               ///< id of the egress, account or bucket
  std::string bucket{};                 ///< a token or account rests for this one alone; empty: as a whole
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
/// A token, or the scope that is named, served again after a rest, or after the end of a suspicion that
/// on_shared_limit told of. Of a stream it is told when that has ended.
struct RecoveredEvent {
  std::string token_id{};               ///< whose request showed it
  LimitScope scope{LimitScope::token};  ///< what is back: the token, or a place that it shares
  std::string scope_id{};               ///< id of the egress, account or bucket
  std::string bucket{};                 ///< as in RestEvent
};
/// A call ended because nothing is available.
struct ExhaustedEvent {
  std::string reason{};                ///< what all of them wait for
  std::optional<WallTime> retry_at{};  ///< when the first is back; absent where an event ends it and not time
};
/// Several tokens failed alike: the cause is shared, and the rests of these tokens are taken back.
struct SharedLimitEvent {
  LimitScope scope{LimitScope::egress};  ///< what the tokens share
  std::string scope_id{};                ///< id of the egress, account or bucket
  std::optional<WallTime> until{};       ///< when its rest ends, where it rests
  std::string reason{};                  ///< in a few words, no secret
};
/// A person, or a program in their place, changed by the pool's functions which tokens may serve; of enable()
/// in another process, too, where a ledger is shared and a token was out or at rest here. A token enabled is
/// no token recovered: nothing is known of it yet.
struct ChangedEvent {
  std::string token_id{};  ///< which token
  TokenChange change{};    ///< what was done
  std::string reason{};    ///< that of disable()
};
/// Something that works but should be looked at.
struct WarningEvent {
  std::string text{};  ///< what, and what to do about it
};

/// Listeners, each optional and each told of a fact once. Called outside of any lock, on the thread of the
/// call (of an asynchronous one the transport's), of what a person changes on theirs, of what another process
/// learnt on the thread that asked the ledger. They may call back into the client but should not block for
/// long, nor wait for an asynchronous call, nor destroy the client; what they throw is dropped.
struct Observer {
  std::function<void(const AttemptEvent&)> on_attempt{};           ///< a request went over the wire
  std::function<void(const RetryEvent&)> on_retry{};               ///< a call asks for another
  std::function<void(const RestEvent&)> on_rest{};                 ///< a token or a shared place rests
  std::function<void(const EjectedEvent&)> on_ejected{};           ///< a token is out
  std::function<void(const RecoveredEvent&)> on_recovered{};       ///< a token or a shared place is back
  std::function<void(const ExhaustedEvent&)> on_exhausted{};       ///< nothing is available
  std::function<void(const SharedLimitEvent&)> on_shared_limit{};  ///< several tokens failed alike
  std::function<void(const ChangedEvent&)> on_changed{};           ///< a person acted
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

/// Tells what settling a lease led to, and what happened outside of calls.
inline void tell(const Observer& observer, const PoolEvent& event, Now now) {
  const auto at = [&]() -> std::optional<WallTime> {
    return event.until ? std::optional(to_wall(*event.until, now)) : std::nullopt;
  };
  switch (event.kind) {
    case PoolEvent::Kind::rest:
      return tell(observer.on_rest, RestEvent{event.token_id, event.scope, event.scope_id, event.bucket,
                                              event.cause, event.reason, at().value_or(now.wall)});
    case PoolEvent::Kind::ejected:
      return tell(observer.on_ejected, EjectedEvent{event.token_id, event.cause, event.reason});
    case PoolEvent::Kind::recovered:
      return tell(observer.on_recovered,
                  RecoveredEvent{event.token_id, event.scope, event.scope_id, event.bucket});
    case PoolEvent::Kind::shared_limit:
      return tell(observer.on_shared_limit,
                  SharedLimitEvent{event.scope, event.scope_id, at(), event.reason});
    case PoolEvent::Kind::changed:
      return tell(observer.on_changed, ChangedEvent{event.token_id, event.change, event.reason});
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
      .on_changed = detail::both(std::move(first.on_changed), std::move(second.on_changed)),
      .on_warning = detail::both(std::move(first.on_warning), std::move(second.on_warning))};
}

}  // namespace tokenpool
