#pragma once
// The body of a request: a text, a producer of bytes, or the parts of a form. Whether it can be sent again is
// part of the type, since a retry that silently sends half a body is worse than none.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/base/error.hpp"

namespace tokenpool {

/// One field of a form (RFC 7578). Its bytes are `content`, or those of the file named `file`, which is
/// opened at each attempt.
struct Part {
  std::string name{};          ///< of the field in the form
  std::string content{};       ///< the field's value, where there is no file
  std::string file{};          ///< path; where it is given, `content` is not sent
  std::string filename{};      ///< what the server is told; default: the last part of `file`
  std::string content_type{};  ///< default: by the end of the filename where there is one, else none
};

/// What a request carries. A plain value; copies share their producer, which is used by one call at a time.
class Body {
 public:
  /// Fills `buffer` with up to `capacity` bytes and returns how many; 0 is the end. May throw: the call
  /// then ends with that.
  using Producer = std::function<std::size_t(char* buffer, std::size_t capacity)>;
  /// Goes back to the first byte; false if that cannot be done.
  using Rewind = std::function<bool()>;

  Body() = default;
  /// @{
  /// A text, sent as it is and as often as needed.
  Body(std::string text) : text_(std::move(text)) {}
  Body(std::string_view text) : text_(text) {}
  Body(const char* text) : text_(text) {}
  /// @}

  /// A body of bytes made on the way, from where the producer stands. Without `size` it goes out chunked;
  /// without `rewind` nothing that was read is sent again. A producer that ends before `size` ends the call
  /// with invalid_request; what it has beyond is not asked for. Throws Error{invalid_request} without a
  /// producer.
  static Body from(Producer producer, std::optional<std::uint64_t> size = {}, Rewind rewind = {}) {
    if (!producer) {
      throw Error(ErrorCode::invalid_request,
                  "body has an empty producer: give a function that fills a buffer");
    }
    Body body;
    body.producer_ = std::move(producer);
    body.size_ = size;
    body.rewind_ = std::move(rewind);
    return body;
  }

  /// A form as multipart/form-data, sendable again. The boundary and the Content-Type are the transport's. A
  /// file that cannot be read ends the call with invalid_request.
  ///
  ///     Body::multipart({{.name = "purpose", .content = "batch"}, {.name = "file", .file = "input.jsonl"}})
  static Body multipart(std::vector<Part> parts) {
    Body body;
    body.parts_ = std::make_shared<const std::vector<Part>>(std::move(parts));
    return body;
  }

  /// Whether a producer makes it.
  [[nodiscard]] bool streamed() const noexcept { return static_cast<bool>(producer_); }
  /// Whether it is a text.
  [[nodiscard]] bool plain() const noexcept { return !streamed() && !parts_; }
  /// Whether there is nothing to send.
  [[nodiscard]] bool empty() const noexcept { return plain() && text_.empty(); }

  /// The parts of a form; null for any other body.
  [[nodiscard]] const std::vector<Part>* parts() const noexcept { return parts_.get(); }

  /// Whether it can be sent from its first byte on, again or for the first time.
  [[nodiscard]] bool repeatable() const noexcept { return !begun_ || static_cast<bool>(rewind_); }

  /// The text; empty for any other body.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  /// The number of bytes, where known.
  [[nodiscard]] std::optional<std::uint64_t> size() const noexcept { return plain() ? text_.size() : size_; }

  /// The next bytes of a streamed body, at most `capacity`; 0 is the end. Throws what the producer throws.
  std::size_t read(char* buffer, std::size_t capacity) {
    begun_ = true;
    return producer_(buffer, capacity);
  }

  /// Back to the first byte; false when that cannot be done. Throws what the caller's rewind throws.
  bool rewind() {
    if (begun_ && (!rewind_ || !rewind_())) {
      return false;
    }
    begun_ = false;
    return true;
  }

 private:
  std::string text_;
  std::shared_ptr<const std::vector<Part>> parts_;
  Producer producer_;
  std::optional<std::uint64_t> size_;
  Rewind rewind_;
  bool begun_ = false;  ///< the producer was asked since the last rewind
};

}  // namespace tokenpool
