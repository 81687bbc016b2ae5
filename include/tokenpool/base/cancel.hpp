#pragma once
// Cancelling from any thread. A source is held by whoever may cancel, its tokens go into requests. Own
// instead of std::stop_token, which libc++ does not have without a flag.

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace tokenpool {

namespace detail {

/// A callback in the list of a CancelState; it lies in its registration, so that a call adds and removes one
/// without an allocation.
struct CancelEntry {
  std::function<void()> callback{};
  CancelEntry* previous = nullptr;
  CancelEntry* next = nullptr;
};

/// What source, tokens and registrations share.
class CancelState {
 public:
  void cancel() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(cancelled_, true)) {
      return;
    }
    // Called under the lock, so that a registration's destructor waits for its own callback to end.
    for (const CancelEntry* entry = newest_; entry != nullptr; entry = entry->next) {
      entry->callback();
    }
  }

  [[nodiscard]] bool cancelled() const {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

  void add(CancelEntry& entry) {
    const std::lock_guard lock(mutex_);
    entry.next = std::exchange(newest_, &entry);
    if (entry.next != nullptr) {
      entry.next->previous = &entry;
    }
    if (cancelled_) {
      entry.callback();
    }
  }

  void remove(CancelEntry& entry) {
    const std::lock_guard lock(mutex_);
    (entry.previous == nullptr ? newest_ : entry.previous->next) = entry.next;
    if (entry.next != nullptr) {
      entry.next->previous = entry.previous;
    }
  }

 private:
  mutable std::mutex mutex_;
  bool cancelled_ = false;
  CancelEntry* newest_ = nullptr;
};

}  // namespace detail

/// Says whether its source was cancelled. A default-made one never is. Copyable, thread-safe.
class CancelToken {
 public:
  CancelToken() = default;

  /// Whether the source was cancelled.
  [[nodiscard]] bool cancelled() const { return state_ && state_->cancelled(); }
  /// Whether there ever was a source that could cancel it.
  [[nodiscard]] bool has_source() const noexcept { return state_ != nullptr; }

 private:
  friend class CancelSource;
  friend class CancelRegistration;
  explicit CancelToken(std::shared_ptr<detail::CancelState> state) : state_(std::move(state)) {}

  std::shared_ptr<detail::CancelState> state_;
};

/// Cancels every call that holds one of its tokens. Copies share one state. Thread-safe.
class CancelSource {
 public:
  /// A token to put into requests.
  [[nodiscard]] CancelToken token() const { return CancelToken(state_); }
  /// Cancels, once and for all, and runs the callbacks on this thread.
  void cancel() const { state_->cancel(); }
  /// Whether it was cancelled.
  [[nodiscard]] bool cancelled() const { return state_->cancelled(); }

 private:
  std::shared_ptr<detail::CancelState> state_ = std::make_shared<detail::CancelState>();
};

/// Runs `callback` when the token is cancelled (at once if it already is), until destroyed. The callback runs
/// on the cancelling thread, must be short, must not throw and must not touch the same source.
class CancelRegistration {
 public:
  /// Begins; a token that no source made never calls.
  template <class Callback>
  CancelRegistration(const CancelToken& token, Callback&& callback) : state_(token.state_) {
    if (state_) {
      entry_.callback = std::forward<Callback>(callback);
      state_->add(entry_);
    }
  }
  CancelRegistration(const CancelRegistration&) = delete;
  CancelRegistration& operator=(const CancelRegistration&) = delete;
  ~CancelRegistration() {
    if (state_) {
      state_->remove(entry_);
    }
  }

 private:
  std::shared_ptr<detail::CancelState> state_;
  detail::CancelEntry entry_;
};

}  // namespace tokenpool
