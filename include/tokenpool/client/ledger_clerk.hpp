#pragma once
// The ledger's own thread: it asks for asynchronous calls, whose loop must never block, tells what found no
// question to ride along with, and looks now and then whether the store is still the same.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tokenpool/client/ledger_desk.hpp"

namespace tokenpool::detail {

/// The thread behind a desk; it begins with the first lease. Thread-safe. It waits in the time of the day and
/// not in that of a test's clock, which would run on by itself.
class LedgerClerk {
 public:
  LedgerClerk(LedgerDesk& desk, const LedgerOptions& options) : desk_(desk), options_(options) {}
  LedgerClerk(const LedgerClerk&) = delete;
  LedgerClerk& operator=(const LedgerClerk&) = delete;
  ~LedgerClerk() { stop(); }

  /// Asks for a lease without blocking; `done` is called on the clerk's thread. Nobody is asked any more once
  /// `asker` is gone, and nobody told once the clerk has stopped.
  void reserve(LedgerQuestion question, std::vector<Claim> claims, std::weak_ptr<const void> asker,
               std::function<void(LedgerReply)> done) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({question, std::move(claims), std::move(asker), std::move(done)});
    start();
  }

  /// There is something to watch or to tell, at once if it is news.
  void look(bool news) {
    const std::lock_guard lock(mutex_);
    urgent_ = urgent_ || news;
    if (idle_ || news || !thread_.joinable()) {
      start();
    }
  }

  /// Tells what is left to be told and ends the thread.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
      bell_.notify_all();
    }
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Job {
    LedgerQuestion question;
    std::vector<Claim> claims;
    std::weak_ptr<const void> asker;
    std::function<void(LedgerReply)> done;
  };

  /// Called with the lock held.
  void start() {
    idle_ = false;
    if (!thread_.joinable() && !stopped_) {
      thread_ = std::thread([this] { run(); });
    }
    bell_.notify_all();
  }

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wait(lock);
      if (stopped_) {
        break;
      }
      if (!jobs_.empty()) {
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        if (!job.asker.expired()) {
          job.question.claims = job.claims;
          job.done(desk_.reserve(job.question));
        }
        lock.lock();
      } else {
        urgent_ = false;
        lock.unlock();
        report();
        lock.lock();
      }
    }
    lock.unlock();
    report();
  }

  /// Until there is a job, news, a note that has waited long enough, or it is time to look at the store.
  void wait(std::unique_lock<std::mutex>& lock) {
    const auto woken = [this] { return stopped_ || !jobs_.empty() || urgent_; };
    while (!woken()) {
      lock.unlock();
      const bool to_tell = desk_.anything_to_tell();
      const bool to_watch = options_.republish_within.count() > 0 && desk_.has_spent();
      lock.lock();
      if (!to_tell && !to_watch) {
        idle_ = true;
        bell_.wait(lock, [&] { return woken() || !idle_; });
      } else if (!bell_.wait_for(lock, options_.report_within, woken) &&
                 (to_tell || Clock::now() - reported_ >= options_.republish_within / 4)) {
        return;
      }
    }
  }

  void report() noexcept {
    reported_ = Clock::now();
    try {
      desk_.report();
    } catch (...) {  // it waits for the next question, or for the next look
    }
  }

  LedgerDesk& desk_;
  LedgerOptions options_;
  std::mutex mutex_;
  std::condition_variable bell_;
  std::deque<Job> jobs_;
  bool urgent_ = false;
  bool idle_ = false;
  bool stopped_ = false;
  Clock::time_point reported_{};  ///< of the thread alone
  std::thread thread_;
};

}  // namespace tokenpool::detail
