#pragma once
// The live view of the pool: server-sent events (WHATWG HTML 9.2) for pages that are open. A page is never
// queued for: it asks for what is new since it took the last event, so that a slow one misses states and
// costs no memory.

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chronicle.hpp"
#include "front.hpp"
#include "source.hpp"
#include "upstream.hpp"

namespace gateway {

/// What all pages see. Used on the gateway's thread, but for changed().
class Live {
 public:
  /// `view` looks at the pool; `gateway` is what does not change, as JSON.
  Live(boost::asio::io_context& context, Chronicle& chronicle, std::function<PoolView()> view,
       std::string gateway);
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;
  ~Live();

  /// The events from now on for one page.
  std::shared_ptr<Source> feed(const Inbound& request, Wake wake);

  /// Something is other than it was. Any thread.
  void changed();

  /// Ends all feeds.
  void stop();

 private:
  class Feed;
  static constexpr std::chrono::milliseconds shortest_gap{200};  ///< between two states

  void each_second();
  void publish_soon();
  void publish();
  void wake_all();

  boost::asio::io_context& context_;
  boost::asio::steady_timer seconds_;
  boost::asio::steady_timer soon_;
  boost::asio::steady_timer rest_end_;  ///< which nobody tells of
  Chronicle& chronicle_;
  std::function<PoolView()> view_;
  std::string gateway_;
  std::vector<std::weak_ptr<Feed>> feeds_;
  std::shared_ptr<const std::string> state_;
  std::uint64_t state_number_ = 0;
  std::chrono::steady_clock::time_point published_{};
  bool scheduled_ = false;
  bool stopped_ = false;
  std::atomic<bool> posted_{false};
  std::shared_ptr<Live*> self_ = std::make_shared<Live*>(this);  ///< null once this is gone
};

}  // namespace gateway
