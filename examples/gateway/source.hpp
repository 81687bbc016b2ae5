#pragma once
// Where the bytes of an answer come from while it is being written.

#include <string>

namespace gateway {

/// The next bytes for a connection.
struct Output {
  enum class Then {
    more,   ///< ask again: at once if there were bytes, else when woken
    end,    ///< the answer is whole
    close,  ///< the answer is whole, and the connection ends with it
    cut,    ///< the answer is not whole: the connection has to show that
  };

  std::string bytes{};
  Then then = Then::more;
};

/// One answer under way. Asked by the connection that it goes to, on the gateway's thread.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  virtual Output next() = 0;
  /// Nobody wants the rest.
  virtual void hang_up() noexcept {}
};

/// An answer that is there.
class Whole final : public Source {
 public:
  Whole(std::string bytes, bool keep_alive) : bytes_(std::move(bytes)), keep_alive_(keep_alive) {}

  Output next() override {
    return {std::move(bytes_), keep_alive_ ? Output::Then::end : Output::Then::close};
  }

 private:
  std::string bytes_;
  bool keep_alive_;
};

}  // namespace gateway
