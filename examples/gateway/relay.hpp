#pragma once
// One call on its way through: the transport's thread puts in what the server sends, the gateway's thread
// takes it out for the client. Between them lie at most a few pieces: while the client takes nothing the
// server is paused, and a client that goes takes the call with it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "front.hpp"
#include "reply.hpp"
#include "source.hpp"
#include "tokenpool/base/cancel.hpp"
#include "tokenpool/base/result.hpp"
#include "tokenpool/http/message.hpp"
#include "upstream.hpp"

namespace gateway {

/// What became of a call, for the log.
struct CallEnd {
  int status = 0;  ///< what the client was told; 0: it went before
  std::string token_id{};
  std::size_t attempts = 0;
  std::string error{};  ///< the name of the library's error code; empty without one
  bool cut = false;     ///< the answer broke off
};

/// The source of one passed-on answer.
class Relay final : public Source, public std::enable_shared_from_this<Relay> {
 public:
  /// How much of an answer is kept for a client that does not take it; what comes in one piece may be more.
  static constexpr std::size_t most_kept = std::size_t{64} * 1024;

  struct Options {
    bool head_only = false;  ///< the request was HEAD
    bool http_1_0 = false;
    bool keep_alive = true;
    Wake wake{};
    std::function<void(const CallEnd&)> on_end{};  ///< called once, on the gateway's thread
  };

  explicit Relay(Options options) : options_(std::move(options)) {}
  ~Relay() override;

  /// Sends `request`; this object has to be a shared one.
  void start(Upstream& upstream, tokenpool::Request request);

  Output next() override;
  void hang_up() noexcept override;

 private:
  void show_head(const tokenpool::AnswerHead& head);
  tokenpool::BodyAction take(std::string_view bytes);
  void finish(tokenpool::Result<tokenpool::Response> result);

  /// What came since it was asked last.
  struct Arrived {
    std::optional<std::pair<int, tokenpool::Headers>> head{};
    std::string bytes{};
    std::optional<tokenpool::Result<tokenpool::Response>> result{};
  };
  Arrived take_arrived();
  [[nodiscard]] std::string begin(int status, const tokenpool::Headers& headers);
  [[nodiscard]] std::string framed(std::string bytes);
  /// Whether the client has been given all that the header promised.
  [[nodiscard]] bool is_whole() const noexcept { return begun_ && framing_ == Framing::length && left_ == 0; }
  Output conclude(const tokenpool::Result<tokenpool::Response>& result, std::string bytes);
  Output end(std::string bytes);
  Output whole(const Reply& reply);
  void tell_end();

  Options options_;
  tokenpool::CancelSource cancel_;
  std::shared_ptr<tokenpool::BodyGate> gate_ = std::make_shared<tokenpool::BodyGate>();

  // The gateway's thread.
  Framing framing_ = Framing::length;
  std::uint64_t left_ = 0;  ///< of a body whose length is known
  bool begun_ = false;
  bool over_ = false;
  CallEnd end_;

  std::mutex mutex_;  // both threads
  Arrived arrived_;
  bool paused_ = false;
};

}  // namespace gateway
