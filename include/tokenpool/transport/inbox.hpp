#pragma once
// What other threads want of a loop: a list whose links lie in what is posted, so that posting takes no
// memory and cannot fail.

#include <memory>
#include <mutex>
#include <utility>

namespace tokenpool {

/// Something to do on a loop's thread. Not to be posted again before it runs.
class LoopTask {
 public:
  LoopTask() = default;
  LoopTask(const LoopTask&) = delete;
  LoopTask& operator=(const LoopTask&) = delete;
  virtual ~LoopTask() = default;

  /// Called on the loop's thread, once for each posting.
  virtual void run() noexcept = 0;

 private:
  friend class Inbox;
  std::shared_ptr<LoopTask> next_;
};

/// Tasks in the order of their posting. Thread-safe.
class Inbox {
 public:
  Inbox() = default;
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;
  ~Inbox() {
    // One by one: the links are owners, and a long list that went at once would go by recursion.
    for (std::shared_ptr<LoopTask> task = take_all(); task;) {
      task = std::move(task->next_);
    }
  }

  /// Whether it was empty: only then the loop may be asleep.
  bool post(std::shared_ptr<LoopTask> task) noexcept {
    const std::lock_guard lock(mutex_);
    LoopTask* const newest = std::exchange(newest_, task.get());
    (newest == nullptr ? oldest_ : newest->next_) = std::move(task);
    return newest == nullptr;
  }

  /// Whether nothing waits to be done.
  [[nodiscard]] bool empty() const noexcept {
    const std::lock_guard lock(mutex_);
    return newest_ == nullptr;
  }

  /// Runs what is there; what is posted meanwhile waits for the next time.
  void run_all() noexcept {
    for (std::shared_ptr<LoopTask> task = take_all(); task;) {
      const std::shared_ptr<LoopTask> now = std::move(task);
      task = std::move(now->next_);
      now->run();
    }
  }

 private:
  std::shared_ptr<LoopTask> take_all() noexcept {
    const std::lock_guard lock(mutex_);
    newest_ = nullptr;
    return std::move(oldest_);
  }

  mutable std::mutex mutex_;
  std::shared_ptr<LoopTask> oldest_;
  LoopTask* newest_ = nullptr;
};

}  // namespace tokenpool
