// A ledger in a file: what every ledger keeps, and what only a file has to: modes, versions, a machine that
// is started again, a clock that somebody sets.

#include "tokenpool/ledger/sqlite.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/testing/ledger_suite.hpp"

using namespace tokenpool;
using tokenpool::testing::check_ledger;
using tokenpool::testing::LedgerStand;
using namespace std::chrono_literals;
using test::ContainsSubstring;

namespace {

namespace fs = std::filesystem;

/// A folder that goes when the test ends.
struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "tokenpool-ledger-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

/// A file and a machine whose clocks a test moves.
struct Desk {
  std::shared_ptr<SqliteLedger> open(std::chrono::milliseconds skew = 0ms) {
    SqliteOptions options{.path = path()};
    options.clock = [this, skew] {
      MachineTime read = time;
      read.wall += skew.count();
      return read;
    };
    return std::make_shared<SqliteLedger>(std::move(options));
  }
  [[nodiscard]] std::string path() const { return (folder.path / "counts.db").string(); }
  void pass(std::chrono::milliseconds length) {
    time.since_boot += length.count();
    time.wall += length.count();
  }

  Folder folder;
  MachineTime time{"boot one", 5000, 1'704'067'200'000};
};

LedgerQuestion question(std::uint64_t reservation, const std::vector<Claim>& claims) {
  return {.reservation = reservation, .claims = claims, .lives_for = 1s};
}

const std::vector<Claim> one_an_hour{{.place = "token=a", .limit = Limit::per_token(1, 1h)}};

/// What the file says when it is asked with SQL.
std::int64_t number_in(const std::string& path, const char* sql) {
  detail::SqliteDatabase database(path, 1s);
  return detail::SqliteStatement(database, sql).number(-1);
}

void run_in(const std::string& path, const std::string& sql) {
  detail::SqliteDatabase database(path, 1s);
  database.run(sql.c_str());
}

}  // namespace

TEST_CASE("the ledger in a file keeps all that a ledger must") {
  Desk desk;
  LedgerStand stand;
  stand.connect = [&](std::chrono::milliseconds skew) { return desk.open(skew); };
  stand.empty = [&] {
    for (const char* end : {"", "-wal", "-shm"}) fs::remove(desk.path() + end);
  };
  stand.now = [&] { return std::chrono::milliseconds(desk.time.since_boot); };
  stand.pass = [&](std::chrono::milliseconds length) { desk.pass(length); };
  CHECK(check_ledger(stand) == std::vector<std::string>{});
}

TEST_CASE("a ledger in a file is for its owner alone") {
  Desk desk;
  const auto ledger = desk.open();
  ledger->ask(question(1, one_an_hour));
  for (const char* end : {"", "-wal", "-shm"}) {
    CHECK((fs::status(desk.path() + end).permissions() & fs::perms::all) ==
          (fs::perms::owner_read | fs::perms::owner_write));
  }
}

TEST_CASE("a restart of a program does not forget what is counted") {
  Desk desk;
  CHECK(desk.open()->ask(question(1, one_an_hour)).granted);
  desk.pass(59min);
  CHECK_FALSE(desk.open()->ask(question(2, one_an_hour)).granted);
  desk.pass(2min);
  CHECK(desk.open()->ask(question(3, one_an_hour)).granted);
}

TEST_CASE("a machine that was started again goes on by the time of day") {
  Desk desk;
  CHECK(desk.open()->ask(question(1, one_an_hour)).granted);
  desk.time = {"boot two", 100, desk.time.wall + 30 * 60'000};
  CHECK_FALSE(desk.open()->ask(question(2, one_an_hour)).granted);
  desk.pass(31min);
  CHECK(desk.open()->ask(question(3, one_an_hour)).granted);
}

TEST_CASE("a machine that starts with a clock far behind goes on from where its file was") {
  Desk desk;
  CHECK(desk.open()->ask(question(1, one_an_hour)).granted);
  desk.time = {"boot two", 100, 0};
  CHECK_FALSE(desk.open()->ask(question(2, one_an_hour)).granted);
  desk.pass(1h + 1min);
  CHECK(desk.open()->ask(question(3, one_an_hour)).granted);
}

TEST_CASE("a time of day that is set while the machine runs changes nothing") {
  Desk desk;
  const auto ledger = desk.open();
  CHECK(ledger->ask(question(1, one_an_hour)).granted);
  desk.time.wall += 24 * 3'600'000;
  CHECK_FALSE(ledger->ask(question(2, one_an_hour)).granted);
  desk.time.wall = 0;
  CHECK_FALSE(ledger->ask(question(3, one_an_hour)).granted);
  desk.pass(1h + 2s);
  CHECK(ledger->ask(question(4, one_an_hour)).granted);
}

TEST_CASE("processes that begin a new file at the same moment all get it") {
  constexpr int openers = 8;
  const Folder folder;
  int failed = 0;
  for (int round = 0; round < 40; ++round) {
    const std::string path = (folder.path / std::to_string(round)).string();
    int start[2];
    REQUIRE(::pipe(start) == 0);
    for (int i = 1; i <= openers; ++i) {
      if (::fork() == 0) {
        ::close(start[1]);
        char nothing = 0;
        bool well = ::read(start[0], &nothing, 1) == 0;
        try {
          SqliteLedger ledger({.path = path});
          well = well && ledger.ask(question(static_cast<std::uint64_t>(i), {})).granted;
        } catch (const Error&) {
          well = false;
        }
        ::_exit(well ? 0 : 1);
      }
    }
    ::close(start[0]);
    ::close(start[1]);
    for (int i = 0; i < openers; ++i) {
      int status = 1;
      ::wait(&status);
      failed += status == 0 ? 0 : 1;
    }
  }
  CHECK(failed == 0);
}

TEST_CASE("a file of the first version is brought up to date with its counts") {
  Desk desk;
  run_in(desk.path(), detail::sqlite_steps[0]);
  run_in(desk.path(), "INSERT INTO ledger VALUES(7, 0, 'boot one', " +
                          std::to_string(desk.time.wall - desk.time.since_boot) + ", 0, 0);" +
                          "PRAGMA user_version = 1; PRAGMA application_id = " +
                          std::to_string(detail::sqlite_application) + ";" +
                          "INSERT INTO places VALUES(1, '" + ledger_key(one_an_hour[0]) + "');" +
                          "INSERT INTO counts VALUES(1, " + std::to_string(desk.time.wall + 60'000) + ", 1)");
  const auto ledger = desk.open();
  const LedgerAnswer answer = ledger->ask(question(1, one_an_hour));
  CHECK_FALSE(answer.granted);
  CHECK(answer.epoch == 7);
  CHECK(answer.retry_in == 1min);
  const LedgerNews news{.subject = "token=a", .left = 1min};
  CHECK(ledger->ask({.news = {&news, 1}}).news.size() == 1);
  CHECK(number_in(desk.path(), "PRAGMA user_version") ==
        static_cast<std::int64_t>(detail::sqlite_steps.size()));
}

TEST_CASE("a file that is not ours is refused and left as it is") {
  Desk desk;
  run_in(desk.path(), "CREATE TABLE diary(day TEXT)");
  CHECK_THROWS_WITH(desk.open(), ContainsSubstring("another program's"));
  CHECK(number_in(desk.path(), "SELECT count(*) FROM sqlite_schema") == 1);
  std::ofstream(desk.folder.path / "text") << std::string(5000, 'x');
  CHECK_THROWS_WITH(SqliteLedger({.path = (desk.folder.path / "text").string()}),
                    ContainsSubstring("not a database"));
  CHECK_THROWS_WITH(SqliteLedger({.path = (desk.folder.path / "no" / "such").string()}),
                    ContainsSubstring("unable to open"));
}

TEST_CASE("a file of a later version is refused") {
  Desk desk;
  desk.open();
  run_in(desk.path(), "PRAGMA user_version = 99");
  CHECK_THROWS_WITH(desk.open(), ContainsSubstring("version 99"));
}

TEST_CASE("a file that another process holds ends in an error and serves again afterwards") {
  Desk desk;
  SqliteLedger ledger({.path = desk.path(), .busy_timeout = 20ms});
  {
    detail::SqliteDatabase other(desk.path(), 1s);
    const detail::SqliteTransaction held(other);
    CHECK_THROWS_WITH(ledger.ask(question(1, one_an_hour)), ContainsSubstring("locked"));
  }
  CHECK(ledger.ask(question(1, one_an_hour)).granted);
}

TEST_CASE("a full disk ends in an error and leaves neither half a lease nor a broken file") {
  Desk desk;
  const auto ledger = desk.open();
  std::uint64_t granted = 0;
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit little{64 * 1024, before.rlim_max};
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &little);
  std::vector<Claim> claims{{.place = "token=a", .limit = Limit::per_token(100'000, 1h)},
                            {.place = "egress=b", .limit = Limit::per_egress(100'000, 1h)}};
  bool full = false;
  while (granted < 5000 && !full) {
    try {
      granted += ledger->ask(question(granted + 1, claims)).granted ? 1U : 0U;
    } catch (const Error& error) {
      full = error.code() == ErrorCode::ledger;
    }
  }
  setrlimit(RLIMIT_FSIZE, &before);
  static_cast<void>(std::signal(SIGXFSZ, ignored));
  CHECK(full);
  const auto counts = ledger->read(claims);
  CHECK(counts[0].used == static_cast<std::int64_t>(granted));
  CHECK(counts[1].used == static_cast<std::int64_t>(granted));
  CHECK(ledger->ask(question(granted + 1, claims)).granted);
  detail::SqliteDatabase file(desk.path(), 1s);
  detail::SqliteStatement check(file, "PRAGMA integrity_check");
  REQUIRE(check.bind().next());
  CHECK(check.text(0) == "ok");
}

TEST_CASE("a file does not grow with what has expired") {
  Desk desk;
  const auto ledger = desk.open();
  const auto lives = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      static std::uint64_t newest = 100;
      std::vector<Claim> claims{
          {.place = "bucket=" + std::to_string(newest), .limit = Limit::per_token(9, 1min)},
          {.place = "token=a", .limit = Limit::per_token(1000, 1min)}};
      REQUIRE(ledger->ask(question(++newest, claims)).granted);
      const LedgerNote note{.reservation = newest};
      if (i % 2 == 0) ledger->ask({.notes = {&note, 1}});
      desk.pass(1s);
    }
    desk.pass(5min);
    ledger->ask({});
  };
  lives(300);
  for (const char* table : {"counts", "leases", "places"}) {
    CHECK(number_in(desk.path(), ("SELECT count(*) FROM " + std::string(table)).c_str()) == 0);
  }
}
