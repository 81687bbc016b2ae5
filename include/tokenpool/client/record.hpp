#pragma once
// What a call leaves behind while it goes on: the attempts, the last answer, and the Response or Error made
// of them in the end.

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/base/time.hpp"
#include "tokenpool/quota/attempt.hpp"

namespace tokenpool::detail {

/// The record of one call. Used by one thread at a time.
class CallRecord {
 public:
  /// The call waited that long, for a token or for back-off; the next attempt shows it.
  void waited(Duration length) noexcept { waited_ += length; }

  /// Where the reasons go why tokens were passed over for the next attempt.
  [[nodiscard]] std::vector<Skipped>& skipped() noexcept { return skipped_; }

  /// A request went out, or tried to: all but its waits is for the caller to tell.
  Attempt& add() {
    Attempt& attempt = trail_.emplace_back();
    attempt.waited =
        std::chrono::duration_cast<std::chrono::microseconds>(std::exchange(waited_, Duration::zero()));
    attempt.skipped = std::exchange(skipped_, {});
    return attempt;
  }

  /// How many requests went out, or tried to.
  [[nodiscard]] std::size_t attempts() const noexcept { return trail_.size(); }

  /// A whole answer came, which the caller fills in.
  Response& answered() { return last_.emplace(); }

  /// Valid after add().
  [[nodiscard]] const Attempt& newest() const noexcept { return trail_.back(); }

  /// Valid after answered().
  [[nodiscard]] const Response& last() const noexcept { return *last_; }

  /// The last answer as the caller gets it, to be moved from; valid once, after answered().
  [[nodiscard]] Response&& deliver() {
    last_->attempts = std::move(trail_);
    return *std::move(last_);
  }

  /// The end in an Error.
  [[nodiscard]] Error error(ErrorCode code, const std::string& reason,
                            std::optional<WallTime> retry_at = {}) const {
    const bool answered = last_ && code == ErrorCode::http_status;
    return Error(code,
                 answered ? "the server answered " + std::to_string(last_->status) + ": " + reason : reason,
                 std::make_shared<ErrorDetails>(ErrorDetails{retry_at, trail_, last_}));
  }

 private:
  std::vector<Attempt> trail_;
  std::vector<Skipped> skipped_;
  std::optional<Response> last_;
  Duration waited_{};
};

}  // namespace tokenpool::detail
