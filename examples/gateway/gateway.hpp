#pragma once
// The gateway: one thread that listens, answers what it can itself, and passes everything else on to the
// pool.

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "budget.hpp"
#include "chronicle.hpp"
#include "configuration.hpp"
#include "crowd.hpp"
#include "front.hpp"
#include "listener.hpp"
#include "live.hpp"
#include "log.hpp"
#include "metrics.hpp"
#include "relay.hpp"
#include "upstream.hpp"
#include "watch.hpp"

namespace gateway {

/// One gateway. Its functions are for one thread, but for stop().
class Gateway final : public Front {
 public:
  /// Reads the configuration and listens. Throws std::exception that says what is wrong with it.
  explicit Gateway(std::string configuration);
  ~Gateway() override;

  [[nodiscard]] std::uint16_t port() const { return listener_->port(); }
  /// "http://127.0.0.1:8080"
  [[nodiscard]] std::string url() const;

  /// From now on SIGTERM and SIGINT are stop(), and SIGHUP reads the configuration anew.
  void heed_signals();

  /// Serves until it is asked to end. Returns whether every call under way could finish.
  bool run();

  /// Asks run() to end: calls under way may finish for as long as the configuration's `grace`; a second time:
  /// at once. Any thread.
  void stop();

  [[nodiscard]] const Bounds& bounds() const noexcept override { return configuration_.bounds; }
  std::optional<Reply> objection(const Inbound& head) override;
  std::shared_ptr<Source> answer(Inbound request, bool keep_alive, Wake wake) override;
  [[nodiscard]] bool draining() const noexcept override { return draining_; }

 private:
  void reload();
  void apply(Configuration configuration);
  void await_signal();
  void drain();
  void end(bool whole);

  std::shared_ptr<Source> pass_on(Inbound request, bool keep_alive, Wake wake);
  [[nodiscard]] Reply own_reply(const Inbound& request);
  [[nodiscard]] Reply health() const;
  [[nodiscard]] Reply switch_token(const Inbound& request);
  void log_call(const std::string& method, const std::string& path,
                std::chrono::steady_clock::time_point began, const CallEnd& end);

  // In this order: what is awaited in the context holds connections, which have their shares of the budget;
  // the client's own thread tells the chronicle and the live view until it is gone.
  std::string path_;
  Configuration configuration_;
  Log log_;
  Crowd crowd_;
  Budget budget_;
  boost::asio::io_context context_{1};
  Chronicle chronicle_;
  Metrics metrics_;
  Live live_;
  Upstream upstream_;
  std::optional<Listener> listener_;
  Watch watch_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer grace_;
  bool draining_ = false;
  bool whole_ = true;
};

}  // namespace gateway
