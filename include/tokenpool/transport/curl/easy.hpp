#pragma once
// The blocking transport: a call checks out a warm channel (an easy handle in a multi of its own, with its
// connections) and gives it back. Connections are never shared between concurrent calls; libcurl forbids it
// between threads.

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/transport/curl/exchanger.hpp"
#include "tokenpool/transport/curl/global.hpp"
#include "tokenpool/transport/curl/handle.hpp"
#include "tokenpool/transport/curl/loop.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool::detail::curl {

/// One easy handle in one multi handle: poll can be woken by another thread, which curl_easy_perform cannot.
/// Used by one call at a time.
class Channel {
 public:
  explicit Channel(std::string source) : source_(std::move(source)), multi_(made(curl_multi_init())) {}

  /// The local address or device that its connections are made from; empty: the system's choice.
  [[nodiscard]] const std::string& source() const noexcept { return source_; }

  /// Throws what the body's producer throws, or std::bad_alloc.
  Exchange run(const TransportRequest& request, Interrupt& interrupt) {
    if (auto unfit = exchanger_.prepare(request)) {
      Exchange exchange;
      exchange.failure = std::move(unfit);
      return exchange;
    }
    const CURLcode code = drive(request, interrupt);
    if (exchanger_.transfer().thrown) {
      std::rethrow_exception(exchanger_.transfer().thrown);
    }
    return exchanger_.finish(code);
  }

 private:
  /// Keeps the easy handle in the multi handle for the time of a transfer.
  class Added {
   public:
    Added(CURLM* multi, CURL* easy) : multi_(multi), easy_(easy) { curl_multi_add_handle(multi_, easy_); }
    Added(const Added&) = delete;
    Added& operator=(const Added&) = delete;
    ~Added() { curl_multi_remove_handle(multi_, easy_); }

   private:
    CURLM* multi_;
    CURL* easy_;
  };

  static void wake(void* multi) noexcept { curl_multi_wakeup(multi); }

  CURLcode drive(const TransportRequest& request, Interrupt& interrupt) {
    const Interrupt::Attachment attachment(interrupt, &Channel::wake, multi_.get());
    const Added added(multi_.get(), exchanger_.easy());
    Transfer& transfer = exchanger_.transfer();
    for (int running = 1; running != 0;) {
      if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) {
        transfer.stopped = TransportFailure{FailureKind::lost, transfer.times_sent != 0,
                                            "libcurl lost track of the transfer"};
      }
      if (running != 0 && !exchanger_.ended()) {
        wait(request, interrupt);
      }
      if (exchanger_.ended()) {
        return CURLE_OK;
      }
    }
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi_.get(), &left);
    return message != nullptr ? message->data.result : CURLE_OK;
  }

  /// Sleeps until there is something to do, or says why the transfer stops.
  void wait(const TransportRequest& request, Interrupt& interrupt) {
    Transfer& transfer = exchanger_.transfer();
    const SteadyTime now = std::chrono::steady_clock::now();
    if (interrupt.cancelled()) {
      transfer.stopped = TransportFailure{FailureKind::cancelled, transfer.times_sent != 0, {}};
    } else if (!exchanger_.attend(request, now)) {
      curl_multi_poll(multi_.get(), nullptr, 0, milliseconds_until(exchanger_.next_check(request, now), now),
                      nullptr);
    }
  }

  static int milliseconds_until(SteadyTime until, SteadyTime now) noexcept {
    constexpr Duration longest = std::chrono::hours(1);
    const Duration left = until == end_of_time ? longest : (std::min)(until - now, longest);
    return static_cast<int>(
        std::chrono::ceil<std::chrono::milliseconds>((std::max)(left, Duration::zero())).count());
  }

  std::string source_;
  Multi multi_;
  Exchanger exchanger_;  // after the multi handle, which it leaves first
};

}  // namespace tokenpool::detail::curl

namespace tokenpool {

/// HTTP by libcurl (7.80 or newer). Thread-safe: each blocking call has a channel of its own, idle ones stay
/// warm; asynchronous calls share one loop and its thread, which the first of them starts.
class CurlTransport {
 public:
  /// Throws Error{network} when libcurl cannot start.
  CurlTransport() { detail::curl::start_once(); }
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  /// Blocks until the exchange is over. Throws what the body's producer throws.
  Exchange perform(const TransportRequest& request, Interrupt& interrupt) {
    std::unique_ptr<detail::curl::Channel> channel = check_out(request.source);
    Exchange exchange = channel->run(request, interrupt);
    give_back(std::move(channel));
    return exchange;
  }

  /// Where asynchronous exchanges go on.
  [[nodiscard]] detail::curl::Loop& loop() {
    std::call_once(loop_made_, [this] { loop_ = std::make_unique<detail::curl::Loop>(); });
    return *loop_;
  }

 private:
  /// A channel whose connections were all made from `source`: to libcurl a request without one may go by
  /// those of any.
  std::unique_ptr<detail::curl::Channel> check_out(const std::string& source) {
    {
      const std::lock_guard lock(mutex_);
      const auto warmest = std::find_if(idle_.rbegin(), idle_.rend(),
                                        [&](const auto& channel) { return channel->source() == source; });
      if (warmest != idle_.rend()) {
        std::swap(*warmest, idle_.back());
        std::unique_ptr<detail::curl::Channel> taken = std::move(idle_.back());
        idle_.pop_back();
        return taken;
      }
    }
    return std::make_unique<detail::curl::Channel>(source);
  }

  void give_back(std::unique_ptr<detail::curl::Channel> channel) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(channel));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<detail::curl::Channel>> idle_;
  std::once_flag loop_made_;
  std::unique_ptr<detail::curl::Loop> loop_;
};

}  // namespace tokenpool
