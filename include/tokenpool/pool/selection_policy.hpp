#pragma once
// What makes a type a selection policy: it picks one of the candidates. Health comes first: the pool offers
// only tokens that may be used, a policy weighs those. A lambda is a policy; a policy that wants to be faster
// than a look at every candidate keeps an index of its own and hears of changes through hooks.

#include <concepts>
#include <cstddef>
#include <functional>
#include <utility>

#include "tokenpool/pool/candidates.hpp"

namespace tokenpool {

/// How a lease ended, as far as a policy may care.
struct Settled {
  bool success = false;   ///< the server accepted the token
  bool answered = false;  ///< an answer came; `latency` is known
  Duration latency{};     ///< from sending to the answer's header
  SteadyTime now{};       ///< of the settlement
};

/// Has `pick(candidates, context) -> index`.
template <class P>
concept HasPick = requires(P& policy, const Candidates& candidates, PickContext& context) {
  { policy.pick(candidates, context) } -> std::convertible_to<std::size_t>;
};

/// Can be called as `policy(candidates, context) -> index`.
template <class P>
concept HasCall = requires(P& policy, const Candidates& candidates, PickContext& context) {
  { policy(candidates, context) } -> std::convertible_to<std::size_t>;
};

/// A selection policy: a `pick` member or a call operator that takes `(const Candidates&, PickContext&)` and
/// returns the index of the chosen one, below `candidates.size()`. It is called under the pool's lock with at
/// least one candidate.
///
/// Optional members, all called under the same lock: `reserve(n)` before slots below n appear (the only one
/// that may allocate or throw), and noexcept `on_available(const Candidate&)`, `on_unavailable(SlotNumber)`,
/// `on_granted(const Candidate&)`, `on_settled(const Candidate&, const Settled&)`.
template <class P>
concept SelectionPolicy = HasPick<P> || HasCall<P>;

namespace detail {

/// Asks a policy and forwards hooks to those that have them.
template <SelectionPolicy P>
class PolicyCaller {
 public:
  explicit PolicyCaller(P policy) : policy_(std::move(policy)) {}

  std::size_t pick(const Candidates& candidates, PickContext& context) {
    if constexpr (HasPick<P>) {
      return static_cast<std::size_t>(policy_.pick(candidates, context));
    } else {
      return static_cast<std::size_t>(std::invoke(policy_, candidates, context));
    }
  }

  void reserve(std::size_t slots) {
    if constexpr (requires { policy_.reserve(slots); }) {
      policy_.reserve(slots);
    }
  }

  void on_available(const Candidate& candidate) noexcept {
    if constexpr (requires { policy_.on_available(candidate); }) {
      static_assert(noexcept(policy_.on_available(candidate)),
                    "a policy's on_available hook must be noexcept");
      policy_.on_available(candidate);
    }
  }

  void on_unavailable(SlotNumber slot) noexcept {
    if constexpr (requires { policy_.on_unavailable(slot); }) {
      static_assert(noexcept(policy_.on_unavailable(slot)),
                    "a policy's on_unavailable hook must be noexcept");
      policy_.on_unavailable(slot);
    }
  }

  void on_granted(const Candidate& candidate) noexcept {
    if constexpr (requires { policy_.on_granted(candidate); }) {
      static_assert(noexcept(policy_.on_granted(candidate)), "a policy's on_granted hook must be noexcept");
      policy_.on_granted(candidate);
    }
  }

  void on_settled(const Candidate& candidate, const Settled& settled) noexcept {
    if constexpr (requires { policy_.on_settled(candidate, settled); }) {
      static_assert(noexcept(policy_.on_settled(candidate, settled)),
                    "a policy's on_settled hook must be noexcept");
      policy_.on_settled(candidate, settled);
    }
  }

 private:
  P policy_;
};

}  // namespace detail

}  // namespace tokenpool
