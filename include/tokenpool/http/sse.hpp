#pragma once
// Server-sent events out of bytes as they arrive. Chunks end anywhere, in the middle of a line end or of a
// character, so the parser keeps what is unfinished and hands over nothing but whole events.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tokenpool/base/numbers.hpp"

namespace tokenpool {

/// One event of a stream (WHATWG HTML 9.2.6, "Interpreting an event stream").
struct ServerSentEvent {
  std::string event{};  ///< The `event` field; `message` where the stream named none, as the standard says.
  std::string data{};  ///< The `data` lines joined by LF; empty only if the stream sent an empty `data` line.
  std::string id{};    ///< The last `id` of the stream so far: it stays until another one comes.
  /// The last reconnection time of the stream so far, as the standard keeps it: it stays
  /// until another one comes.
  std::optional<std::chrono::milliseconds> retry{};

  friend bool operator==(const ServerSentEvent&, const ServerSentEvent&) = default;
};

/// What became of the bytes that were fed.
enum class SseStatus {
  more,       ///< All were read; feed the next ones.
  stopped,    ///< The callback returned false; nothing is read any more.
  too_large,  ///< An event outgrew the bound; nothing is read any more.
};

/// Parses an event stream. Bytes are passed on as they are, so text is UTF-8 if the server sent UTF-8.
/// An event that is unfinished when the stream ends is dropped, as the standard wants: just feed no
/// more. Not synchronised.
class SseParser {
 public:
  static constexpr std::size_t default_max_event_bytes = std::size_t{16} * 1024 * 1024;  ///< 16 MiB

  /// `max_event_bytes` bounds what is kept for one event, the unfinished line included.
  explicit SseParser(std::size_t max_event_bytes = default_max_event_bytes)
      : max_event_bytes_(max_event_bytes) {}

  /// Takes bytes off the front of `bytes` up to the end of the first event that they complete, and returns
  /// that event. Nothing when all are taken, or when nothing is read any more.
  std::optional<ServerSentEvent> next(std::string_view& bytes) {
    while (status_ == SseStatus::more && !bytes.empty()) {
      if (after_cr_) {
        after_cr_ = false;
        if (bytes.front() == '\n') bytes.remove_prefix(1);
        continue;
      }
      const auto part = bytes.substr(0, line_length(bytes));
      bytes.remove_prefix(part.size());
      if (line_.size() + data_.size() + part.size() > max_event_bytes_) {
        status_ = SseStatus::too_large;
      } else if (bytes.empty()) {
        line_ += part;
      } else {
        after_cr_ = bytes.front() == '\r';
        bytes.remove_prefix(1);
        if (auto event = end_line(part)) return event;
      }
    }
    return std::nullopt;
  }

  /// Reads the next bytes and calls `on_event(const ServerSentEvent&)` for each event they complete. The
  /// callback may return nothing, or false to stop the parser for good. What it throws passes through; the
  /// bytes behind that event are lost then.
  template <class OnEvent>
  SseStatus feed(std::string_view bytes, OnEvent&& on_event) {
    while (const auto event = next(bytes)) {
      if constexpr (std::is_void_v<std::invoke_result_t<OnEvent&, const ServerSentEvent&>>) {
        on_event(*event);
      } else {
        if (!on_event(*event)) status_ = SseStatus::stopped;
      }
    }
    return status_;
  }

  /// Whether it reads on, was stopped, or met an event that was too large.
  SseStatus status() const noexcept { return status_; }

 private:
  static std::size_t line_length(std::string_view bytes) noexcept {
    const auto end = std::find_if(bytes.begin(), bytes.end(), [](char c) { return c == '\r' || c == '\n'; });
    return static_cast<std::size_t>(end - bytes.begin());
  }

  /// The event that this line ends, if it ends one.
  std::optional<ServerSentEvent> end_line(std::string_view rest_of_line) {
    std::string whole = std::exchange(line_, {});
    std::string_view line = rest_of_line;
    if (!whole.empty()) line = whole += rest_of_line;
    if (std::exchange(at_start_, false) && line.substr(0, 3) == "\xEF\xBB\xBF") line.remove_prefix(3);
    if (line.empty()) return dispatch();
    take_field(line);
    return std::nullopt;
  }

  void take_field(std::string_view line) {
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (name == "data") {
      data_ += value;
      data_ += '\n';
    } else if (name == "event") {
      event_ = value;
    } else if (name == "id") {
      if (value.find('\0') == std::string_view::npos) id_ = value;
    } else if (name == "retry") {
      take_retry(value);
    }
  }

  void take_retry(std::string_view value) {
    // A leading '-' would be read as a sign, and the standard allows digits only.
    if (value.empty() || !is_digit(value.front())) return;
    if (const auto number = parse_whole<std::int64_t>(value)) retry_ = std::chrono::milliseconds{*number};
  }

  std::optional<ServerSentEvent> dispatch() {
    std::string name = std::exchange(event_, {});
    std::string data = std::exchange(data_, {});
    if (data.empty()) return std::nullopt;
    data.pop_back();
    return ServerSentEvent{name.empty() ? "message" : std::move(name), std::move(data), id_, retry_};
  }

  std::size_t max_event_bytes_;
  SseStatus status_ = SseStatus::more;
  bool at_start_ = true;
  bool after_cr_ = false;
  std::string line_;
  std::string data_;
  std::string event_;
  std::string id_;
  std::optional<std::chrono::milliseconds> retry_;
};

}  // namespace tokenpool
