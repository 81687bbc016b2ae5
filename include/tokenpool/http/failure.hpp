#pragma once
// Why no answer came, as plain data: what the transport knows and what the retry rules need, without either
// knowing the other.

#include <cstdint>
#include <string>
#include <string_view>

namespace tokenpool {

/// What ended an exchange before its answer was complete.
enum class FailureKind : std::uint8_t {
  connect,    ///< no connection to the server: name, route, refusal, time-out
  proxy,      ///< no way through the proxy
  tls,        ///< the secure channel or the peer's identity could not be established
  lost,       ///< the connection broke, or fell silent longer than allowed
  protocol,   ///< what came is not HTTP
  too_large,  ///< the answer is above a maximum
  body,       ///< the request's body could not be produced or sent again
  unfit,      ///< the request cannot be sent by this transport (an option that it does not know, for example)
  cancelled,  ///< the caller no longer wants it
  deadline,   ///< the call's time was over
};

/// A failed exchange.
struct TransportFailure {
  FailureKind kind = FailureKind::connect;  ///< in which phase
  bool sent = false;                        ///< bytes of the request may have reached the server
  std::string detail{};                     ///< for people; no secret
};

}  // namespace tokenpool
