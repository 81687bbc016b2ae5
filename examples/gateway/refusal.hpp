#pragma once
// What a client is told of a call that ended without an answer to pass on.

#include "reply.hpp"
#include "tokenpool/base/error.hpp"

namespace gateway {

/// The error as an answer: its status says who has to act, and when. Shows no secret: the library's texts
/// have none, and what a server said of a refused token stays here.
Reply refusal(const tokenpool::Error& error, tokenpool::WallTime now);

}  // namespace gateway
