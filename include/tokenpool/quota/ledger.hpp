#pragma once
// Counts that are kept elsewhere: in a file that processes share, or on a server that machines share. The
// pool never waits for it: it hands out claims, the client asks outside the lock and brings the answer back.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tokenpool/quota/limit.hpp"

namespace tokenpool {

/// "This much of that limit, in this place." Places are named by ids, never by secrets.
struct Claim {
  std::string place{};  ///< the same text in every process, such as "token=3fa0... bucket=gpt"
  Limit limit{};
  std::int64_t units = 1;
};

/// The ledger's answer to the claims of one lease: all or nothing.
struct LedgerAnswer {
  bool granted = true;
  std::size_t refused_claim = 0;         ///< the first claim without room, when not granted
  std::chrono::milliseconds retry_in{};  ///< when it will have room
  std::uint64_t reservation = 0;         ///< names the lease in later corrections
};

/// How a granted reservation ended; rides along with the next question.
struct LedgerNote {
  std::uint64_t reservation = 0;
  bool sent = true;       ///< false: give the units back
  std::int64_t cost = 1;  ///< the true cost
};

/// A store of counts. Implementations are thread-safe and may block. Throws Error{ledger} when it cannot be
/// asked.
class Ledger {
 public:
  virtual ~Ledger() = default;

  /// Takes all of `claims` or none, and learns from `notes` how earlier reservations ended.
  virtual LedgerAnswer reserve(std::span<const Claim> claims, std::span<const LedgerNote> notes) = 0;

 protected:
  Ledger() = default;
  Ledger(const Ledger&) = default;
  Ledger& operator=(const Ledger&) = default;
};

}  // namespace tokenpool
