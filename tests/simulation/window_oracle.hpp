#pragma once
// Checks the service's windows by plain lists of time stamps, when the simulation is over.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "findings.hpp"
#include "listener.hpp"

namespace simulation {

/// One counted request.
struct Stamp {
  simulator::Instant at;
  std::int64_t units;
};

/// The most that any window of the kind held; a token bucket's figure is what it would have had to hold.
inline std::int64_t most_in_a_window(const simulator::Rule& rule, const std::vector<Stamp>& stamps) {
  using simulator::WindowKind;
  const simulator::Length window = rule.limit.window;
  std::map<std::int64_t, std::int64_t> by_window;
  std::int64_t most = 0;
  simulator::Instant began = -window;
  std::int64_t beyond = 0;  // of a bucket: units times nanoseconds that are missing from full
  for (std::size_t i = 0; i < stamps.size(); ++i) {
    std::int64_t held = 0;
    switch (rule.kind) {
      case WindowKind::fixed:
        held = by_window[(stamps[i].at - rule.phase + window) / window] += stamps[i].units;
        break;
      case WindowKind::rolling:
        for (std::size_t j = i + 1; j-- > 0 && stamps[j].at > stamps[i].at - window;) {
          held += stamps[j].units;
        }
        break;
      case WindowKind::first_request:
        if (stamps[i].at >= began + window) {
          began = stamps[i].at;
        }
        held = by_window[began.count()] += stamps[i].units;
        break;
      case WindowKind::token_bucket:
        if (i != 0) {
          const simulator::Length gap = (std::min)(stamps[i].at - stamps[i - 1].at, window);
          beyond = (std::max)(beyond - gap.count() * rule.limit.amount, std::int64_t{0});
        }
        beyond += stamps[i].units * window.count();
        held = (beyond + window.count() - 1) / window.count();
        break;
    }
    most = (std::max)(most, held);
  }
  return most;
}

/// Holds a client that knows all limits to it.
class WindowOracle final : public simulator::Listener {
 public:
  WindowOracle(Findings& findings, const std::vector<simulator::Rule>& rules)
      : findings_(findings), rules_(rules), stamps_(rules.size()) {}

  void decided(const simulator::Knock& knock, const simulator::Decision& decision,
               simulator::Instant at) override {
    if (decision.status == 429) {
      findings_.add(invariant::no_429, at,
                    knock.token + " met 429 by the limit per " + to_string(decision.scope));
    }
    if (!decision.counted && decision.status != 429) {
      return;
    }
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      if (rules_[i].limit.unit != tokenpool::Unit::in_flight && rules_[i].is_about(knock)) {
        stamps_[i][simulator::place_key(rules_[i].limit.scope, knock)].push_back(
            {at, rules_[i].units(knock)});
      }
    }
  }

  void check(simulator::Instant at) const {
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      for (const auto& [place, stamps] : stamps_[i]) {
        const std::int64_t most = most_in_a_window(rules_[i], stamps);
        if (most > rules_[i].limit.amount) {
          findings_.add(invariant::limits_kept, at,
                        "a window of " + std::to_string(rules_[i].limit.amount) + " per " +
                            to_string(rules_[i].limit.scope) + " was asked for " + std::to_string(most));
        }
      }
    }
  }

 private:
  Findings& findings_;
  const std::vector<simulator::Rule>& rules_;
  std::vector<std::map<simulator::PlaceKey, std::vector<Stamp>>> stamps_;
};

}  // namespace simulation
