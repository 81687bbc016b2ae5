#pragma once
// A ledger in one file, which the processes of one machine share and a restart does not forget. Needs SQLite
// 3.24 or later: link tokenpool::sqlite, or your own SQLite.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "tokenpool/ledger/sqlite/counting.hpp"
#include "tokenpool/ledger/sqlite/database.hpp"
#include "tokenpool/ledger/sqlite/gossip.hpp"
#include "tokenpool/ledger/sqlite/machine_time.hpp"
#include "tokenpool/ledger/sqlite/schema.hpp"
#include "tokenpool/quota/ledger.hpp"

namespace tokenpool {

/// Where the file is and how it is used.
struct SqliteOptions {
  /// The file, made with mode 0600 if there is none, on a local file system. Beside it SQLite keeps two more,
  /// with "-wal" and "-shm" at the end of the name.
  std::string path{};

  /// How long to wait for other processes before Error{ledger}.
  std::chrono::milliseconds busy_timeout{5000};

  /// A lease is on its way to the disk before it counts as granted. Without it nothing is lost when a process
  /// dies, at whatever instruction, since the kernel has what was committed; with it neither when the power
  /// fails or the kernel dies, and a lease costs a write to the disk. (SQLite's `synchronous`: FULL or
  /// NORMAL. The file is never corrupt either way.)
  bool survive_power_loss = false;

  std::function<MachineTime()> clock = machine_time;  ///< for tests
};

/// A ledger in an SQLite file in WAL mode; each question is one transaction. Thread-safe. Not to be carried
/// over a fork: open it in the child. A file that was removed or replaced is a new store, at the next
/// question.
class SqliteLedger final : public Ledger {
 public:
  /// Opens or makes the file, and brings one of an earlier version up to date. Throws Error{ledger} when it
  /// cannot, or when the file is another program's or a later version's.
  explicit SqliteLedger(SqliteOptions options) : options_(std::move(options)) { open_file(); }

  LedgerAnswer ask(const LedgerQuestion& question) override {
    const std::lock_guard lock(mutex_);
    follow_the_path();
    const auto patience = question.patience.count() > 0 ? question.patience : options_.busy_timeout;
    file_->database.set_patience((std::min)(patience, options_.busy_timeout));
    detail::SqliteTransaction transaction(file_->database);
    Head head = read_head();
    LedgerAnswer answer{.granted = false, .refused_claim = question.claims.size(), .epoch = head.epoch};
    if (question.epoch != 0 && question.epoch != head.epoch) {
      return answer;
    }
    work_through(question, head, answer);
    write_head(head);
    transaction.commit();
    return answer;
  }

  std::vector<LedgerCount> read(std::span<const Claim> places) override {
    const std::lock_guard lock(mutex_);
    follow_the_path();
    file_->database.set_patience(options_.busy_timeout);
    const detail::SqliteTransaction transaction(file_->database);
    const std::int64_t now = read_head().now;
    std::vector<LedgerCount> counts;
    for (const Claim& place : places) {
      counts.push_back(file_->counting.read(place, now));
    }
    return counts;
  }

 private:
  /// What the file says of itself. Its time is the time since the machine's start plus `ahead`.
  struct Head {
    std::uint64_t epoch = 0;
    std::int64_t born = 0;
    std::int64_t heard = 0;
    std::int64_t ahead = 0;
    std::int64_t latest = 0;
    std::int64_t swept = 0;
    std::int64_t now = 0;
    std::string boot;
    std::int64_t written_heard = 0;
    bool rebooted = false;
  };

  /// The connection and what is prepared on it.
  struct File {
    explicit File(const SqliteOptions& options) : database(up_to_date(options)) {}

    static detail::SqliteDatabase up_to_date(const SqliteOptions& options) {
      detail::SqliteDatabase opened(options.path, options.busy_timeout);
      opened.run_when_free("PRAGMA journal_mode = WAL");
      opened.run(options.survive_power_loss ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
      detail::migrate(opened, options.clock());
      return opened;
    }

    detail::SqliteDatabase database;
    detail::SqliteStatement head{database,
                                 "SELECT epoch, born, boot, ahead, latest, swept, heard FROM ledger"};
    detail::SqliteStatement set_head{
        database, "UPDATE ledger SET boot = ?, ahead = ?, latest = ?, swept = ?, heard = ?"};
    detail::SqliteCounting counting{database};
    detail::SqliteGossip gossip{database};
  };

  /// A file's name on the file system: the path may come to mean another one.
  using Identity = std::pair<std::uint64_t, std::uint64_t>;

  void open_file() {
    file_.reset();
#if defined(__unix__) || defined(__APPLE__)
    // SQLite would make the file readable by all; its two companions get the mode of the first.
    if (const int made = ::open(options_.path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
        made >= 0) {
      ::close(made);
    }
#endif
    file_ = std::make_unique<File>(options_);
    identity_ = identity();
  }

  [[nodiscard]] std::optional<Identity> identity() const {
#if defined(__unix__) || defined(__APPLE__)
    struct stat found {};
    if (::stat(options_.path.c_str(), &found) == 0) {
      return Identity{found.st_dev, found.st_ino};
    }
#endif
    return std::nullopt;
  }

  void follow_the_path() {
    if (!file_ || identity() != identity_) {
      open_file();
    }
  }

  Head read_head() {
    const MachineTime time = options_.clock();
    detail::SqliteStatement& row = file_->head;
    if (!row.bind().next()) {
      file_->database.fail("the file has lost its head: remove it");
    }
    Head head{static_cast<std::uint64_t>(row.integer(0)),
              row.integer(1),
              row.integer(6),
              row.integer(3),
              row.integer(4),
              row.integer(5),
              0,
              time.boot,
              row.integer(6)};
    head.rebooted = row.text(2) != time.boot;
    row.done();
    if (head.rebooted) {
      head.ahead = (std::max)(head.latest, time.wall) - time.since_boot;
    }
    head.now = time.since_boot + head.ahead;
    return head;
  }

  /// Most questions change nothing in the head: a write of it is spared.
  void write_head(Head& head) {
    constexpr std::int64_t second = 1000;
    if (head.rebooted || head.heard != head.written_heard || head.now - head.latest >= second) {
      head.latest = (std::max)(head.latest, head.now);
      file_->set_head.run(head.boot, head.ahead, head.latest, head.swept, head.heard);
    }
  }

  void work_through(const LedgerQuestion& question, Head& head, LedgerAnswer& answer) {
    File& file = *file_;
    constexpr std::int64_t minute = 60'000;
    if (head.now - head.swept >= minute) {
      file.counting.sweep(head.now);
      file.gossip.sweep(head.now);
      head.swept = head.now;
    }
    for (const LedgerSpent& spent : question.spent) {
      file.counting.enter(spent, head.now);
    }
    for (const LedgerNote& note : question.notes) {
      file.counting.end(note, head.now);
    }
    for (const LedgerNews& news : question.news) {
      file.gossip.hear(news, question.heard, head.heard, head.now);
    }
    if (question.reservation != 0) {
      const std::int64_t too_young = question.fresh_for.count() - (head.now - head.born);
      if (too_young > 0) {
        answer.retry_in = std::chrono::milliseconds(too_young);
      } else {
        file.counting.reserve(question, head.now, answer);
      }
    }
    file.gossip.tell(question.heard, head.heard, head.now, answer);
  }

  SqliteOptions options_;
  std::mutex mutex_;
  std::unique_ptr<File> file_;
  std::optional<Identity> identity_;
};

}  // namespace tokenpool
