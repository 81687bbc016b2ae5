#pragma once
// The bell of a call that waits in the pool's queue.

#include "tokenpool/pool/waiters.hpp"
#include "tokenpool/transport/interrupt.hpp"

namespace tokenpool::detail {

/// Rung by the pool when the call is served, by whoever cancels it, and by the client when it ends.
class Signal final : public Wakeable, public Interrupt {
 public:
  void wake() noexcept override { notify(); }
};

}  // namespace tokenpool::detail
