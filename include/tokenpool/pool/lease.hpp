#pragma once
// Leave to send one request: this token, leaving by this egress, now. A lease cannot leak: it is settled once
// with an outcome, or, destroyed unsettled, given back or counted by what is known of the request.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/pool/events.hpp"
#include "tokenpool/pool/slot.hpp"
#include "tokenpool/quota/attempt.hpp"
#include "tokenpool/quota/ledger.hpp"
#include "tokenpool/quota/limit_fact.hpp"
#include "tokenpool/quota/verdict.hpp"

namespace tokenpool {

/// What a request needs of the pool. The texts must live until the lease is granted.
struct LeaseRequest {
  std::string_view bucket{};            ///< `Request::bucket`
  std::int64_t cost = 1;                ///< `Request::cost`
  std::string_view affinity{};          ///< `Request::affinity`
  std::span<const SlotNumber> asked{};  ///< tokens that this call will not ask again
  std::vector<Skipped>* skipped{};      ///< where to write which tokens were passed over; null: nobody asks
};

/// How a request ended.
struct Outcome {
  bool sent = true;          ///< false: it surely never reached the server and counts nowhere
  Classification meaning{};  ///< what the answer, or its absence, meant
  bool answered = false;     ///< an answer came
  /// When its header block came; without one, until when the server may still count the request.
  SteadyTime answered_at{};
  Duration latency{};                  ///< from sending to answered_at
  std::optional<std::int64_t> cost{};  ///< the true cost, where known
  /// An instant by which the server surely had the request, where something tells (a header that says how
  /// long it worked, for example); frees limits that count on arrival earlier. Absent is safe: then the
  /// answer is the proof.
  std::optional<SteadyTime> arrived_by{};
  std::vector<LimitFact> facts{};  ///< what the server said it has left
  int status = 0;                  ///< of the answer, for those who look at the pool; 0: none came
};

namespace detail {

/// What a lease needs of its pool.
class LeaseKeeper {
 public:
  virtual SettleResult settle(const Grant& grant, const Outcome& outcome, Now now) = 0;
  virtual SettleResult answered(const Grant& grant, Now now) = 0;
  virtual void give_back(const Grant& grant) noexcept = 0;
  virtual void count_until(const Grant& grant, SteadyTime answered_at) noexcept = 0;

 protected:
  ~LeaseKeeper() = default;
};

}  // namespace detail

/// Leave to send one request. Move-only; used by one thread at a time; must not outlive its pool.
class Lease {
 public:
  /// Made by the pool.
  Lease(detail::LeaseKeeper& keeper, const detail::Grant& grant) noexcept : keeper_(&keeper), grant_(grant) {}

  /// @{
  /// What was moved from holds nothing; what is assigned to gives up its own first.
  Lease(Lease&& other) noexcept
      : keeper_(std::exchange(other.keeper_, nullptr)),
        grant_(other.grant_),
        gives_up_at_(other.gives_up_at_) {}
  Lease& operator=(Lease&& other) noexcept {
    if (this != &other) {
      let_go();
      keeper_ = std::exchange(other.keeper_, nullptr);
      grant_ = other.grant_;
      gives_up_at_ = other.gives_up_at_;
    }
    return *this;
  }
  /// @}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() { let_go(); }

  /// The credential that was given with the lease, whatever became of the token since. Valid until the lease
  /// ends.
  [[nodiscard]] const Credential& credential() const noexcept { return *grant_.credential; }
  /// @{
  /// What was granted, as the pool numbers it.
  [[nodiscard]] const detail::Grant& grant() const noexcept { return grant_; }
  [[nodiscard]] SlotNumber slot() const noexcept { return grant_.place.token; }
  [[nodiscard]] std::uint32_t egress() const noexcept { return grant_.place.egress; }
  /// @}

  /// From here on the server may count the request, at the latest at `gives_up_at`: a lease that is then
  /// destroyed unsettled counts until the end of its windows after that.
  void mark_sent(SteadyTime gives_up_at) noexcept { gives_up_at_ = gives_up_at; }

  /// The server has accepted the request and its answer goes on: limits on requests count it from now on, and
  /// a rest that it tests is over. Limits on cost and on what is in flight wait for settle(). Only the first
  /// call counts.
  SettleResult answered(Now now) {
    if (keeper_ == nullptr || grant_.answered) {
      return {};
    }
    SettleResult result = keeper_->answered(grant_, now);
    grant_.answered = true;
    return result;
  }

  /// Ends the lease with what became of the request. Only the first call counts, and none of a moved-from
  /// lease.
  SettleResult settle(const Outcome& outcome, Now now) {
    detail::LeaseKeeper* keeper = std::exchange(keeper_, nullptr);
    return keeper != nullptr ? keeper->settle(grant_, outcome, now) : SettleResult{};
  }

 private:
  void let_go() noexcept {
    if (detail::LeaseKeeper* keeper = std::exchange(keeper_, nullptr)) {
      if (gives_up_at_) {
        keeper->count_until(grant_, *gives_up_at_);
      } else {
        keeper->give_back(grant_);
      }
    }
  }

  detail::LeaseKeeper* keeper_;
  detail::Grant grant_;
  std::optional<SteadyTime> gives_up_at_;
};

/// What stands in the way of a lease.
struct Blocker {
  LimitScope scope = LimitScope::unknown;  ///< unknown: the pool as a whole
  std::uint32_t number = 0;                ///< of the token, egress, bucket or account
  bool by_limit = false;                   ///< a limit of ours is reached; else it rests
};

/// No lease now. `when` is the earliest instant at which another try can succeed, `end_of_time` if that waits
/// for an answer to a request under way or for a person.
struct NotUntil {
  SteadyTime when = end_of_time;  ///< of another try
  Blocker why{};                  ///< what has to end first
};

/// No lease ever, as the pool stands.
struct Never {
  /// Why not.
  enum class Reason : std::uint8_t {
    no_tokens,       ///< all are ejected or disabled
    cost_too_large,  ///< a limit can never hold this cost
    all_asked,       ///< each token was asked by this call and none of them rests
  };
  Reason reason = Reason::no_tokens;  ///< why not
  std::int64_t amount = 0;            ///< the limit that is too small
};

/// A remote ledger has to be asked before the lease counts. The caller asks outside of any lock and either
/// takes `lease` or gives it back with `TokenPool::refuse`.
struct Ask {
  Lease lease;                  ///< taken in the pool's own counts
  std::vector<Claim> claims{};  ///< for the ledger
};

/// What comes of asking for a lease.
using Acquired = std::variant<Lease, NotUntil, Never, Ask>;

}  // namespace tokenpool
