#pragma once
// Where a client meets a shared ledger: what goes along with a question, what an answer means for the pool,
// what to do when the ledger is out of reach or has forgotten everything. Runs on the thread of whoever asks.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/base/random.hpp"
#include "tokenpool/base/time.hpp"
#include "tokenpool/client/ledger_notes.hpp"
#include "tokenpool/client/ledger_options.hpp"
#include "tokenpool/pool/events.hpp"
#include "tokenpool/pool/pool_core.hpp"
#include "tokenpool/quota/ledger.hpp"

namespace tokenpool::detail {

/// How the question for a lease ends: with a reservation, with a refusal, or with why it could not be asked.
struct LedgerReply {
  std::optional<Reservation> reservation{};
  LedgerAnswer refusal{};
  std::string failure{};
};

/// The desk of one client. Thread-safe.
class LedgerDesk {
 public:
  /// `on_event` hears, outside of any lock, what the news of others changed here; must not throw.
  LedgerDesk(std::shared_ptr<Ledger> ledger, const LedgerOptions& options, PoolCore& pool,
             std::function<Now()> clock, std::function<void(const PoolEvent&)> on_event)
      : ledger_(std::move(ledger)),
        options_(options),
        pool_(pool),
        clock_(std::move(clock)),
        on_event_(std::move(on_event)) {}

  /// Asks for a lease, which it gives a name; blocks.
  LedgerReply reserve(LedgerQuestion question) {
    const TellsEvents tells{*this};
    try {
      const LedgerAnswer answer = ask(question);
      if (answer.granted) {
        return {.reservation = Reservation(notes_, question.reservation)};
      }
      return {.refusal = answer};
    } catch (const std::exception& thrown) {
      return {.failure = std::string("the ledger could not be asked: ") + thrown.what()};
    } catch (...) {  // on the clerk's thread it would end the program
      return {.failure = "the ledger could not be asked: it threw something that is no std::exception"};
    }
  }

  /// Tells what waits to be told, and hears the news. Throws what the ledger throws.
  void report() {
    const TellsEvents tells{*this};
    LedgerQuestion nothing;
    travel(nothing);
  }

  [[nodiscard]] bool anything_to_tell() { return notes_->any_pending() || pool_.has_news(); }

  /// Something is counted here that an emptied store would have to be told again.
  [[nodiscard]] bool has_spent() { return notes_->counts_anything(clock_().steady); }

 private:
  LedgerAnswer ask(LedgerQuestion& question) {
    const SteadyTime now = clock_().steady;
    begin(question);
    if (now < back_at_.load().time) {
      return notes_->reserve_locally(question, options_.processes, now);
    }
    try {
      LedgerAnswer answer = travel(question);
      if (!answer.granted) {
        notes_->refused(question.reservation);
      }
      return answer;
    } catch (...) {
      drop(question);
      if (options_.on_unavailable == OnUnavailable::fail) {
        throw;
      }
      constexpr std::chrono::seconds pause{1};
      back_at_ = {after(now, pause)};
      untold_ = true;
      return notes_->reserve_locally(question, options_.processes, now);
    }
  }

  /// Gives the lease a name that no process has used, and counts it from here on: whoever tells a new store
  /// what was spent must not miss it.
  void begin(LedgerQuestion& question) {
    {
      const std::lock_guard lock(mutex_);
      question.reservation = names_.bits() | 1U;
    }
    notes_->began(question, clock_().steady);
  }

  /// Whether the lease was granted is unknown: a note that it was not used is right in either case.
  void drop(const LedgerQuestion& question) {
    notes_->add({.note = {.reservation = question.reservation, .sent = false}});
  }

  /// One trip, and further ones if the store turns out to be another.
  LedgerAnswer travel(LedgerQuestion& question) {
    constexpr int too_often = 3;
    for (int trips = 0; trips < too_often; ++trips) {
      if (untold_) {
        tell_what_was_taken_alone();
      }
      const Known known = what_is_known();
      LedgerAnswer answer = with_letters(question, known);
      if (known.epoch == 0 || answer.epoch == known.epoch) {
        learn(answer);
        return answer;
      }
      begin_epoch(answer.epoch);
      if (question.reservation != 0) {
        // The new store may know the name by now, as that of a lease that was granted.
        drop(question);
        begin(question);
      }
    }
    throw Error(ErrorCode::ledger, "the store is a different one each time it is asked");
  }

  static SplitMix64 from_the_system() {
    std::random_device random;
    return SplitMix64(std::uint64_t{random()} << 32U | random());
  }

  /// How far this client has heard, and in which epoch.
  struct Known {
    std::uint64_t epoch = 0;
    std::uint64_t heard = 0;
  };

  [[nodiscard]] Known what_is_known() {
    const std::lock_guard lock(mutex_);
    return known_;
  }

  LedgerAnswer with_letters(LedgerQuestion question, const Known& known) {
    const Now now = clock_();
    const std::vector<PendingNote> waiting = notes_->take();
    const std::vector<LedgerNews> news = pool_.take_news(now);
    std::vector<LedgerNote> notes;
    notes.reserve(waiting.size());
    std::transform(waiting.begin(), waiting.end(), std::back_inserter(notes),
                   [&](const PendingNote& note) { return note.told_at(now.steady); });
    question.notes = notes;
    question.news = news;
    question.epoch = known.epoch;
    question.heard = known.heard;
    try {
      LedgerAnswer answer = ledger_->ask(question);
      if (known.epoch != 0 && answer.epoch != known.epoch) {
        put_back(waiting, news, now);
      }
      return answer;
    } catch (...) {
      put_back(waiting, news, now);
      throw;
    }
  }

  void put_back(const std::vector<PendingNote>& notes, const std::vector<LedgerNews>& news, Now now) {
    notes_->put_back(notes);
    pool_.put_back_news(news, now);
  }

  void learn(const LedgerAnswer& answer) {
    {
      const std::lock_guard lock(mutex_);
      if (known_.epoch != 0 && known_.epoch != answer.epoch) {
        return;
      }
      known_ = {answer.epoch, (std::max)(known_.heard, answer.heard)};
    }
    if (!answer.news.empty()) {
      std::vector<PoolEvent> changes = pool_.hear(answer.news, clock_());
      const std::lock_guard lock(mutex_);
      std::move(changes.begin(), changes.end(), std::back_inserter(events_));
    }
  }

  /// Whoever listens may come back here, so he is told when all locks are released.
  struct TellsEvents {
    LedgerDesk& desk;
    ~TellsEvents() {
      std::vector<PoolEvent> events;
      {
        const std::lock_guard lock(desk.mutex_);
        events.swap(desk.events_);
      }
      std::for_each(events.begin(), events.end(), desk.on_event_);
    }
  };

  /// The store was emptied: tells it all that this client has spent, before anybody here asks it for a lease.
  void begin_epoch(std::uint64_t epoch) {
    const std::lock_guard one_at_a_time(telling_);
    if (what_is_known().epoch == epoch) {
      return;
    }
    const std::vector<LedgerSpent> spent = notes_->spent(clock_().steady);
    const LedgerAnswer answer = ledger_->ask({.spent = spent, .epoch = epoch});
    {
      const std::lock_guard lock(mutex_);
      known_ = {answer.epoch == epoch ? epoch : known_.epoch, 0};
    }
    if (answer.epoch == epoch) {
      learn(answer);
    }
  }

  /// The ledger may be back: hears of what was taken without it, before anybody here asks it for a lease.
  void tell_what_was_taken_alone() {
    const std::lock_guard one_at_a_time(telling_);
    if (!untold_) {
      return;
    }
    const SteadyTime now = clock_().steady;
    const std::vector<LedgerSpent> spent = notes_->take_untold(now);
    try {
      const Known known = what_is_known();
      const LedgerAnswer answer = ledger_->ask({.spent = spent, .heard = known.heard, .epoch = known.epoch});
      if (known.epoch == 0 || answer.epoch == known.epoch) {
        learn(answer);
      }  // else all that was ever spent, this with it, is told to the new store before the next lease
      untold_ = false;
    } catch (...) {
      notes_->put_back_untold(spent, now);
      throw;
    }
  }

  /// An instant that atomics can hold.
  struct Instant {
    SteadyTime time{};
  };

  std::shared_ptr<Ledger> ledger_;
  LedgerOptions options_;
  PoolCore& pool_;
  std::function<Now()> clock_;
  std::function<void(const PoolEvent&)> on_event_;
  std::shared_ptr<LedgerNotes> notes_ = std::make_shared<LedgerNotes>();
  std::mutex mutex_;
  Known known_;
  std::vector<PoolEvent> events_;         ///< not told yet
  SplitMix64 names_ = from_the_system();  ///< unlike what follows from ClientOptions::seed
  std::mutex telling_;
  std::atomic<bool> untold_{false};  ///< something was or may be taken without the ledger
  std::atomic<Instant> back_at_{};   ///< go on alone until then, instead of finding the ledger gone each time
};

}  // namespace tokenpool::detail
