#pragma once
// The counts of a ledger's file: the same rules as ledger_book.hpp, in SQL.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tokenpool/ledger/sqlite/database.hpp"
#include "tokenpool/quota/ledger.hpp"

namespace tokenpool::detail {

/// Reads and writes counts and leases, at a time that is handed in, in a transaction of the caller's.
class SqliteCounting {
 public:
  explicit SqliteCounting(SqliteDatabase& database) : database_(database) {}

  /// Takes all claims, or says in `answer` which has no room.
  void reserve(const LedgerQuestion& question, std::int64_t now, LedgerAnswer& answer) {
    const auto reservation = static_cast<std::int64_t>(question.reservation);
    answer.granted = true;
    if (known_.number(0, reservation, now) != 0) {
      return;
    }
    std::vector<std::int64_t> places;
    for (const Claim& claim : question.claims) {
      places.push_back(place(ledger_key(claim)));
      if (const std::int64_t when = room_at(places.back(), claim, now); when > now) {
        answer.granted = false;
        answer.refused_claim = places.size() - 1;
        answer.retry_in = std::chrono::milliseconds(when - now);
        return;
      }
    }
    const std::int64_t latest_answer =
        now + (std::max)(question.lives_for, std::chrono::milliseconds(0)).count();
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Claim& claim = question.claims[i];
      enter(places[i], reservation, claim, ledger::expiry(claim.limit, latest_answer), now);
    }
  }

  /// Counts what another store knew, without asking whether there is room.
  void enter(const LedgerSpent& spent, std::int64_t now) {
    const auto reservation = static_cast<std::int64_t>(spent.reservation);
    const std::int64_t where = place(ledger_key(spent.claim));
    if (reservation == 0 || known_there_.number(0, reservation, where) == 0) {
      enter(where, reservation, spent.claim, now + spent.expires_in.count(), now);
    }
  }

  /// Moves what a lease has taken to where it belongs.
  void end(const LedgerNote& note, std::int64_t now) {
    const auto reservation = static_cast<std::int64_t>(note.reservation);
    struct Taken {
      std::int64_t place, expires, units;
      Limit limit;
    };
    std::vector<Taken> all;
    for (lease_.bind(reservation); lease_.next();) {
      Limit limit{.amount = lease_.integer(3), .window = std::chrono::milliseconds(lease_.integer(4))};
      limit.unit = static_cast<Unit>(lease_.integer(5));
      limit.counted = static_cast<Counted>(lease_.integer(6));
      all.push_back({lease_.integer(0), lease_.integer(1), lease_.integer(2), limit});
    }
    for (const Taken& taken : all) {
      if (taken.expires > now) {
        subtract(taken.place, taken.expires, taken.units);
        add(taken.place, ledger::expiry(taken.limit, now - ledger::counted_ago(taken.limit, note)),
            ledger::true_units(taken.limit, note, taken.units), now);
      }
    }
    if (!all.empty()) {
      forget_lease_.run(reservation);
    }
  }

  LedgerCount read(const Claim& claim, std::int64_t now) {
    const std::string name = ledger_key(claim);
    const std::int64_t where = find_.number(0, name);
    LedgerCount count;
    for (entries_.bind(where, now); entries_.next();) {
      count.used += entries_.integer(1);
      count.resets_in = std::chrono::milliseconds(entries_.integer(0) - now);
    }
    return count;
  }

  /// Drops what has expired: entries of places that nobody asks for, leases of the dead, places.
  void sweep(std::int64_t now) {
    SqliteStatement(database_, "DELETE FROM counts WHERE expires <= ?").run(now);
    SqliteStatement(database_, "DELETE FROM leases WHERE expires <= ?").run(now);
    SqliteStatement(database_, "DELETE FROM places WHERE id NOT IN (SELECT place FROM counts)").run();
  }

 private:
  /// The number of a place, given out now if it is new.
  std::int64_t place(const std::string& name) {
    if (const std::int64_t known = find_.number(0, name); known != 0) {
      return known;
    }
    new_place_.run(name);
    return sqlite3_last_insert_rowid(database_.handle());
  }

  /// When there can be room for the claim: `now` if there is.
  std::int64_t room_at(std::int64_t where, const Claim& claim, std::int64_t now) {
    std::int64_t excess = sum_.number(0, where, now) + claim.units - claim.limit.amount;
    if (excess <= 0) {
      return now;
    }
    std::int64_t last = ledger::expiry(claim.limit, now);
    for (entries_.bind(where, now); excess > 0 && entries_.next();) {
      last = entries_.integer(0);
      excess -= entries_.integer(1);
    }
    entries_.done();
    return ledger::retry_at(claim.limit, last, now);
  }

  void enter(std::int64_t where, std::int64_t reservation, const Claim& claim, std::int64_t expires,
             std::int64_t now) {
    add(where, expires, claim.units, now);
    if (reservation != 0) {
      const Limit& limit = claim.limit;
      new_lease_.run(reservation, where, expires, claim.units, limit.amount,
                     std::int64_t{limit.window.count()}, static_cast<std::int64_t>(limit.unit),
                     static_cast<std::int64_t>(limit.counted));
    }
  }

  void add(std::int64_t where, std::int64_t expires, std::int64_t units, std::int64_t now) {
    if (units > 0 && expires > now) {
      expire_.run(where, now);
      add_.run(where, expires, units);
    }
  }

  /// An entry without units would be read with every sum until it expires.
  void subtract(std::int64_t where, std::int64_t expires, std::int64_t units) {
    last_of_entry_.run(where, expires, units);
    if (database_.changes() == 0) {
      subtract_.run(where, expires, units);
    }
  }

  SqliteDatabase& database_;
  SqliteStatement find_{database_, "SELECT id FROM places WHERE name = ?"};
  SqliteStatement new_place_{database_, "INSERT INTO places(name) VALUES(?)"};
  SqliteStatement sum_{database_, "SELECT sum(units) FROM counts WHERE place = ? AND expires > ?"};
  SqliteStatement entries_{
      database_, "SELECT expires, units FROM counts WHERE place = ? AND expires > ? ORDER BY expires"};
  SqliteStatement expire_{database_, "DELETE FROM counts WHERE place = ? AND expires <= ?"};
  SqliteStatement add_{database_,
                       "INSERT INTO counts(place, expires, units) VALUES(?,?,?)"
                       " ON CONFLICT(place, expires) DO UPDATE SET units = units + excluded.units"};
  SqliteStatement last_of_entry_{database_,
                                 "DELETE FROM counts WHERE place = ? AND expires = ? AND units <= ?"};
  SqliteStatement subtract_{database_,
                            "UPDATE counts SET units = units - ?3 WHERE place = ?1 AND expires = ?2"};
  SqliteStatement known_{database_, "SELECT 1 FROM leases WHERE reservation = ? AND expires > ?"};
  SqliteStatement known_there_{database_, "SELECT 1 FROM leases WHERE reservation = ? AND place = ?"};
  SqliteStatement lease_{database_,
                         "SELECT place, expires, units, amount, span, unit, counted FROM leases"
                         " WHERE reservation = ?"};
  SqliteStatement new_lease_{database_,
                             "INSERT OR REPLACE INTO leases(reservation, place, expires, units, amount, span,"
                             " unit, counted) VALUES(?,?,?,?,?,?,?,?)"};
  SqliteStatement forget_lease_{database_, "DELETE FROM leases WHERE reservation = ?"};
};

}  // namespace tokenpool::detail
