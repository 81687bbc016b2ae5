#pragma once
// hiredis writes in a way that raises SIGPIPE on a connection that the server has closed, and a library may
// not decide what the program does with that signal.

#if !defined(_WIN32)
#include <csignal>
#include <ctime>
#endif

namespace tokenpool::detail {

#if defined(_WIN32)
struct WithoutSigpipe {
  WithoutSigpipe() noexcept {}
};
#else
/// While it lives, a SIGPIPE of this thread stays without effect; one that others sent is left to them.
class WithoutSigpipe {
 public:
  WithoutSigpipe() noexcept {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    was_pending_ = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
  ~WithoutSigpipe() {
    sigset_t pending;
    if (!was_pending_ && sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1) {
      int taken = 0;
      sigwait(&pipe_, &taken);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};
#endif

}  // namespace tokenpool::detail
