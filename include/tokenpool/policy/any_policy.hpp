#pragma once
// A policy chosen at run time, by a name from a configuration file or a command line.

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/policy/failover.hpp"
#include "tokenpool/policy/least_in_flight.hpp"
#include "tokenpool/policy/least_used.hpp"
#include "tokenpool/policy/lowest_latency.hpp"
#include "tokenpool/policy/most_headroom.hpp"
#include "tokenpool/policy/power_of_two_choices.hpp"
#include "tokenpool/policy/random.hpp"
#include "tokenpool/policy/round_robin.hpp"
#include "tokenpool/policy/sticky.hpp"
#include "tokenpool/policy/weighted_random.hpp"
#include "tokenpool/policy/weighted_round_robin.hpp"
#include "tokenpool/pool/candidates.hpp"
#include "tokenpool/pool/selection_policy.hpp"

namespace tokenpool {

/// Any copyable policy behind one type, hooks included. Costs one virtual call more than what it holds.
/// @code
/// tokenpool::Client<tokenpool::AnyPolicy> client{options, tokenpool::AnyPolicy("least-used")};
/// @endcode
class AnyPolicy {
 public:
  /// Round robin.
  AnyPolicy() : AnyPolicy(RoundRobin{}) {}

  /// The policy of that name, one of policy_names(). Throws Error{invalid_request} for any other.
  explicit AnyPolicy(std::string_view name) : AnyPolicy(named(name)) {}

  /// Holds `policy`, any that can be copied.
  template <class Policy>
    requires(!std::same_as<Policy, AnyPolicy> && SelectionPolicy<Policy> && std::copy_constructible<Policy>)
  AnyPolicy(Policy policy)  // NOLINT(google-explicit-constructor): a policy is an AnyPolicy
      : held_(std::make_unique<Holder<Policy>>(std::move(policy))) {}

  /// @{
  /// Copies hold a policy of their own, with what it knows.
  AnyPolicy(const AnyPolicy& other) : held_(other.held_->copy()) {}
  AnyPolicy(AnyPolicy&&) noexcept = default;
  AnyPolicy& operator=(const AnyPolicy& other) {
    held_ = other.held_->copy();
    return *this;
  }
  /// @}
  AnyPolicy& operator=(AnyPolicy&&) noexcept = default;
  ~AnyPolicy() = default;

  /// @{
  /// What a SelectionPolicy offers: handed on to the policy inside.
  std::size_t pick(const Candidates& candidates, PickContext& context) {
    return held_->pick(candidates, context);
  }
  void reserve(std::size_t slots) { held_->reserve(slots); }
  void on_available(const Candidate& candidate) noexcept { held_->on_available(candidate); }
  void on_unavailable(SlotNumber slot) noexcept { held_->on_unavailable(slot); }
  void on_granted(const Candidate& candidate) noexcept { held_->on_granted(candidate); }
  void on_settled(const Candidate& candidate, const Settled& settled) noexcept {
    held_->on_settled(candidate, settled);
  }
  /// @}

 private:
  friend std::vector<std::string_view> policy_names();

  struct Held {
    virtual ~Held() = default;
    [[nodiscard]] virtual std::unique_ptr<Held> copy() const = 0;
    virtual std::size_t pick(const Candidates& candidates, PickContext& context) = 0;
    virtual void reserve(std::size_t slots) = 0;
    virtual void on_available(const Candidate& candidate) noexcept = 0;
    virtual void on_unavailable(SlotNumber slot) noexcept = 0;
    virtual void on_granted(const Candidate& candidate) noexcept = 0;
    virtual void on_settled(const Candidate& candidate, const Settled& settled) noexcept = 0;
  };

  template <class Policy>
  struct Holder final : Held {
    explicit Holder(Policy policy) : caller(std::move(policy)) {}

    [[nodiscard]] std::unique_ptr<Held> copy() const override { return std::make_unique<Holder>(*this); }
    std::size_t pick(const Candidates& candidates, PickContext& context) override {
      return caller.pick(candidates, context);
    }
    void reserve(std::size_t slots) override { caller.reserve(slots); }
    void on_available(const Candidate& candidate) noexcept override { caller.on_available(candidate); }
    void on_unavailable(SlotNumber slot) noexcept override { caller.on_unavailable(slot); }
    void on_granted(const Candidate& candidate) noexcept override { caller.on_granted(candidate); }
    void on_settled(const Candidate& candidate, const Settled& settled) noexcept override {
      caller.on_settled(candidate, settled);
    }

    detail::PolicyCaller<Policy> caller;
  };

  struct Named {
    std::string_view name;
    AnyPolicy (*make)();
  };

  template <class Policy>
  static AnyPolicy make() {
    return AnyPolicy(Policy{});
  }

  static const std::array<Named, 11>& all() noexcept {
    static constexpr std::array<Named, 11> table = {{
        {"random", make<Random>},
        {"round-robin", make<RoundRobin>},
        {"least-used", make<LeastUsed>},
        {"weighted-random", make<WeightedRandom>},
        {"weighted-round-robin", make<WeightedRoundRobin>},
        {"least-in-flight", make<LeastInFlight>},
        {"power-of-two-choices", make<PowerOfTwoChoices>},
        {"lowest-latency", make<LowestLatency>},
        {"most-headroom", make<MostHeadroom>},
        {"failover", make<Failover>},
        {"sticky", make<Sticky>},
    }};
    return table;
  }

  static AnyPolicy named(std::string_view name) {
    std::string known;
    for (const Named& policy : all()) {
      if (policy.name == name) {
        return policy.make();
      }
      known.append(known.empty() ? "" : ", ").append(policy.name);
    }
    throw Error(ErrorCode::invalid_request,
                "there is no policy named \"" + std::string(name) + "\": give one of " + known);
  }

  std::unique_ptr<Held> held_;
};

/// The names that AnyPolicy knows.
inline std::vector<std::string_view> policy_names() {
  std::vector<std::string_view> names;
  for (const AnyPolicy::Named& policy : AnyPolicy::all()) {
    names.push_back(policy.name);
  }
  return names;
}

}  // namespace tokenpool
