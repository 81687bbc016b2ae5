#pragma once
// How a call that waits or transfers hears that something happened: it was cancelled, or what it waits for is
// there.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "tokenpool/base/time.hpp"

namespace tokenpool {

/// The bell of one call. Thread-safe; `cancel` and `notify` may come from anywhere and never block for long.
class Interrupt {
 public:
  /// Ends the call.
  void cancel() noexcept {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    ring();
  }

  /// What the call waits for may be there.
  void notify() noexcept {
    const std::lock_guard lock(mutex_);
    notified_ = true;
    ring();
  }

  /// Whether the call is to end.
  [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }

  /// Sleeps until notified, cancelled or `until`. A notification is used up by this.
  template <class Clock>
  void wait(Clock& clock, SteadyTime until) {
    std::unique_lock lock(mutex_);
    while (!notified_ && !cancelled_ && clock.now().steady < until) {
      clock.wait(condition_, lock, until);
    }
    notified_ = false;
  }

  /// While it lives, `waker(context)` is called whenever the bell rings: this is how a transfer is woken.
  class Attachment {
   public:
    /// Calls `waker(context)` at each ring, from whatever thread, until it is destroyed.
    Attachment(Interrupt& interrupt, void (*waker)(void*) noexcept, void* context) : interrupt_(interrupt) {
      const std::lock_guard lock(interrupt_.mutex_);
      interrupt_.waker_ = waker;
      interrupt_.context_ = context;
    }
    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;
    ~Attachment() {
      const std::lock_guard lock(interrupt_.mutex_);
      interrupt_.waker_ = nullptr;
    }

   private:
    Interrupt& interrupt_;
  };

 private:
  void ring() noexcept {
    condition_.notify_all();
    if (waker_ != nullptr) {
      waker_(context_);
    }
  }

  std::mutex mutex_;
  std::condition_variable condition_;
  std::atomic<bool> cancelled_{false};
  bool notified_ = false;
  void (*waker_)(void*) noexcept = nullptr;
  void* context_ = nullptr;
};

}  // namespace tokenpool
