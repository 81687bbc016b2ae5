#pragma once
// One line for each call and for each thing that an operator has to know, on standard error. No query string,
// no header, no body: that is where secrets are.

#include <cstdio>
#include <string>
#include <string_view>

#include "tokenpool/base/time.hpp"
#include "tokenpool/http/timestamp.hpp"

namespace gateway {

/// Writes lines. Used on the gateway's thread.
class Log {
 public:
  explicit Log(bool calls) : calls_(calls) {}

  void set_calls(bool calls) noexcept { calls_ = calls; }

  /// What an operator has to know, whatever is turned off.
  void note(std::string_view text) const { write(text); }
  void call(std::string_view text) const {
    if (calls_) write(text);
  }

 private:
  /// A whole line at once, so that those of two processes do not mix. What a stranger wrote is made
  /// printable.
  static void write(std::string_view text) {
    std::string line = tokenpool::to_rfc3339(std::chrono::system_clock::now()) + ' ';
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      line += byte < 0x20 || byte == 0x7f ? '?' : c;
    }
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
  }

  bool calls_;
};

}  // namespace gateway
