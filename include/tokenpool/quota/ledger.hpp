#pragma once
// Counts that are kept elsewhere: in a file that processes share, or on a server that machines share. The
// pool never waits for it: it hands out claims, the client asks outside the lock and brings the answer back.
//
// A ledger counts as window.hpp does: a request occupies its units from the grant until `window` after its
// answer came. It does not know when that will be, so a lease is entered as if its answer came at the last
// moment, when it has lived for `lives_for`; the note of its end moves the entry to where it belongs. A
// process that dies leaves no note, and its leases expire by themselves.
//
// Clocks disagree, so none but the store's is used: questions and answers carry lengths of time, never
// instants. A length is measured before the question travels, so that what was "answered 3 s ago" is entered
// a little late and never early.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tokenpool/quota/limit.hpp"
#include "tokenpool/quota/verdict.hpp"

namespace tokenpool {

/// "This much of that limit, in this place." Places are named by ids, never by secrets.
struct Claim {
  std::string place{};     ///< the same text in every process, such as "token=3fa0... bucket=gpt"
  Limit limit{};           ///< whose amount the store holds the place to
  std::int64_t units = 1;  ///< at least 0
};

/// How a lease ended. A note may come twice, and for a lease that the store does not know: it is then passed
/// over.
struct LedgerNote {
  std::uint64_t reservation = 0;       ///< of the lease that ended
  bool sent = true;                    ///< false: it surely never reached the server, all is given back
  std::optional<std::int64_t> cost{};  ///< the true cost, for claims of Unit::cost; absent: as claimed
  /// How long ago the answer came; below 0 where none came and the server may still count the request.
  std::chrono::milliseconds answered_ago{};
  std::chrono::milliseconds arrived_ago{};  ///< the same for limits that count on arrival, if longer
};

/// What a process has learnt that all others must know.
struct LedgerNews {
  /// What has happened to `subject`.
  enum class Kind : std::uint8_t {
    rest,     ///< `subject` rests for `left`, or as long as it does already if that is longer
    ejected,  ///< it is out until a person acts
    ended,    ///< its rest is over (a success, better evidence); only for one that the asker had heard of
    enabled,  ///< a person ended its rest or ejection, and that of all whose name begins with it and a space
  };
  Kind kind = Kind::rest;  ///< what happened
  std::string subject{};   ///< named as places are: "token=a", "token=a bucket=gpt", "egress=e", "pool"
  std::chrono::milliseconds left{};  ///< of a rest
  Verdict cause = Verdict::success;  ///< what began it
  std::string reason{};              ///< a few words, no secret
};

/// What a process has spent that the store cannot know, because it was emptied or out of reach.
struct LedgerSpent {
  Claim claim{};                           ///< what was taken, where
  std::chrono::milliseconds expires_in{};  ///< until it counts no longer
  std::uint64_t reservation = 0;  ///< of a lease still in flight, which a note will end; 0: it has ended
};

/// One trip to the store. It is worked through in this order: epoch, spent, notes, news, claims.
struct LedgerQuestion {
  /// The name of the lease, unique among all processes (64 random bits). Asked again under the same name, as
  /// after a lost answer, it is one lease. 0: no lease is wanted.
  std::uint64_t reservation = 0;
  std::span<const Claim> claims{};        ///< all or none; no two of them have the same ledger_key
  std::chrono::milliseconds lives_for{};  ///< a lease without a note was answered by then at the latest
  std::span<const LedgerNote> notes{};    ///< how earlier leases ended
  std::span<const LedgerNews> news{};     ///< what all others must know
  std::span<const LedgerSpent> spent{};   ///< what the store cannot know
  std::uint64_t heard = 0;  ///< `LedgerAnswer::heard` of the asker's last answer in this epoch; 0: none yet
  std::uint64_t epoch = 0;  ///< of the asker's last answer; 0: none yet
  std::chrono::milliseconds fresh_for{};  ///< no lease while the store is younger than this
  std::chrono::milliseconds patience{};   ///< an answer is of no use after this, so give up; 0: no bound
};

/// The store's answer: the lease with all its claims, or nothing.
struct LedgerAnswer {
  bool granted = true;                   ///< false also when no lease was wanted
  std::size_t refused_claim = 0;         ///< the first claim without room; the number of claims when the
                                         ///< store is too young or of another epoch
  std::chrono::milliseconds retry_in{};  ///< when another try can succeed at the earliest
  std::uint64_t epoch = 0;  ///< of the store, never 0. Another one than the asker's: the store was emptied,
                            ///< nothing of the question was done
  std::uint64_t heard = 0;  ///< counts the news of this epoch
  /// How each subject stands of which there was news after the asker's `heard`, its own news included;
  /// rests that are over by now are left out.
  std::vector<LedgerNews> news{};
};

/// What is counted against one limit in one place.
struct LedgerCount {
  std::int64_t used = 0;                  ///< units, those of leases in flight included
  std::chrono::milliseconds resets_in{};  ///< when the last of it expires; 0 when nothing is used
};

/// A store of counts, rests and ejections. Implementations are thread-safe and may block. Both functions
/// throw Error{ledger} when the store cannot be asked; whether the question was worked through is then
/// unknown, and it may be asked again. testing::check_ledger shows whether an implementation keeps all this.
class Ledger {
 public:
  virtual ~Ledger() = default;

  /// Works the question through, all of it or nothing.
  virtual LedgerAnswer ask(const LedgerQuestion& question) = 0;

  /// What is counted in each of `places` now; their units mean nothing here.
  virtual std::vector<LedgerCount> read(std::span<const Claim> places) = 0;

 protected:
  Ledger() = default;
  Ledger(const Ledger&) = default;
  Ledger& operator=(const Ledger&) = default;
};

/// Whether both have one ledger_key.
inline bool counted_together(const Claim& one, const Claim& other) noexcept {
  return one.place == other.place && one.limit.unit == other.limit.unit &&
         (one.limit.unit == Unit::in_flight || one.limit.window == other.limit.window);
}

/// Where a claim is counted: the same for every amount, so that a changed limit keeps its counts.
inline std::string ledger_key(const Claim& claim) {
  const Limit& limit = claim.limit;
  const std::int64_t window = limit.unit == Unit::in_flight ? 0 : limit.window.count();
  return claim.place + ' ' + std::string(to_string(limit.unit)) + '/' + std::to_string(window);
}

/// The arithmetic that every ledger shares, in milliseconds of the store's clock.
namespace ledger {

/// When units counted at `counted` expire: a window later, and a millisecond, since that is how far whole
/// milliseconds may be off; above an amount of 256 rounded up to the end of one of 128 sub-windows, so that a
/// place never has more than about 256 entries.
constexpr std::int64_t expiry(const Limit& limit, std::int64_t counted) noexcept {
  constexpr std::int64_t exact_amount = 256;
  constexpr std::int64_t sub_windows = 128;
  constexpr std::int64_t end = std::int64_t{1} << 53U;  // a double holds it, as Lua's numbers are
  const std::int64_t window = limit.unit == Unit::in_flight ? 0 : limit.window.count();
  const std::int64_t exact = counted >= end - (std::min)(window, end) - 1 ? end : counted + window + 1;
  const std::int64_t step = (std::max)(window / sub_windows, std::int64_t{1});
  return limit.amount <= exact_amount ? exact : (exact + step - 1) / step * step;
}

/// How often somebody may ask who waits for a request of others to end.
inline constexpr std::int64_t in_flight_retry = 20;

/// When another try can succeed at the earliest, if it takes the entry that expires at `expires` to go: an
/// entry of a request in flight is answered now at best.
constexpr std::int64_t retry_at(const Limit& limit, std::int64_t expires, std::int64_t now) noexcept {
  return limit.unit == Unit::in_flight ? now + in_flight_retry : (std::min)(expires, expiry(limit, now));
}

/// How long ago the server counted what `note` tells of, at the least.
constexpr std::int64_t counted_ago(const Limit& limit, const LedgerNote& note) noexcept {
  const auto ago = limit.counted == Counted::on_arrival ? (std::max)(note.answered_ago, note.arrived_ago)
                                                        : note.answered_ago;
  return ago.count();
}

/// What `note` leaves of `claimed` units.
constexpr std::int64_t true_units(const Limit& limit, const LedgerNote& note, std::int64_t claimed) noexcept {
  constexpr std::int64_t largest = 1'000'000'000'000'000;
  if (!note.sent || limit.unit == Unit::in_flight) {
    return 0;
  }
  return limit.unit == Unit::cost && note.cost ? std::clamp(*note.cost, std::int64_t{0}, largest) : claimed;
}

}  // namespace ledger

}  // namespace tokenpool
