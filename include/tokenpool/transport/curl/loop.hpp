#pragma once
// The asynchronous transport as others see it: a thread, started by the first use, and what may be asked of
// it.

#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "tokenpool/transport/async_transport.hpp"
#include "tokenpool/transport/curl/loop_core.hpp"

namespace tokenpool::detail::curl {

/// The loop. Destroyed on its own thread (by a callback), it ends once that task is over.
class Loop {
 public:
  Loop() : core_(std::make_shared<LoopCore>()) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() {
    core_->stop();
    if (is_here()) {
      thread_.detach();
    } else if (thread_.joinable()) {
      thread_.join();
    }
  }

  /// Starts the thread, unless it runs. Thread-safe. Throws std::system_error.
  void open() {
    std::call_once(started_, [this] { thread_ = std::thread([core = core_] { core->run(); }); });
  }

  /// Whether the caller is on the loop's thread.
  [[nodiscard]] bool is_here() const noexcept { return core_->is_here(); }

  /// Runs `task` on the loop's thread, in the order of posting. Thread-safe.
  void post(std::shared_ptr<LoopTask> task) noexcept { core_->post(std::move(task)); }

  /// See Timers; the end of time is never.
  void set(LoopTimer& timer, SteadyTime when) { core_->timers().set(timer, when); }
  void forget(LoopTimer& timer) noexcept { core_->timers().forget(timer); }

  /// Begins an exchange; see AsyncTransport. Throws std::bad_alloc, nothing begun.
  LoopExchange* start(const TransportRequest& request, ExchangeListener& listener) {
    return core_->start(request, listener);
  }

  /// Ends an exchange that is under way as cancelled.
  void cancel(LoopExchange& exchange) noexcept { core_->cancel(exchange); }

  /// Asks the sink of an exchange under way that has paused.
  void resume(LoopExchange& exchange) noexcept { core_->look_at(exchange); }

 private:
  std::shared_ptr<LoopCore> core_;
  std::once_flag started_;
  std::thread thread_;
};

}  // namespace tokenpool::detail::curl
