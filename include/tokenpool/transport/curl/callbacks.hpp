#pragma once
// What libcurl calls while it transfers. Nothing thrown here passes through libcurl's C frames: it is kept
// and thrown again afterwards by the one who called libcurl.

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/http/answer.hpp"
#include "tokenpool/http/body.hpp"
#include "tokenpool/http/failure.hpp"
#include "tokenpool/transport/curl/flow.hpp"

namespace tokenpool::detail::curl {

/// The state of one transfer.
struct Transfer {
  Answer answer{};
  Body* body = nullptr;
  Flow flow{};
  CURL* easy = nullptr;
  std::vector<CURL*>* changed = nullptr;  ///< where to put `easy` when flow.next_check() has changed
  std::size_t max_header_bytes = 0;
  std::size_t max_body_bytes = 0;
  std::size_t header_bytes = 0;
  unsigned times_sent = 0;     ///< how often libcurl began to send the request
  std::uint64_t uploaded = 0;  ///< bytes of a streamed body that went to libcurl since its last rewind
  bool sends_body = false;
  bool produced_all = false;  ///< the producer of a streamed body has come to its end
  bool header_complete = false;
  SteadyTime header_complete_at{};
  SteadyTime last_byte_at{};
  std::optional<TransportFailure> stopped{};  ///< why we stopped it ourselves
  std::exception_ptr thrown{};                ///< what the caller's own code threw
};

/// Runs `action`, keeping what it throws; `failed` is what libcurl then hears.
template <class Result, class F>
Result guarded(Transfer& transfer, Result failed, F&& action) noexcept {
  try {
    return action();
  } catch (...) {
    transfer.thrown = std::current_exception();
    return failed;
  }
}

/// A status line begins a new answer: what an interim answer, a proxy or an earlier try left is forgotten.
inline void begin_answer(Transfer& transfer, std::string_view line) {
  const std::size_t space = line.find(' ');
  const std::string_view digits =
      space == std::string_view::npos ? std::string_view() : line.substr(space + 1, 3);
  constexpr std::size_t usual_fields = 16;
  transfer.answer = Answer{};
  transfer.answer.headers.reserve(usual_fields);
  for (const char digit : digits) {
    transfer.answer.status = digit >= '0' && digit <= '9' ? transfer.answer.status * 10 + (digit - '0') : 0;
  }
  transfer.header_complete = false;
}

/// `name: value` without the white space around the value; anything else is left out (libcurl has already
/// refused what is dangerous).
inline void add_field(Transfer& transfer, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || line.front() == ' ' || line.front() == '\t') {
    return;
  }
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  std::size_t begin = colon + 1;
  std::size_t end = line.size();
  while (begin != end && is_space(line[begin])) {
    ++begin;
  }
  while (begin != end && is_space(line[end - 1])) {
    --end;
  }
  transfer.answer.headers.add({line.data(), colon}, {line.data() + begin, end - begin});
}

inline std::size_t on_header(char* data, std::size_t size, std::size_t count, void* context) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(context);
  return guarded<std::size_t>(transfer, 0, [&]() -> std::size_t {
    const std::string_view line(data, size * count);
    const bool begins = (transfer.header_bytes == 0 || transfer.header_complete) && line.starts_with("HTTP/");
    transfer.last_byte_at = std::chrono::steady_clock::now();
    // Interim answers count towards the block of the final one, or a server could send them without end.
    const bool counts_anew = begins && transfer.answer.status >= 200;
    transfer.header_bytes = counts_anew ? line.size() : transfer.header_bytes + line.size();
    if (transfer.header_bytes > transfer.max_header_bytes) {
      transfer.stopped = TransportFailure{FailureKind::too_large, true,
                                          "the header block is larger than http.max_header_bytes"};
      return 0;
    }
    if (begins) {
      begin_answer(transfer, line);
    } else if (transfer.header_complete) {
      // A trailer: it is bounded by what is counted above, and nobody asks for it.
    } else if (line == "\r\n" || line == "\n") {
      transfer.header_complete = true;
      transfer.header_complete_at = transfer.last_byte_at;
      if (transfer.answer.status >= 200) {
        transfer.flow.show(transfer.answer);
      }
    } else {
      add_field(transfer, line);
    }
    return line.size();
  });
}

/// Gives bytes to the sink of the body.
inline std::size_t hand_over(Transfer& transfer, std::string_view bytes) {
  const std::size_t word = transfer.flow.hand_over(bytes);
  // The time that the consumer took is no silence of the server.
  transfer.last_byte_at = std::chrono::steady_clock::now();
  if (transfer.changed != nullptr && transfer.flow.next_check() != end_of_time) {
    transfer.changed->push_back(transfer.easy);
  }
  return word;
}

inline std::size_t on_body(char* data, std::size_t size, std::size_t count, void* context) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(context);
  return guarded<std::size_t>(transfer, 0, [&]() -> std::size_t {
    transfer.last_byte_at = std::chrono::steady_clock::now();
    if (transfer.flow.takes(transfer.answer)) {
      return hand_over(transfer, {data, size * count});
    }
    std::string& body = transfer.answer.body;
    if (size * count > transfer.max_body_bytes - (std::min)(body.size(), transfer.max_body_bytes)) {
      transfer.stopped = TransportFailure{
          FailureKind::too_large, true,
          "the body is larger than max_response_bytes (" + std::to_string(transfer.max_body_bytes) + ")"};
      return 0;
    }
    body.append(data, size * count);
    return size * count;
  });
}

inline std::size_t on_upload(char* buffer, std::size_t size, std::size_t count, void* context) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(context);
  return guarded<std::size_t>(transfer, CURL_READFUNC_ABORT, [&]() -> std::size_t {
    const std::uint64_t promised =
        transfer.body->size().value_or((std::numeric_limits<std::uint64_t>::max)());
    const auto capacity =
        static_cast<std::size_t>((std::min)(promised - transfer.uploaded, std::uint64_t{size * count}));
    const std::size_t produced = capacity == 0 ? 0 : transfer.body->read(buffer, capacity);
    if (produced > capacity || (produced == 0 && transfer.body->size() && transfer.uploaded != promised)) {
      transfer.stopped =
          TransportFailure{FailureKind::body, transfer.times_sent != 0,
                           produced > capacity ? "the body's producer filled more than its buffer"
                                               : "the body ended after " + std::to_string(transfer.uploaded) +
                                                     " of " + std::to_string(promised) + " bytes"};
      return CURL_READFUNC_ABORT;
    }
    transfer.uploaded += produced;
    transfer.produced_all = produced == 0;
    return produced;
  });
}

inline int on_rewind(void* context, curl_off_t offset, int origin) noexcept {
  Transfer& transfer = *static_cast<Transfer*>(context);
  return guarded<int>(transfer, CURL_SEEKFUNC_FAIL, [&] {
    const bool done = offset == 0 && origin == SEEK_SET && transfer.body->rewind();
    transfer.uploaded = 0;
    transfer.produced_all = false;
    return done ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
  });
}

/// Called each time a connection is there and the request is about to go out.
inline int on_sending(void* context, char*, char*, int, int) noexcept {
  ++static_cast<Transfer*>(context)->times_sent;
  return CURL_PREREQFUNC_OK;
}

}  // namespace tokenpool::detail::curl
