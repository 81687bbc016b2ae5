#pragma once
// What the server itself says it has left for a token, as its last answers told it. It is heard when stricter
// than our own counts: nothing is sent where the server says that nothing is left, and the policy sees how
// much there is.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/limit_fact.hpp"

namespace tokenpool::detail {

/// The server's counts for one token, one for each name and bucket. Not thread-safe.
class ServerWord {
 public:
  /// An answer to the request `ticket` in `bucket` said `facts`; none of them is believed for longer than
  /// `longest`. Throws std::bad_alloc.
  void heard(std::vector<LimitFact> facts, std::uint32_t bucket, std::uint64_t ticket, SteadyTime now,
             Duration longest) {
    // Buckets have names that users make up: what has been reset since tells nothing any more.
    std::erase_if(counts_, [now](const Count& count) { return count.resets_at <= now; });
    for (LimitFact& fact : facts) {
      const Duration left =
          fact.reset_in ? std::clamp(saturated(*fact.reset_in), Duration::zero(), longest) : longest;
      hear({std::move(fact), bucket, ticket, after(now, left)});
    }
  }

  /// When the server will have something left for `bucket`; 0 is the token as a whole.
  [[nodiscard]] SteadyTime opens_at(std::uint32_t bucket) const noexcept {
    SteadyTime opens = (SteadyTime::min)();
    for (const Count& count : counts_) {
      if (count.is_empty() && (count.bucket == 0 || count.bucket == bucket)) {
        opens = (std::max)(opens, count.resets_at);
      }
    }
    return opens;
  }

  /// The smallest share left of what the server counts for the token as a whole; 1 when it says nothing.
  [[nodiscard]] double headroom(SteadyTime now) const noexcept {
    double least = 1;
    for (const Count& count : counts_) {
      if (count.bucket == 0 && count.fact.limit && count.fact.remaining && *count.fact.limit > 0 &&
          count.resets_at > now) {
        least = (std::min)(
            least, static_cast<double>(*count.fact.remaining) / static_cast<double>(*count.fact.limit));
      }
    }
    return (std::max)(least, 0.0);
  }

  /// What still holds at `now`, with the time left until then.
  [[nodiscard]] std::vector<LimitFact> facts(SteadyTime now) const {
    std::vector<LimitFact> facts;
    for (const Count& count : counts_) {
      if (count.resets_at > now) {
        facts.push_back(count.fact);
        if (count.fact.reset_in) {
          facts.back().reset_in = std::chrono::ceil<std::chrono::milliseconds>(count.resets_at - now);
        }
      }
    }
    return facts;
  }

  /// A person says that it does not hold.
  void forget() noexcept { counts_.clear(); }

 private:
  struct Count {
    LimitFact fact;
    std::uint32_t bucket = 0;
    std::uint64_t ticket = 0;
    SteadyTime resets_at{};

    /// Only a count that says when it ends may keep a token from being used.
    [[nodiscard]] bool is_empty() const noexcept {
      return fact.reset_in && fact.remaining && *fact.remaining <= 0;
    }
  };

  /// Answers overtake each other: an older request's word counts only where it is stricter.
  void hear(Count count) {
    const auto known = std::find_if(counts_.begin(), counts_.end(), [&](const Count& other) {
      return other.bucket == count.bucket && other.fact.name == count.fact.name;
    });
    if (known == counts_.end()) {
      counts_.push_back(std::move(count));
    } else if (count.ticket > known->ticket ||
               (count.fact.remaining && count.fact.remaining < known->fact.remaining)) {
      *known = std::move(count);
    }
  }

  std::vector<Count> counts_;
};

}  // namespace tokenpool::detail
