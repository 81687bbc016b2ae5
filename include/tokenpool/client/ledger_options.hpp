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
  republish,    ///< wait until each process that lives has told what it spent
  wait_window,  ///< wait until all that any process may have spent has expired, the dead ones' too
};

/// The options of a client that shares its counts. A plain value.
struct LedgerOptions {
  OnUnavailable on_unavailable = OnUnavailable::fail;

  /// How many processes share the ledger, at most; needed for `local`. Each then keeps within this part of
  /// every limit, by its own count: no window that lies within the outage holds more than the limit. What
  /// others had used up when the outage began a process cannot know, so that a window around its beginning
  /// may hold up to (processes - 1) / processes more than the limit.
  unsigned processes = 0;

  OnFresh on_fresh = OnFresh::republish;

  /// How long a new store grants nothing, and four times as often as which each process that has spent
  /// something looks whether the store is still the same. 0: neither.
  std::chrono::milliseconds republish_within{2000};

  /// How long the end of a request waits for a question that it can ride along with.
  std::chrono::milliseconds report_within{200};
};

}  // namespace tokenpool
