#pragma once

// Ctrl-C as a cancelled token: a thread of its own waits for the signal, so that no handler has to be
// careful.

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <thread>

#include <tokenpool/base/cancel.hpp>

namespace rotate {

/// While it lives SIGINT and SIGTERM cancel `source` instead of ending the program. Made before other
/// threads, which inherit the blocked signals.
class Interruption {
 public:
  explicit Interruption(const tokenpool::CancelSource& source) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
      sigaddset(&signals, signal);
    }
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
    waiting_ = std::thread([this, signals, source] {
      int signal = 0;
      sigwait(&signals, &signal);
      if (signal != SIGUSR1) {
        happened_ = true;
        source.cancel();
      }
    });
  }
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption() {
    if (!happened_) {
      pthread_kill(waiting_.native_handle(), SIGUSR1);
    }
    waiting_.join();
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  bool happened() const { return happened_; }

 private:
  sigset_t before_{};
  std::atomic<bool> happened_{false};
  std::thread waiting_;
};

}  // namespace rotate
