#pragma once
// The way of one body from libcurl to its sink: who takes it, whether it is paused, and when it is over.

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "tokenpool/base/time.hpp"
#include "tokenpool/http/answer.hpp"
#include "tokenpool/transport/body_sink.hpp"

namespace tokenpool::detail::curl {

/// One body's way. Used by one thread at a time.
class Flow {
 public:
  /// After the last bytes that matter the body's end is waited for so long: a connection whose answer was
  /// read to its end can be used again.
  static constexpr std::chrono::milliseconds drain_time{250};

  Flow() = default;
  /// Without a sink the body is collected.
  explicit Flow(BodySink* sink) noexcept : sink_(sink) {}

  /// The header block of the final answer is there.
  void show(const Answer& head) {
    if (sink_ != nullptr && sink_->wants_head()) {
      static_cast<void>(takes(head));
    }
  }

  /// Whether the body of the answer with this head goes to the sink; the same for all of the body.
  bool takes(const Answer& head) {
    if (!open_) {
      open_ = sink_ != nullptr && sink_->opens(head);
    }
    return *open_;
  }

  /// Hands bytes over, and returns what the write callback has to.
  std::size_t hand_over(std::string_view bytes) {
    if (drain_ends_ != end_of_time) {
      return bytes.size();
    }
    switch (sink_->take(bytes)) {
      case BodySink::Flow::more: return bytes.size();
      case BodySink::Flow::paused:
        paused_ = true;
        pause_ends_ = after(std::chrono::steady_clock::now(), sink_->longest_pause());
        return CURL_WRITEFUNC_PAUSE;
      case BodySink::Flow::complete:
        drain_ends_ = after(std::chrono::steady_clock::now(), drain_time);
        return bytes.size();
      case BodySink::Flow::stopped: break;
    }
    over_ = true;
    return 0;
  }

  /// Whether the pause is over at `now`: then libcurl has to be told so.
  bool ends_pause(SteadyTime now) noexcept {
    if (!paused_ || (!sink_->resumed() && now < pause_ends_)) {
      return false;
    }
    paused_ = false;
    pause_ends_ = end_of_time;
    return true;
  }

  /// Whether the exchange has ended well although libcurl has not come to its end.
  bool over(SteadyTime now) noexcept {
    over_ = over_ || now >= drain_ends_;
    return over_;
  }
  [[nodiscard]] bool over() const noexcept { return over_; }

  [[nodiscard]] bool paused() const noexcept { return paused_; }

  /// When ends_pause() and over() have to be asked at the latest.
  [[nodiscard]] SteadyTime next_check() const noexcept { return (std::min)(pause_ends_, drain_ends_); }

 private:
  BodySink* sink_ = nullptr;
  std::optional<bool> open_;
  bool paused_ = false;
  bool over_ = false;
  SteadyTime pause_ends_ = end_of_time;
  SteadyTime drain_ends_ = end_of_time;
};

}  // namespace tokenpool::detail::curl
