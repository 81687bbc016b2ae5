#pragma once
// The thread behind alerts: it looks at the pool now and then and delivers what there is to tell, one at a
// time and as often as it takes. Who tells it something never waits for a server.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "tokenpool/alerts/facts.hpp"
#include "tokenpool/alerts/hook.hpp"
#include "tokenpool/alerts/options.hpp"
#include "tokenpool/base/random.hpp"
#include "tokenpool/base/time.hpp"
#include "tokenpool/client/birthplace.hpp"
#include "tokenpool/http/timestamp.hpp"
#include "tokenpool/json/json.hpp"
#include "tokenpool/pool/snapshot.hpp"
#include "tokenpool/retry/backoff.hpp"
#include "tokenpool/transport/clock.hpp"

namespace tokenpool::detail {

/// Facts, queue and thread. Thread-safe. The thread keeps it alive, observers do, and whoever has to stop it.
class AlertDesk : public std::enable_shared_from_this<AlertDesk> {
 public:
  explicit AlertDesk(AlertOptions options)
      : options_(std::move(options)),
        hook_(options_),
        facts_(options_.floor, saturated(options_.hold), saturated(options_.calm)) {}

  void start() {
    thread_ = std::thread([self = shared_from_this()] { self->run(); });
  }

  /// Something happened: queues an alert if it is news.
  template <class Event>
  void hear(const Event& event) {
    if (birthplace_.left()) {  // the lock may have been copied while it was held
      return;
    }
    const std::lock_guard lock(mutex_);
    const Now now = clock_.now();
    queue(facts_.hear(event, now), now);
  }

  void watch(StatsSource pool) {
    const std::lock_guard lock(mutex_);
    pool_ = std::move(pool);
    next_look_ = {};
    bell_.notify_all();
  }

  [[nodiscard]] AlertCounts counts() const {
    const std::lock_guard lock(mutex_);
    AlertCounts counts = counts_;
    counts.queued = queue_.size();
    return counts;
  }

  /// Tries what is queued once more, for no longer than `flush`, and ends the thread.
  void stop() {
    if (birthplace_.left()) {
      // The thread and its connection are the parent's; all stays as it is, to the end of this process.
      kept_ = shared_from_this();
      return;
    }
    std::unique_lock lock(mutex_);
    stopping_ = true;
    bell_.notify_all();
    if (thread_.get_id() == std::this_thread::get_id()) {
      hook_.cancel();  // stopped by what the thread itself let go: it cannot be waited for
      thread_.detach();
      return;
    }
    if (!bell_.wait_for(lock, options_.flush, [this] { return ended_; })) {
      hook_.cancel();
    }
    lock.unlock();
    thread_.join();
  }

 private:
  struct Queued {
    std::string body;
    SteadyTime give_up;
    SteadyTime due;
    unsigned tries = 0;
  };

  /// Called with the lock held, as all that follows.
  void queue(std::optional<nlohmann::json> alert, Now now) {
    if (!alert) {
      return;
    }
    if (stopping_ || queue_.size() >= options_.max_queued) {
      ++counts_.dropped;
      return;
    }
    if (!options_.name.empty()) {
      (*alert)["name"] = options_.name;
      (*alert)["text"] = options_.name + ": " + (*alert)["text"].get<std::string>();
    }
    (*alert)["at"] = to_rfc3339(now.wall);
    queue_.push_back({alert->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                      after(now.steady, options_.give_up), now.steady});
    bell_.notify_all();
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_ || (!queue_.empty() && !hook_.cancelled())) {
      const SteadyTime now = clock_.now().steady;
      if (!queue_.empty() && (stopping_ || queue_.front().due <= now)) {
        deliver(lock);
      } else if (pool_ && next_look_ <= now) {
        look(lock);
      } else {
        clock_.wait(
            bell_, lock,
            (std::min)(queue_.empty() ? end_of_time : queue_.front().due, pool_ ? next_look_ : end_of_time));
      }
    }
    counts_.dropped += queue_.size();
    queue_.clear();
    ended_ = true;
    bell_.notify_all();
  }

  void deliver(std::unique_lock<std::mutex>& lock) {
    Queued& first = queue_.front();  // others only add at the end, which moves none
    lock.unlock();
    const AlertTry outcome = hook_.post(first.body, clock_.now());
    lock.lock();
    if (outcome.problem.empty()) {
      ++counts_.delivered;
      queue_.pop_front();
      return;
    }
    counts_.last_problem = outcome.problem;
    first.due = after(clock_.now().steady, (std::max)(backoff_wait(options_.backoff, ++first.tries, random_),
                                                      saturated(outcome.wait)));
    if (stopping_ || !outcome.worth_another || first.due >= first.give_up) {
      ++counts_.failed;
      queue_.pop_front();
    }
  }

  void look(std::unique_lock<std::mutex>& lock) {
    next_look_ = after(clock_.now().steady, options_.look_every);
    const StatsSource pool = pool_;
    lock.unlock();
    std::optional<PoolSnapshot> snapshot;
    try {
      snapshot = pool();
    } catch (...) {  // the next look may see something
    }
    lock.lock();
    if (snapshot) {
      const Now now = clock_.now();
      queue(facts_.see(*snapshot, now), now);
    }
  }

  Birthplace birthplace_;
  const AlertOptions options_;
  SteadyClock clock_;
  AlertHook hook_;  ///< of the thread alone
  SplitMix64 random_{std::random_device{}()};
  mutable std::mutex mutex_;
  std::condition_variable bell_;
  AlertFacts facts_;
  StatsSource pool_;
  SteadyTime next_look_{};
  std::deque<Queued> queue_;
  AlertCounts counts_;
  bool stopping_ = false;
  bool ended_ = false;
  std::shared_ptr<AlertDesk> kept_;
  std::thread thread_;
};

}  // namespace tokenpool::detail
