#pragma once
// The tables of a ledger's file, and how a file of an earlier version becomes one of this.

#include <array>
#include <cstdint>
#include <random>
#include <string>

#include "tokenpool/ledger/sqlite/database.hpp"
#include "tokenpool/ledger/sqlite/machine_time.hpp"

namespace tokenpool::detail {

/// "tkpl": SQLite's mark of whose file it is.
inline constexpr std::int64_t sqlite_application = 0x746b706c;

/// Step n makes version n + 1 of version n. Steps that were released never change: a new version is a new
/// step.
inline constexpr std::array sqlite_steps{
    // Counts. An entry is the units that expire at one instant; a lease remembers which entries it is in.
    R"(CREATE TABLE ledger(epoch INTEGER NOT NULL, born INTEGER NOT NULL, boot TEXT NOT NULL,
         ahead INTEGER NOT NULL, latest INTEGER NOT NULL, swept INTEGER NOT NULL);
       CREATE TABLE places(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
       CREATE TABLE counts(place INTEGER NOT NULL, expires INTEGER NOT NULL, units INTEGER NOT NULL,
         PRIMARY KEY(place, expires)) WITHOUT ROWID;
       CREATE TABLE leases(reservation INTEGER NOT NULL, place INTEGER NOT NULL, expires INTEGER NOT NULL,
         units INTEGER NOT NULL, amount INTEGER NOT NULL, span INTEGER NOT NULL, unit INTEGER NOT NULL,
         counted INTEGER NOT NULL, PRIMARY KEY(reservation, place)) WITHOUT ROWID;)",
    // Rests and ejections.
    R"(ALTER TABLE ledger ADD COLUMN heard INTEGER NOT NULL DEFAULT 0;
       CREATE TABLE facts(subject TEXT PRIMARY KEY, kind INTEGER NOT NULL, until INTEGER NOT NULL,
         cause INTEGER NOT NULL, reason TEXT NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID;
       CREATE INDEX facts_by_version ON facts(version);)",
};

/// Brings the file to this version, once for all processes. Throws Error{ledger} for one of a later version
/// or of another program.
inline void migrate(SqliteDatabase& database, const MachineTime& time) {
  const auto newest = static_cast<std::int64_t>(sqlite_steps.size());
  SqliteTransaction transaction(database);
  const std::int64_t version = SqliteStatement(database, "PRAGMA user_version").number(0);
  const std::int64_t owner = SqliteStatement(database, "PRAGMA application_id").number(0);
  const bool empty = SqliteStatement(database, "SELECT 1 FROM sqlite_schema").number(0) == 0;
  if (owner != sqlite_application && !empty) {
    database.fail("the file is another program's: give a path of its own");
  }
  if (version > newest) {
    database.fail("the file is of version " + std::to_string(version) + " and this library knows " +
                  std::to_string(newest) + ": use the library that made it, or another path");
  }
  for (std::int64_t step = version; step < newest; ++step) {
    database.run(sqlite_steps[static_cast<std::size_t>(step)]);
  }
  if (version == 0) {
    std::random_device random;
    const std::int64_t epoch = (std::int64_t{random() & 0x7fffffffU} << 32U | random()) + 1;
    SqliteStatement(database,
                    "INSERT INTO ledger(epoch, born, boot, ahead, latest, swept) VALUES(?,?,?,?,?,?)")
        .run(epoch, time.wall, time.boot, time.wall - time.since_boot, time.wall, time.wall);
  }
  if (version != newest) {
    database.run(("PRAGMA application_id = " + std::to_string(sqlite_application)).c_str());
    database.run(("PRAGMA user_version = " + std::to_string(newest)).c_str());
  }
  transaction.commit();
}

}  // namespace tokenpool::detail
