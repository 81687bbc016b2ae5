#pragma once
// SQLite's C interface in the words of this room: a connection that closes itself, statements that are
// prepared once, a transaction that is rolled back unless it is committed.

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "tokenpool/base/error.hpp"

namespace tokenpool::detail {

/// One connection. Not thread-safe, and not to be carried over a fork.
class SqliteDatabase {
 public:
  /// Opens or creates `path`. Throws Error{ledger}.
  SqliteDatabase(const std::string& path, std::chrono::milliseconds patience) : path_(path) {
    sqlite3* opened = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int status = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
    handle_.reset(opened);
    if (status != SQLITE_OK) {
      fail(opened != nullptr ? sqlite3_errmsg(opened) : sqlite3_errstr(status));
    }
    patience_ = std::make_unique<Patience>(Patience{patience, {}});
    sqlite3_busy_handler(opened, &wait_for_others, patience_.get());
  }

  /// How long to wait for others from now on.
  void set_patience(std::chrono::milliseconds patience) noexcept { patience_->length = patience; }

  /// Runs statements that return nothing. Throws Error{ledger}.
  void run(const char* sql) {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
      fail();
    }
  }

  /// The same for what SQLite waits for nobody: of two connections that change the journal of a new file at
  /// once each would wait for the other, so it refuses one of them.
  void run_when_free(const char* sql) {
    Patience patience{patience_->length, {}};
    int status = SQLITE_OK;
    for (int asked = 0; (status = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr)) == SQLITE_BUSY &&
                        wait_for_others(&patience, asked) != 0;
         ++asked) {
    }
    if (status != SQLITE_OK) {
      fail();
    }
  }

  [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }
  [[nodiscard]] int changes() const noexcept { return sqlite3_changes(handle_.get()); }

  [[noreturn]] void fail() const { fail(sqlite3_errmsg(handle_.get())); }
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorCode::ledger, "the ledger " + path_ + ": " + why);
  }

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
  };
  struct Patience {
    std::chrono::milliseconds length;
    std::chrono::steady_clock::time_point began;
  };

  /// Others write for some tens of microseconds: SQLite's own waits, which grow to a tenth of a second, would
  /// be most of what a lease takes.
  static int wait_for_others(void* patience, int asked_before) {
    auto& [length, began] = *static_cast<Patience*>(patience);
    const auto now = std::chrono::steady_clock::now();
    began = asked_before == 0 ? now : began;
    std::this_thread::sleep_for(std::chrono::microseconds(100 + 37 * (asked_before % 16)));
    return now - began < length ? 1 : 0;
  }

  std::string path_;
  std::unique_ptr<Patience> patience_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// A prepared statement. `bind(...)` begins a new run, `next()` reads its rows, `run(...)` does both where
/// there are none. Throws Error{ledger}.
class SqliteStatement {
 public:
  SqliteStatement(SqliteDatabase& database, const char* sql) : database_(&database) {
    sqlite3_stmt* prepared = nullptr;
    if (sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr) !=
        SQLITE_OK) {
      database.fail();
    }
    handle_.reset(prepared);
  }

  /// Texts must live until the last row was read.
  template <class... Values>
  SqliteStatement& bind(const Values&... values) {
    sqlite3_reset(handle_.get());
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }

  /// Goes to the next row; after the last one the statement holds no lock any more.
  bool next() {
    const int status = sqlite3_step(handle_.get());
    if (status == SQLITE_ROW) {
      return true;
    }
    if (status != SQLITE_DONE) {
      const std::string why = sqlite3_errmsg(database_->handle());
      sqlite3_reset(handle_.get());
      database_->fail(why);
    }
    sqlite3_reset(handle_.get());
    return false;
  }

  template <class... Values>
  void run(const Values&... values) {
    bind(values...);
    while (next()) {
    }
  }

  /// Reads one number; `otherwise` when there is no row.
  template <class... Values>
  std::int64_t number(std::int64_t otherwise, const Values&... values) {
    const std::int64_t found = bind(values...).next() ? integer(0) : otherwise;
    done();
    return found;
  }

  [[nodiscard]] std::int64_t integer(int column) const noexcept {
    return sqlite3_column_int64(handle_.get(), column);
  }
  [[nodiscard]] std::string text(int column) const {
    const unsigned char* bytes = sqlite3_column_text(handle_.get(), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
    return bytes == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(bytes), size);
  }

  /// No more rows are wanted.
  void done() noexcept { sqlite3_reset(handle_.get()); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const noexcept { sqlite3_finalize(handle); }
  };

  void bind_one(int index, std::int64_t value) { sqlite3_bind_int64(handle_.get(), index, value); }
  void bind_one(int index, const std::string& value) {
    sqlite3_bind_text(handle_.get(), index, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
  }

  SqliteDatabase* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

/// Everything or nothing, for others too: a writer waits here until it is alone.
class SqliteTransaction {
 public:
  explicit SqliteTransaction(SqliteDatabase& database) : database_(database) {
    database_.run("BEGIN IMMEDIATE");
  }
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;
  ~SqliteTransaction() {
    // What could not be written, as on a full disk, may have been rolled back by SQLite already.
    if (!committed_ && sqlite3_get_autocommit(database_.handle()) == 0) {
      sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
  }

  void commit() {
    database_.run("COMMIT");
    committed_ = true;
  }

 private:
  SqliteDatabase& database_;
  bool committed_ = false;
};

}  // namespace tokenpool::detail
