#pragma once
// How others follow the request that showed a rest to be over. If all who wait followed at once, a server
// that gives by the piece, or shares a limit with somebody else, would refuse nearly all of them, each time
// it opens.

#include <chrono>
#include <cstdint>

#include "tokenpool/base/time.hpp"

namespace tokenpool::detail {

/// Lets half as many follow as were served the last time; then each that is served brings two more, as fast
/// as the server answers, and time doubles the steps, since answers may take minutes where a refusal comes at
/// once. It is over after 32 that were served, or about a second at most. The first time all may follow. Not
/// thread-safe.
class Ramp {
 public:
  static constexpr Duration pace =
      std::chrono::milliseconds(200);  ///< by which the steps double without an answer

  /// The request `ticket` was served at last: others may follow.
  void begin(std::uint64_t ticket, SteadyTime now) noexcept {
    first_ = ticket;
    room_ = step_ = served_ < enough ? (served_ + 1) / 2 : 0;
    served_ = 1;
    grows_at_ = after(now, pace);
  }

  /// The request `ticket` was served.
  void succeeded(std::uint64_t ticket) noexcept {
    if (ticket <= first_) {
      return;
    }
    room_ += 2;
    if (served_ < enough && ++served_ == enough) {
      step_ = 0;
    }
  }

  /// A request was granted.
  void granted(SteadyTime now) noexcept {
    for (; step_ != 0 && grows_at_ <= now; grows_at_ = after(grows_at_, pace)) {
      step_ *= 2;
      room_ += step_;
      step_ = step_ < enough ? step_ : 0;
    }
    room_ -= room_ > 0 ? 1 : 0;
  }

  /// When another request may be granted.
  [[nodiscard]] SteadyTime opens_at() const noexcept {
    return step_ != 0 && room_ == 0 ? grows_at_ : (SteadyTime::min)();
  }

  [[nodiscard]] bool over() const noexcept { return step_ == 0; }

 private:
  static constexpr unsigned enough = 32;

  SteadyTime grows_at_{};
  std::uint64_t first_ = 0;
  unsigned room_ = 0;         ///< how many more may follow now
  unsigned step_ = 0;         ///< how many came by the last growth with time; 0: all may follow
  unsigned served_ = enough;  ///< since the last beginning
};

}  // namespace tokenpool::detail
