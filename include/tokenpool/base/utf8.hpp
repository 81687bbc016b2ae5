#pragma once
// Text of strangers for those who refuse all that is not UTF-8, as JSON and Prometheus do.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace tokenpool::detail {

/// How many bytes the UTF-8 sequence at the front of `text` has (RFC 3629, 4); 0 when it is none.
inline std::size_t utf8_sequence(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || length > text.size()) {
    return 0;
  }
  // Neither longer than need be, nor half of a surrogate pair, nor beyond the last code point.
  const bool fit_second =
      length < 3 || ((lead != 0xE0 || byte(1) >= 0xA0) && (lead != 0xED || byte(1) < 0xA0) &&
                     (lead != 0xF0 || byte(1) >= 0x90) && (lead != 0xF4 || byte(1) < 0x90));
  const bool continued = std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(length),
                                     [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; });
  return fit_second && continued ? length : 0;
}

/// `text` with a question mark for each byte that is not UTF-8.
inline std::string as_utf8(std::string_view text) {
  std::string fit;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    length == 0 ? fit.append(1, '?') : fit.append(text.substr(0, length));
    text.remove_prefix((std::max)(length, std::size_t{1}));
  }
  return fit;
}

}  // namespace tokenpool::detail
