#pragma once
// Which process something was made in. A child made by fork() has its parent's memory but none of its
// threads, and the parent's connections are not its own to close.

#if !defined(_WIN32)
#include <unistd.h>
#endif

namespace tokenpool::detail {

/// Remembers the process that it was made in. A plain value.
class Birthplace {
 public:
  /// Whether this is another process, forked from that one.
  [[nodiscard]] bool left() const noexcept { return id_ != current(); }

 private:
  static long current() noexcept {
#if defined(_WIN32)
    return 0;  // nothing forks there
#else
    return static_cast<long>(::getpid());
#endif
  }

  long id_ = current();
};

}  // namespace tokenpool::detail
