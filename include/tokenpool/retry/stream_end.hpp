#pragma once
// How a stream of events ends. HTTP knows only that a body is complete, and what a dying server leaves behind
// a proxy looks complete, too. So the streams of language models have an end of their own, and how a stream
// begins tells which.

#include <cstdint>
#include <string_view>

#include "tokenpool/http/sse.hpp"
#include "tokenpool/http/text_reader.hpp"
#include "tokenpool/retry/evidence.hpp"

namespace tokenpool {

/// What an event is to its stream.
enum class StreamSign : std::uint8_t {
  event,       ///< one of many
  last_event,  ///< an event that says that it is the last
  end,         ///< no event but the mark of the end: the data is `[DONE]`
};

/// Reads the events of one stream in turn. A stream is whole once its mark has come:
///
/// | it begins with                         | its mark                                        |
/// |----------------------------------------|-------------------------------------------------|
/// | `message_start` (Anthropic)            | `message_stop`                                  |
/// | `response.created` (OpenAI, responses) | `response.completed` or `response.incomplete`   |
/// | JSON with `choices` (OpenAI, chat)     | `[DONE]`                                        |
/// | anything else                          | the body's own end, after at least one event    |
///
/// `[DONE]` ends every stream. Sources: the streaming pages of OpenAI's and Anthropic's API references. Pure;
/// one stream, one thread at a time.
class StreamEnd {
 public:
  /// What `event` is to the stream.
  StreamSign read(const ServerSentEvent& event) noexcept {
    if (detail::trimmed(event.data) == "[DONE]") return StreamSign::end;
    if (!begun_) promise_ = promise_of(event);
    begun_ = true;
    return is_promised(event.event) ? StreamSign::last_event : StreamSign::event;
  }

  /// Whether the stream is whole if its body ends here without a mark.
  [[nodiscard]] bool may_end() const noexcept { return begun_ && promise_ == Promise::none; }

  /// The mark that has to come, for people; empty where there is none.
  [[nodiscard]] std::string_view promised() const noexcept {
    switch (promise_) {
      case Promise::done: return "[DONE]";
      case Promise::message_stop: return "message_stop";
      case Promise::completed: return "response.completed";
      case Promise::none: break;
    }
    return {};
  }

 private:
  enum class Promise : std::uint8_t { none, done, message_stop, completed };

  static Promise promise_of(const ServerSentEvent& first) noexcept {
    if (first.event == "message_start") return Promise::message_stop;
    if (first.event == "response.created") return Promise::completed;
    const bool is_object = first.data.starts_with('{');
    return is_object && first.data.find("\"choices\"") != std::string::npos ? Promise::done : Promise::none;
  }

  [[nodiscard]] bool is_promised(std::string_view name) const noexcept {
    return (promise_ == Promise::message_stop && name == "message_stop") ||
           (promise_ == Promise::completed &&
            (name == "response.completed" || name == "response.incomplete"));
  }

  bool begun_ = false;
  Promise promise_ = Promise::none;
};

/// Whether the event's name calls it an error.
inline bool is_named_error(const ServerSentEvent& event) noexcept {
  return event.event == "error" || event.event == "response.failed";
}

/// Whether an event may be an error: by its name, or because its data begins as the bodies of errors do.
inline bool may_be_error(const ServerSentEvent& event) noexcept {
  return is_named_error(event) || detail::begins_like_an_error(event.data);
}

}  // namespace tokenpool
