#pragma once
// How a client behaves towards a shared ledger.

#include <chrono>
#include <cstdint>

namespace tokenpool {

/// What to do while the ledger cannot be asked.
enum class OnUnavailable : std::uint8_t {
  fail,   ///< the call ends with ErrorCode::ledger
  local,  ///< go on within a share of the limits; what was spent is told to the ledger when it is back
};

/// What to do with a store that is new, as after it was emptied.
enum class OnFresh : std::uint8_t {
  republish,    ///< wait until each process that runs has told what it spent; one that is held still for
                ///< longer than `republish_within` tells too late
  wait_window,  ///< wait until all that any process may have spent has expired, the dead ones' too
};

/// The options of a client that shares its counts. A plain value.
struct LedgerOptions {
  OnUnavailable on_unavailable = OnUnavailable::fail;  ///< what a call does that cannot ask the ledger

  /// How many processes share the ledger, at most; needed for `local`. Each then keeps within this part of
  /// every limit, by its own count: while nobody reaches the ledger no window holds more than its limit. One
  /// in which somebody reached it, such as that around the beginning of an outage, may hold up to (processes
  /// - 1) / processes more: those who are cut off cannot know what others used up.
  unsigned processes = 0;

  OnFresh on_fresh = OnFresh::republish;  ///< what follows an emptied store

  /// How long a new store grants nothing. Each process that has spent something looks four times within it
  /// whether the store is still the same. 0: neither.
  std::chrono::milliseconds republish_within{2000};

  /// How long the end of a request waits for a question that it can ride along with.
  std::chrono::milliseconds report_within{200};
};

}  // namespace tokenpool
