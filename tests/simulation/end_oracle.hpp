#pragma once
// Every call ends once, nothing stays taken, and the trace is a number that can be compared.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "findings.hpp"
#include "listener.hpp"
#include "stage.hpp"

namespace simulation {

class EndOracle final : public simulator::Listener {
 public:
  explicit EndOracle(Findings& findings) : findings_(findings) {}

  void began(std::size_t call, simulator::Instant) override {
    if (call >= ends_.size()) {
      ends_.resize(call + 1);
    }
  }

  void ended(std::size_t call, const simulator::Ending& ending, simulator::Instant at) override {
    if (++ends_[call] == 2) {
      findings_.add(invariant::ends_once, at, "call " + std::to_string(call) + " ended twice");
    }
    if (ending.status == 0 && !ending.error) {
      findings_.add(invariant::ends_once, at, "call " + std::to_string(call) + " ended with nothing");
    }
  }

  /// When no event is left; lets the longest window pass.
  void check(simulator::Stage& stage, simulator::Length longest_window) {
    for (std::size_t call = 0; call < ends_.size(); ++call) {
      if (ends_[call] == 0) {
        findings_.add(invariant::ends_once, stage.loop.now(),
                      "call " + std::to_string(call) + " never ended");
      }
    }
    // Sub-buckets keep a unit up to one of 128 parts of the window longer.
    stage.loop.advance_to(stage.loop.now() + longest_window + longest_window / 64 + std::chrono::seconds(10));
    const tokenpool::PoolSnapshot snapshot = stage.pool.snapshot(stage.now());
    for (const tokenpool::TokenSnapshot& token : snapshot.tokens) {
      check_free("token " + token.id, token.in_flight, token.limits, stage.loop.now());
    }
    for (const tokenpool::EgressSnapshot& egress : snapshot.egresses) {
      check_free("egress " + egress.id, egress.in_flight, egress.limits, stage.loop.now());
    }
    if (snapshot.pool.waiting != 0) {
      findings_.add(invariant::no_leak, stage.loop.now(), "somebody is left in the queue");
    }
  }

 private:
  void check_free(const std::string& who, std::uint32_t in_flight,
                  const std::vector<tokenpool::LimitUse>& limits, simulator::Instant at) {
    if (in_flight != 0) {
      findings_.add(invariant::no_leak, at,
                    who + " has " + std::to_string(in_flight) + " in flight at the end");
    }
    for (const tokenpool::LimitUse& use : limits) {
      if (use.used != 0) {
        findings_.add(invariant::no_leak, at,
                      who + " has " + std::to_string(use.used) + " taken per " + use.scope + " at the end");
      }
    }
  }

  Findings& findings_;
  std::vector<int> ends_;
};

/// FNV-1a over all that happens.
class Trace final : public simulator::Listener {
 public:
  void granted(const simulator::Granted& granted) override {
    mix(static_cast<std::uint64_t>(granted.at.count()));
    mix(granted.search.call);
    for (const char c : granted.knock.token) {
      mix(static_cast<std::uint64_t>(c));
    }
    mix(granted.knock.egress);
  }
  void decided(const simulator::Knock&, const simulator::Decision& decision, simulator::Instant at) override {
    mix(static_cast<std::uint64_t>(at.count()));
    mix(static_cast<std::uint64_t>(decision.status));
    ++requests_;
  }
  void ended(std::size_t call, const simulator::Ending& ending, simulator::Instant at) override {
    mix(static_cast<std::uint64_t>(at.count()));
    mix(call);
    mix(static_cast<std::uint64_t>(ending.status));
  }

  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  /// Requests that the service saw.
  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }

 private:
  void mix(std::uint64_t value) noexcept { hash_ = (hash_ ^ value) * 0x100000001b3U; }

  std::uint64_t hash_ = 0xcbf29ce484222325U;
  std::uint64_t requests_ = 0;
};

}  // namespace simulation
