#pragma once
// What a client itself knows of its leases in a shared ledger: how they ended, which rides along with the
// next question, whoever asks it; and all that it has spent, to go on from when the ledger is out of reach or
// was emptied.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/ledger.hpp"
#include "tokenpool/quota/ledger_book.hpp"

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

/// The notes and counts of one client. Thread-safe.
class LedgerNotes {
 public:
  /// A lease is going to be asked for: from here on it counts.
  void began(const LedgerQuestion& question, SteadyTime now) {
    const std::lock_guard lock(mutex_);
    enter(own_, question, now);
  }

  /// The ledger refused it.
  void refused(std::uint64_t reservation) {
    const std::lock_guard lock(mutex_);
    end(own_, {.note = {.reservation = reservation, .sent = false}});
  }

  /// Goes on without the ledger: takes the lease within one of `processes` parts of its limits.
  LedgerAnswer reserve_locally(const LedgerQuestion& question, unsigned processes, SteadyTime now) {
    std::vector<Claim> parts(question.claims.begin(), question.claims.end());
    for (Claim& part : parts) {
      part.limit.amount /= processes;
    }
    LedgerQuestion of_part = question;
    of_part.claims = parts;
    const std::lock_guard lock(mutex_);
    end(own_, {.note = {.reservation = question.reservation, .sent = false}});
    LedgerAnswer answer = own_.ask(of_part, milliseconds(now));
    if (answer.granted) {
      enter(untold_, question, now);
    }
    return answer;
  }

  /// How a lease ended. Throws std::bad_alloc.
  void add(const PendingNote& note) {
    const std::lock_guard lock(mutex_);
    end(own_, note);
    if (!end(untold_, note) && pending_.size() < most_notes) {
      pending_.push_back(note);
    }
  }

  [[nodiscard]] bool any_pending() {
    const std::lock_guard lock(mutex_);
    return !pending_.empty();
  }

  std::vector<PendingNote> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(pending_, {});
  }

  /// They could not be told.
  void put_back(const std::vector<PendingNote>& notes) {
    const std::lock_guard lock(mutex_);
    const std::size_t room = most_notes - (std::min)(pending_.size(), most_notes);
    const auto kept = static_cast<std::ptrdiff_t>((std::min)(notes.size(), room));
    pending_.insert(pending_.begin(), notes.end() - kept, notes.end());
  }

  [[nodiscard]] bool counts_anything(SteadyTime now) {
    const std::lock_guard lock(mutex_);
    return own_.counts_anything(milliseconds(now));
  }

  /// All that is counted.
  [[nodiscard]] std::vector<LedgerSpent> spent(SteadyTime now) {
    const std::lock_guard lock(mutex_);
    return own_.spent(milliseconds(now));
  }

  /// What was taken without the ledger and was not told since; it is not untold any more.
  [[nodiscard]] std::vector<LedgerSpent> take_untold(SteadyTime now) {
    const std::lock_guard lock(mutex_);
    return std::exchange(untold_, LedgerBook()).spent(milliseconds(now));
  }

  /// It could not be told.
  void put_back_untold(const std::vector<LedgerSpent>& spent, SteadyTime now) {
    const std::lock_guard lock(mutex_);
    untold_.ask({.spent = spent}, milliseconds(now));
  }

 private:
  /// Beyond this, as when the ledger is out of reach for long, a lease is left to expire by itself.
  static constexpr std::size_t most_notes = 10'000;

  static std::int64_t milliseconds(SteadyTime instant) noexcept {
    return std::chrono::floor<std::chrono::milliseconds>(instant.time_since_epoch()).count();
  }

  static void enter(LedgerBook& book, const LedgerQuestion& question, SteadyTime now) {
    std::vector<LedgerSpent> spent;
    for (const Claim& claim : question.claims) {
      const std::int64_t expires = ledger::expiry(claim.limit, question.lives_for.count());
      spent.push_back({claim, std::chrono::milliseconds(expires), question.reservation});
    }
    book.ask({.spent = spent}, milliseconds(now));
  }

  /// Returns whether the book knew the lease.
  static bool end(LedgerBook& book, const PendingNote& note) {
    return book.end(note.told_at(note.answered_at), milliseconds(note.answered_at));
  }

  std::mutex mutex_;
  std::vector<PendingNote> pending_;
  LedgerBook own_;
  LedgerBook untold_;
};

/// A granted lease; when it goes it leaves a note. Not sent unless ended() says otherwise.
class Reservation {
 public:
  Reservation(std::shared_ptr<LedgerNotes> notes, std::uint64_t number) noexcept
      : notes_(std::move(notes)), note_{.note = {.reservation = number, .sent = false}} {}
  Reservation(Reservation&&) noexcept = default;
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
  std::shared_ptr<LedgerNotes> notes_;
  PendingNote note_;
};

}  // namespace tokenpool::detail
