#pragma once
// How reservations in a remote ledger ended. That is no question of its own: it rides along with the next
// one, whoever asks it, so that a call costs the ledger one round trip.

#include <cstdint>
#include <iterator>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "tokenpool/quota/ledger.hpp"

namespace tokenpool::detail {

/// The notes of one client that wait for a question. Thread-safe.
class LedgerNotes {
 public:
  /// Asks, and brings the notes. Throws what the ledger throws; the notes then wait for the next question.
  LedgerAnswer ask(Ledger& ledger, std::span<const Claim> claims) {
    std::vector<LedgerNote> notes = take();
    try {
      return ledger.reserve(claims, notes);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      notes_.insert(notes_.begin(), notes.begin(), notes.end());
      throw;
    }
  }

  /// Throws std::bad_alloc.
  void add(const LedgerNote& note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(note);
  }

 private:
  std::vector<LedgerNote> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(notes_, {});
  }

  std::mutex mutex_;
  std::vector<LedgerNote> notes_;
};

/// A granted reservation; when it goes it leaves a note. Not sent unless ended() says otherwise.
class Reservation {
 public:
  Reservation(LedgerNotes& notes, std::uint64_t number, std::int64_t cost) noexcept
      : notes_(&notes), note_{.reservation = number, .sent = false, .cost = cost} {}
  Reservation(Reservation&& other) noexcept
      : notes_(std::exchange(other.notes_, nullptr)), note_(other.note_) {}
  Reservation& operator=(Reservation&&) = delete;
  ~Reservation() {
    if (notes_ != nullptr) {
      try {
        notes_->add(note_);
      } catch (...) {  // without its note the reservation stays counted in full, which is the safe side
      }
    }
  }

  /// The request ended; `cost` is its true cost where that is known.
  void ended(bool sent, std::optional<std::int64_t> cost) noexcept {
    note_.sent = sent;
    note_.cost = cost.value_or(note_.cost);
  }

 private:
  LedgerNotes* notes_;
  LedgerNote note_;
};

}  // namespace tokenpool::detail
