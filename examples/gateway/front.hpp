#pragma once
// What connections need of the gateway behind them: what is allowed, and who answers.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "inbound.hpp"
#include "reply.hpp"
#include "source.hpp"

namespace gateway {

/// What one client may cost.
struct Bounds {
  std::size_t max_connections = 10'000;
  std::size_t max_header_bytes = 32'768;
  std::size_t max_body_bytes = std::size_t{16} << 20U;
  std::uint64_t max_buffered_bytes = std::uint64_t{512} << 20U;  ///< of bodies of requests, all together
  std::chrono::milliseconds header{10'000};      ///< from a request's first byte to the end of its header
  std::chrono::milliseconds body{120'000};       ///< from there to the end of its body
  std::chrono::milliseconds keep_alive{75'000};  ///< an idle connection
  std::chrono::milliseconds send{60'000};        ///< a client that takes nothing of an answer
};

/// Wakes the connection of an answer: there is something to ask its source for. Any thread may call it.
using Wake = std::function<void()>;

/// The gateway as its connections see it. Called on the gateway's thread.
class Front {
 public:
  Front() = default;
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;
  virtual ~Front() = default;

  [[nodiscard]] virtual const Bounds& bounds() const noexcept = 0;
  /// Looks at a header before its body is read: nothing, or why the request is not let in.
  virtual std::optional<Reply> objection(const Inbound& head) = 0;
  /// Answers a request that was let in. `keep_alive` says whether the connection goes on after it.
  virtual std::shared_ptr<Source> answer(Inbound request, bool keep_alive, Wake wake) = 0;
  /// Whether no connection is to go on after its answer.
  [[nodiscard]] virtual bool draining() const noexcept = 0;
};

}  // namespace gateway
