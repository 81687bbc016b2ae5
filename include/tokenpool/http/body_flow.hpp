#pragma once
// The body of an answer on its way to a consumer that wants it as it comes: what the consumer says to each
// piece, and how one that has paused asks for the next.

#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

namespace tokenpool {

/// What a consumer says to the bytes, or the event, that it was offered.
enum class BodyAction : std::uint8_t {
  take,   ///< It has them; on with the next.
  pause,  ///< Not now: they are kept and offered again later; meanwhile nothing is read from the server.
  stop,   ///< It has enough: the call ends here, and that is a success.
};

/// Lets a body flow again that its consumer paused. Make one with std::make_shared, put a copy into
/// Request::gate and call resume() when there is room again. Serves one call at a time. Thread-safe.
class BodyGate {
 public:
  /// Offers again what was paused. When nothing is paused, the next pause ends at once, so that a consumer
  /// which makes room between its word and the pause is not forgotten. May be called by the consumer itself.
  void resume() {
    const std::lock_guard lock(mutex_);
    resumed_ = true;
    if (on_resume_) {
      on_resume_();
    }
  }

  /// Whether resume() was called since this was asked last; for those who carry the body.
  [[nodiscard]] bool take_resume() noexcept {
    const std::lock_guard lock(mutex_);
    return std::exchange(resumed_, false);
  }

  /// While it lives, `on_resume` is called by resume(); for those who carry the body.
  class Listener {
   public:
    /// `on_resume` is called by resume(), on its thread, until this is destroyed.
    Listener(BodyGate& gate, std::function<void()> on_resume) : gate_(gate) {
      const std::lock_guard lock(gate_.mutex_);
      gate_.on_resume_ = std::move(on_resume);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() {
      const std::lock_guard lock(gate_.mutex_);
      gate_.on_resume_ = nullptr;
    }

   private:
    BodyGate& gate_;
  };

 private:
  std::mutex mutex_;
  bool resumed_ = false;
  std::function<void()> on_resume_;
};

}  // namespace tokenpool
