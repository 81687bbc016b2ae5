#pragma once
// What a server says about one of its limits, whatever dialect it says it in.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace tokenpool {

/// One limit as an answer's header describes it. A member is absent where the server did not say, or said
/// something unusable such as a negative count.
struct LimitFact {
  std::string name{};                       ///< What is counted: `requests`, `tokens`, a policy's name...
  std::optional<std::int64_t> limit{};      ///< The whole allowance of the window.
  std::optional<std::int64_t> remaining{};  ///< What is left of it; no promise.
  std::optional<std::chrono::milliseconds>
      reset_in{};  ///< Time until it is whole again, zero if that is past.

  friend bool operator==(const LimitFact&, const LimitFact&) = default;
};

}  // namespace tokenpool
