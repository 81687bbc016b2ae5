#pragma once
// Cancelling from any thread. A source is held by whoever may cancel, its tokens go into requests. Own
// instead of std::stop_token, which libc++ does not have without a flag.

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

namespace tokenpool {

namespace detail {

/// What source, tokens and registrations share.
class CancelState {
 public:
  using Callback = std::function<void()>;
  using Entry = std::list<Callback>::iterator;

  void cancel() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(cancelled_, true)) {
      return;
    }
    // Called under the lock, so that a registration's destructor waits for its own callback to end.
    for (const Callback& callback : callbacks_) {
      callback();
    }
  }

  [[nodiscard]] bool cancelled() const {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

  Entry add(Callback callback) {
    const std::lock_guard lock(mutex_);
    callbacks_.push_back(std::move(callback));
    if (cancelled_) {
      callbacks_.back()();
    }
    return std::prev(callbacks_.end());
  }

  void remove(Entry entry) {
    const std::lock_guard lock(mutex_);
    callbacks_.erase(entry);
  }

 private:
  mutable std::mutex mutex_;
  bool cancelled_ = false;
  std::list<Callback> callbacks_;
};

}  // namespace detail

/// Says whether its source was cancelled. A default-made one never is. Copyable, thread-safe.
class CancelToken {
 public:
  CancelToken() = default;

  [[nodiscard]] bool cancelled() const { return state_ && state_->cancelled(); }

 private:
  friend class CancelSource;
  friend class CancelRegistration;
  explicit CancelToken(std::shared_ptr<detail::CancelState> state) : state_(std::move(state)) {}

  std::shared_ptr<detail::CancelState> state_;
};

/// Cancels every call that holds one of its tokens. Copies share one state. Thread-safe.
class CancelSource {
 public:
  [[nodiscard]] CancelToken token() const { return CancelToken(state_); }
  void cancel() const { state_->cancel(); }
  [[nodiscard]] bool cancelled() const { return state_->cancelled(); }

 private:
  std::shared_ptr<detail::CancelState> state_ = std::make_shared<detail::CancelState>();
};

/// Runs `callback` when the token is cancelled (at once if it already is), until destroyed. The callback runs
/// on the cancelling thread, must be short, must not throw and must not touch the same source.
class CancelRegistration {
 public:
  CancelRegistration(const CancelToken& token, std::function<void()> callback) : state_(token.state_) {
    if (state_) {
      entry_ = state_->add(std::move(callback));
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
  detail::CancelState::Entry entry_{};
};

}  // namespace tokenpool
