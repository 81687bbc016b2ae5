#pragma once
// Who is let in. Pure functions of a request's header and of the access tokens.

#include <optional>
#include <string_view>
#include <vector>

#include "inbound.hpp"
#include "reply.hpp"
#include "tokenpool/base/secret.hpp"

namespace gateway {

/// The words that clients of the gateway have to say; none: whoever reaches it is let in.
using AccessTokens = std::vector<tokenpool::Secret>;

/// What a request is for.
enum class Area {
  open,     ///< the page and the health: they show nothing of value
  managed,  ///< what the gateway says of itself, and its switches
  proxied,  ///< everything else: it goes to the server
};

/// Where `path` leads.
Area area_of(std::string_view path) noexcept;

/// Why a request is not let in; nothing if it is. Against a web page that a person of this machine has open:
/// an Origin has to be the Host's, and without access tokens the Host has to be the loopback's, or a page
/// whose name was pointed here (DNS rebinding) could ask. Tokens are compared in constant time.
std::optional<Reply> objection(const Inbound& head, const AccessTokens& tokens);

/// Whether `host`, with or without a port, is this machine itself.
bool is_loopback(std::string_view host) noexcept;

}  // namespace gateway
