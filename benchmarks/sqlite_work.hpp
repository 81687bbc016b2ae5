#pragma once
// Bare transactions, as what a lease from an SQLite file is measured against.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "tokenpool/ledger/sqlite.hpp"

namespace benchmarks {

/// A step is a transaction that adds one row.
inline std::function<void()> bare_sqlite(const std::string& path, bool full) {
  struct Connection {
    static tokenpool::detail::SqliteDatabase opened(const std::string& file, bool to_disk) {
      tokenpool::detail::SqliteDatabase database(file, std::chrono::seconds(5));
      database.run_when_free("PRAGMA journal_mode = WAL");
      database.run(to_disk ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
      database.run("CREATE TABLE IF NOT EXISTS t(a INTEGER PRIMARY KEY, b INTEGER)");
      return database;
    }
    tokenpool::detail::SqliteDatabase database;
    tokenpool::detail::SqliteStatement begin{database, "BEGIN IMMEDIATE"};
    tokenpool::detail::SqliteStatement insert{database, "INSERT INTO t(b) VALUES(?)"};
    tokenpool::detail::SqliteStatement commit{database, "COMMIT"};
  };
  const std::shared_ptr<Connection> connection(new Connection{Connection::opened(path, full)});
  return [connection] {
    connection->begin.run();
    connection->insert.run(std::int64_t{7});
    connection->commit.run();
  };
}

inline std::shared_ptr<tokenpool::Ledger> ledger_of(const std::string& path,
                                                    bool survive_power_loss = false) {
  return std::make_shared<tokenpool::SqliteLedger>(
      tokenpool::SqliteOptions{.path = path, .survive_power_loss = survive_power_loss});
}

}  // namespace benchmarks
