#pragma once
// What the oracles found: which invariant does not hold, and the first case of it.

#include <cstdint>
#include <map>
#include <string>

#include "time.hpp"

namespace simulation {

/// The promises that every schedule is held to.
namespace invariant {
inline constexpr const char* limits_kept = "with known limits no window holds more than its amount";
inline constexpr const char* no_429 = "with known limits no request meets 429";
inline constexpr const char* ends_once = "each call ends exactly once";
inline constexpr const char* nobody_starves = "nobody waits while there is room";
inline constexpr const char* in_turn = "equals are served in the order of their coming";
inline constexpr const char* no_leak = "no lease leaks";
inline constexpr const char* rest_kept = "nothing is sent for what rests";
inline constexpr const char* one_probe = "the end of a rest lets one request through";
inline constexpr const char* strikes_forgotten = "a success forgets the strikes";
inline constexpr const char* same_trace = "the same seed gives the same trace";
}  // namespace invariant

class Findings {
 public:
  struct Finding {
    std::uint64_t cases = 0;
    std::string first{};
  };

  void add(const char* broken, simulator::Instant at, const std::string& detail) {
    Finding& finding = findings_[broken];
    if (finding.cases++ == 0) {
      finding.first =
          schedule_ + ", at " + std::to_string(static_cast<double>(at.count()) / 1e9) + " s: " + detail;
    }
  }

  /// The schedule that runs now, as a finding names it.
  void now_runs(std::string schedule) { schedule_ = std::move(schedule); }

  [[nodiscard]] const std::map<std::string, Finding>& all() const noexcept { return findings_; }

 private:
  std::map<std::string, Finding> findings_;
  std::string schedule_;
};

}  // namespace simulation
