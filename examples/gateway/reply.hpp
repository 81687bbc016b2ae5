#pragma once
// Answers as bytes on a connection, and the errors of the gateway in the form that OpenAI's clients read.

#include <cstddef>
#include <string>
#include <string_view>

#include "inbound.hpp"
#include "tokenpool/http/headers.hpp"

namespace gateway {

/// An answer that is at hand as a whole.
struct Reply {
  int status = 200;
  tokenpool::Headers headers{};
  std::string body{};
};

/// `{"error": {"message", "type", "code"}}`.
Reply error_reply(int status, std::string_view message, std::string_view type, std::string_view code);

/// JSON that is not to be kept.
Reply json_reply(int status, std::string body);

/// How the body of an answer is parted from what follows it.
enum class Framing {
  length,   ///< as its header says, or there is none
  chunked,  ///< in chunks
  close,    ///< by the end of the connection: for clients of HTTP/1.0
};

/// Status line and header; `keep_alive` says whether the connection stays.
std::string head_text(int status, const tokenpool::Headers& headers, Framing framing, bool keep_alive);

/// The whole of `reply` to `request`.
std::string reply_text(const Reply& reply, const Inbound& request, bool keep_alive);

/// Bytes as one chunk (RFC 9112 7.1); none for no bytes, since an empty chunk is the end.
std::string chunk_text(std::string_view bytes);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace gateway
