#pragma once
// A command in the words of the Redis protocol (RESP 2), written into one buffer.

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace tokenpool::detail {

/// Grows word by word.
class RedisCommand {
 public:
  void add(std::string_view word) {
    ++words_;
    body_.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
  }

  void add(std::integral auto number) { add(std::string_view(std::to_string(number))); }

  void add(const RedisCommand& others) {
    words_ += others.words_;
    body_.append(others.body_);
  }

  [[nodiscard]] std::size_t words() const noexcept { return words_; }

  /// The command as it goes over the wire.
  [[nodiscard]] std::string text() const { return "*" + std::to_string(words_) + "\r\n" + body_; }

 private:
  std::size_t words_ = 0;
  std::string body_;
};

}  // namespace tokenpool::detail
