#pragma once
// What a scenario is measured by.

#include <cstdint>
#include <map>
#include <string>

#include "simulation.hpp"

namespace simulation {

/// Counts answers. A 429 is waste when its request was granted after the client had heard of the last 429 of
/// the same token: what was under way together with the first one is the same news.
class Figures final : public simulator::Listener {
 public:
  /// Counts only what is decided from `from` until `until`.
  explicit Figures(simulator::Instant from = {}, simulator::Instant until = simulator::never)
      : from_(from), until_(until) {}

  void settled(const simulator::Settlement& settlement, simulator::Instant at) override {
    const std::string& token = settlement.granted.knock.token;
    const bool counts = at >= from_ && at < until_;
    if (settlement.status == 200 && counts) {
      ++successes;
      ++successes_by_egress[settlement.granted.knock.egress];
      ++successes_by_token[token];
    }
    if (settlement.status == 429) {
      const auto [heard, first] = heard_.try_emplace(token, at);
      const bool news = first || settlement.granted.at > heard->second;
      heard->second = at;
      refused += counts ? 1 : 0;
      wasted += news && counts ? 1 : 0;
    }
  }

  std::uint64_t successes = 0;
  std::uint64_t refused = 0;
  std::uint64_t wasted = 0;
  std::map<std::uint32_t, std::uint64_t> successes_by_egress;
  std::map<std::string, std::uint64_t> successes_by_token;

 private:
  simulator::Instant from_;
  simulator::Instant until_;
  std::map<std::string, simulator::Instant> heard_;
};

}  // namespace simulation
