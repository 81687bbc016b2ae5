#pragma once
// How reservations in a remote ledger ended. That is no question of its own: it rides along with the next
// one, whoever asks it, so that a call costs the ledger one round trip.

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/ledger.hpp"

namespace tokenpool::detail {

/// How a lease ended, at instants instead of ages, which grow while the note waits.
struct PendingNote {
  LedgerNote note{};
  SteadyTime answered_at{};
  SteadyTime arrived_by{};

  /// The note as it is told at `now`.
  [[nodiscard]] LedgerNote told_at(SteadyTime now) const noexcept {
    const auto age = [now](SteadyTime instant) {
      return std::chrono::floor<std::chrono::milliseconds>(now - instant);
    };
    LedgerNote told = note;
    told.answered_ago = age(answered_at);
    told.arrived_ago = age(arrived_by);
    return told;
  }
};

/// The notes of one client that wait for a question. Thread-safe.
class LedgerNotes {
 public:
  /// Asks, and brings the notes. Throws what the ledger throws; the notes then wait for the next question.
  LedgerAnswer ask(Ledger& ledger, LedgerQuestion question, SteadyTime now) {
    const std::vector<PendingNote> waiting = take();
    std::vector<LedgerNote> notes;
    notes.reserve(waiting.size());
    for (const PendingNote& note : waiting) {
      notes.push_back(note.told_at(now));
    }
    question.notes = notes;
    try {
      return ledger.ask(question);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      notes_.insert(notes_.begin(), waiting.begin(), waiting.end());
      throw;
    }
  }

  /// Throws std::bad_alloc.
  void add(const PendingNote& note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(note);
  }

 private:
  std::vector<PendingNote> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(notes_, {});
  }

  std::mutex mutex_;
  std::vector<PendingNote> notes_;
};

/// A granted reservation; when it goes it leaves a note. Not sent unless ended() says otherwise.
class Reservation {
 public:
  Reservation(LedgerNotes& notes, std::uint64_t number) noexcept
      : notes_(&notes), note_{.note = {.reservation = number, .sent = false}} {}
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
  void ended(bool sent, std::optional<std::int64_t> cost, SteadyTime answered_at,
             std::optional<SteadyTime> arrived_by) noexcept {
    note_.note.sent = sent;
    note_.note.cost = cost;
    note_.answered_at = answered_at;
    note_.arrived_by = arrived_by.value_or(answered_at);
  }

 private:
  LedgerNotes* notes_;
  PendingNote note_;
};

}  // namespace tokenpool::detail
