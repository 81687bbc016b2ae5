#pragma once
// The rests and ejections of a ledger's file: the same rules as ledger_book.hpp, in SQL.

#include <chrono>
#include <cstdint>
#include <string>

#include "tokenpool/ledger/sqlite/database.hpp"
#include "tokenpool/quota/ledger.hpp"

namespace tokenpool::detail {

/// Reads and writes what processes have learnt, in a transaction of the caller's.
class SqliteGossip {
 public:
  explicit SqliteGossip(SqliteDatabase& database) : database_(database) {}

  /// `heard` is how far the asker has heard, `newest` counts all news of the file.
  void hear(const LedgerNews& news, std::uint64_t heard, std::int64_t& newest, std::int64_t now) {
    using Kind = LedgerNews::Kind;
    if (news.kind == Kind::enabled) {
      // '!' is the character after the space: everything that begins with the subject and a space.
      forget_below_.run(news.subject + ' ', news.subject + '!');
      return write(news, now, newest);
    }
    const bool known = find_.bind(news.subject).next();
    const Kind kind = known ? static_cast<Kind>(find_.integer(0)) : Kind::ended;
    const std::int64_t known_until = known ? find_.integer(1) : 0;
    const auto version = static_cast<std::uint64_t>(known ? find_.integer(2) : 0);
    find_.done();
    const bool ejected = kind == Kind::ejected;
    const bool rests = kind == Kind::rest && known_until > now;
    const std::int64_t until = now + news.left.count();
    if (news.kind == Kind::ended) {
      // Who hears that a rest ended needs that only for as long as he would have kept it.
      return rests && version <= heard ? write(news, known_until, newest) : void();
    }
    if (!ejected && !(news.kind == Kind::rest && rests && known_until >= until)) {
      write(news, until, newest);
    }
  }

  void tell(std::uint64_t heard, std::int64_t newest, std::int64_t now, LedgerAnswer& answer) {
    using Kind = LedgerNews::Kind;
    answer.heard = static_cast<std::uint64_t>(newest);
    if (heard >= answer.heard) {
      return;
    }
    for (since_.bind(static_cast<std::int64_t>(heard)); since_.next();) {
      const auto kind = static_cast<Kind>(since_.integer(1));
      const bool passes = kind == Kind::rest || kind == Kind::ended;
      const std::int64_t left = since_.integer(2) - now;
      if (!passes || left > 0) {
        answer.news.push_back({kind, since_.text(0), std::chrono::milliseconds(passes ? left : 0),
                               static_cast<Verdict>(since_.integer(3)), since_.text(4)});
      }
    }
  }

  /// Drops what is over by itself.
  void sweep(std::int64_t now) {
    SqliteStatement(database_, "DELETE FROM facts WHERE until <= ? AND kind IN (?, ?)")
        .run(now, static_cast<std::int64_t>(LedgerNews::Kind::rest),
             static_cast<std::int64_t>(LedgerNews::Kind::ended));
  }

 private:
  void write(const LedgerNews& news, std::int64_t until, std::int64_t& newest) {
    write_.run(news.subject, static_cast<std::int64_t>(news.kind), until,
               static_cast<std::int64_t>(news.cause), news.reason, ++newest);
  }

  SqliteDatabase& database_;
  SqliteStatement find_{database_, "SELECT kind, until, version FROM facts WHERE subject = ?"};
  SqliteStatement write_{database_,
                         "INSERT OR REPLACE INTO facts(subject, kind, until, cause, reason, version)"
                         " VALUES(?,?,?,?,?,?)"};
  SqliteStatement forget_below_{database_, "DELETE FROM facts WHERE subject >= ? AND subject < ?"};
  SqliteStatement since_{database_,
                         "SELECT subject, kind, until, cause, reason FROM facts WHERE version > ?"
                         " ORDER BY version"};
};

}  // namespace tokenpool::detail
