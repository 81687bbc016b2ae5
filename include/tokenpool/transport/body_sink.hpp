#pragma once
// Where a transport puts the body of an answer as it comes, instead of collecting it.

#include <cstdint>
#include <string_view>

#include "tokenpool/base/time.hpp"
#include "tokenpool/http/answer.hpp"

namespace tokenpool {

/// Takes one answer's body. Called by whoever transfers, on one thread at a time.
class BodySink {
 public:
  /// What is to happen after some bytes.
  enum class Flow : std::uint8_t {
    more,      ///< taken: the next ones
    paused,    ///< not taken: the same ones again, once resumed() or after longest_pause()
    complete,  ///< taken, and what follows does not matter: the exchange ends well with the body, or soon
    stopped,   ///< the exchange ends well at once
  };

  /// Whether opens() is to be asked as soon as the header block is there, whether or not a body follows.
  [[nodiscard]] virtual bool wants_head() const noexcept { return false; }
  /// The body of the answer with this head begins: true if it goes here, false if it is to be collected.
  virtual bool opens(const Answer& head) = 0;
  /// The next bytes of the body.
  virtual Flow take(std::string_view bytes) = 0;
  /// Whether the consumer has asked to go on since this was asked last.
  virtual bool resumed() noexcept = 0;
  /// How long a pause lasts if nobody asks to go on.
  [[nodiscard]] virtual Duration longest_pause() const noexcept = 0;

 protected:
  ~BodySink() = default;
};

}  // namespace tokenpool
