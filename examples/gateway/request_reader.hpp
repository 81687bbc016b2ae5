#pragma once
// Bytes from a stranger into a request, or into the reason why they are none. Boost.Beast's parser does the
// reading; what RFC 9112 leaves to the server's caution (section 6.3, and 11.2 on smuggling) is decided here.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "inbound.hpp"

namespace gateway {

/// What bytes are refused with.
struct Unreadable {
  int status = 400;
  std::string reason{};
};

/// Reads one request. Used by one thread at a time.
class RequestReader {
 public:
  enum class Progress {
    more,      ///< give it what comes next
    head,      ///< the header is there, once; the body may follow
    complete,  ///< the request is whole
    refused,   ///< see refusal(); nothing more is read
  };

  RequestReader(std::size_t max_header_bytes, std::size_t max_body_bytes);
  RequestReader(RequestReader&&) noexcept;
  RequestReader& operator=(RequestReader&&) noexcept;
  ~RequestReader();

  /// Reads from the front of `bytes`, takes off what it has read and says how far it has come.
  Progress read(std::string_view& bytes);

  /// Valid from `head` on; the body from `complete` on.
  [[nodiscard]] Inbound& request() noexcept;
  /// Bytes of the body that are kept at the moment, or announced.
  [[nodiscard]] std::uint64_t body_bytes() const noexcept;
  /// Whether the client waits for a word before it sends the body (RFC 9110 10.1.1).
  [[nodiscard]] bool expects_continue() const;
  [[nodiscard]] const Unreadable& refusal() const noexcept;

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace gateway
