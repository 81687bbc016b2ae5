#pragma once
// The pool that a program holds: everything of PoolCore, choosing by the policy that it was given.

#include <cstddef>
#include <utility>

#include "tokenpool/pool/pool_core.hpp"
#include "tokenpool/pool/selection_policy.hpp"

namespace tokenpool {

namespace detail {

/// A policy behind the pool's port.
template <SelectionPolicy Policy>
class PolicyAdapter : public PolicyPort {
 public:
  explicit PolicyAdapter(Policy policy) : caller_(std::move(policy)) {}

  std::size_t pick(const Candidates& candidates, PickContext& context) final {
    return caller_.pick(candidates, context);
  }
  void reserve(std::size_t slots) final { caller_.reserve(slots); }
  void on_available(const Candidate& candidate) noexcept final { caller_.on_available(candidate); }
  void on_unavailable(SlotNumber slot) noexcept final { caller_.on_unavailable(slot); }
  void on_granted(const Candidate& candidate) noexcept final { caller_.on_granted(candidate); }
  void on_settled(const Candidate& candidate, const Settled& settled) noexcept final {
    caller_.on_settled(candidate, settled);
  }

 private:
  PolicyCaller<Policy> caller_;
};

}  // namespace detail

/// The tokens of a client, and who of them may serve now. Thread-safe; neither copyable nor movable; reads no
/// clock and does no I/O, so it can be driven by a virtual clock. Leases must not outlive it.
template <SelectionPolicy Policy>
class TokenPool : private detail::PolicyAdapter<Policy>, public detail::PoolCore {
 public:
  /// Throws Error{invalid_request} that names the unfit field.
  explicit TokenPool(PoolOptions options, Policy policy = {})
      : detail::PolicyAdapter<Policy>(std::move(policy)),
        detail::PoolCore(std::move(options), static_cast<detail::PolicyPort&>(*this)) {}
};

}  // namespace tokenpool
