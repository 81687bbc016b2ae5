#pragma once
// What the thread of the asynchronous transport does: one multi handle with all exchanges under way. It
// sleeps in curl_multi_poll until a socket, a timer or a posted task wants it, and polls nothing.

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tokenpool/transport/async_transport.hpp"
#include "tokenpool/transport/curl/exchanger.hpp"
#include "tokenpool/transport/curl/global.hpp"
#include "tokenpool/transport/curl/handle.hpp"

namespace tokenpool::detail::curl {

/// An exchange of the loop, or what remains of one for the next: its handle and its memory.
class LoopExchange final : public LoopTimer {
 public:
  class Owner {
   public:
    Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    virtual ~Owner() = default;

    /// The exchange has to be looked at.
    virtual void look_at(LoopExchange& exchange) noexcept = 0;
  };

  explicit LoopExchange(Owner& owner) : owner_(owner) {}

  void due() noexcept override { owner_.look_at(*this); }

  Exchanger exchanger{};
  std::optional<TransportRequest> request{};  ///< while it is under way
  ExchangeListener* listener = nullptr;
  std::size_t place = 0;  ///< among those under way

 private:
  Owner& owner_;
};

/// What a loop's thread works on; it outlives the Loop while the last task is still running.
class LoopCore final : public LoopExchange::Owner {
 public:
  LoopCore() {
    start_once();
    multi_.reset(made(curl_multi_init()));
  }
  LoopCore(const LoopCore&) = delete;
  LoopCore& operator=(const LoopCore&) = delete;
  ~LoopCore() override {
    timers_.forget(ebb_);
    for (const auto& exchange : running_) {
      timers_.forget(*exchange);
      curl_multi_remove_handle(multi_.get(), exchange->exchanger.easy());
    }
  }

  /// The loop takes the whole inbox at a time and looks into it before it sleeps: only the first task from
  /// another thread has to wake it.
  void post(std::shared_ptr<LoopTask> task) noexcept {
    if (inbox_.post(std::move(task)) && !is_here()) {
      curl_multi_wakeup(multi_.get());
    }
  }

  void stop() noexcept {
    stopped_ = true;
    curl_multi_wakeup(multi_.get());
  }

  [[nodiscard]] bool is_here() const noexcept {
    return thread_id_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  void run() {
    thread_id_ = std::this_thread::get_id();
    while (!stopped_) {
      inbox_.run_all();
      timers_.call_due(std::chrono::steady_clock::now());
      int ignored = 0;
      curl_multi_perform(multi_.get(), &ignored);
      complete_finished();
      look_at_changed();
      if (!stopped_ && inbox_.empty()) {
        curl_multi_poll(multi_.get(), nullptr, 0, milliseconds_to_sleep(), nullptr);
      }
    }
  }

  [[nodiscard]] Timers& timers() noexcept { return timers_; }

  /// How many exchanges are under way or kept for the next.
  [[nodiscard]] std::size_t exchanges() const noexcept { return running_.size() + idle_.size(); }

  LoopExchange* start(const TransportRequest& request, ExchangeListener& listener) {
    if (request.http.max_connections_per_host != 0) {
      curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS,
                        static_cast<long>(request.http.max_connections_per_host));
    }
    have_idle_one();
    LoopExchange& exchange = *idle_.back();
    Exchanger& exchanger = exchange.exchanger;
    exchanger.draw_from(connections_of(request.source));
    std::optional<TransportFailure> unfit = exchanger.prepare(request);
    exchanger.transfer().changed = &changed_;
    exchanger.transfer().stopped = std::move(unfit);
    exchange.request.emplace(request);
    set_next_look(exchange);

    // From here on nothing throws.
    exchange.listener = &listener;
    exchange.place = running_.size();
    running_.push_back(std::move(idle_.back()));
    most_running_ = (std::max)(most_running_, running_.size());
    idle_.pop_back();
    curl_easy_setopt(exchanger.easy(), CURLOPT_PRIVATE, static_cast<void*>(&exchange));
    if (!exchanger.ended()) {
      curl_multi_add_handle(multi_.get(), exchanger.easy());
    }
    return &exchange;
  }

  void cancel(LoopExchange& exchange) noexcept {
    Transfer& transfer = exchange.exchanger.transfer();
    transfer.stopped = TransportFailure{FailureKind::cancelled, transfer.times_sent != 0, {}};
    complete(exchange, CURLE_OK);
  }

  /// Does what is due for an exchange, and completes it if that was its end.
  void look_at(LoopExchange& exchange) noexcept override {
    try {
      if (exchange.exchanger.attend(*exchange.request, std::chrono::steady_clock::now())) {
        complete(exchange, CURLE_OK);
      } else {
        set_next_look(exchange);
      }
    } catch (...) {
      exchange.exchanger.transfer().thrown = std::current_exception();
      complete(exchange, CURLE_OUT_OF_MEMORY);
    }
  }

 private:
  static LoopExchange& exchange_of(CURL* easy) noexcept {
    void* exchange = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
    return *static_cast<LoopExchange*>(exchange);
  }

  /// Rounded up: waking a little before a timer would only mean to sleep again.
  [[nodiscard]] int milliseconds_to_sleep() const noexcept {
    constexpr Duration longest = std::chrono::hours(1);
    const SteadyTime now = std::chrono::steady_clock::now();
    const SteadyTime next = (std::max)(timers_.next(), now);
    const Duration left = next > now + longest ? longest : next - now;
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
  }

  /// Exchanges whose sinks have paused, or had enough, wait for other times than before.
  void look_at_changed() noexcept {
    looked_at_.swap(changed_);
    for (CURL* easy : looked_at_) {
      if (LoopExchange& exchange = exchange_of(easy); exchange.request) {
        look_at(exchange);
      }
    }
    looked_at_.clear();
  }

  /// Sets the time of the next look. Silence is counted from bytes that set no timer, so it is looked at as
  /// often as it could be over at the earliest.
  void set_next_look(LoopExchange& exchange) {
    const TransportRequest& request = *exchange.request;
    const SteadyTime now = std::chrono::steady_clock::now();
    SteadyTime next = exchange.exchanger.next_check(request, now);
    for (const std::chrono::milliseconds silence : {request.timeouts.idle, request.timeouts.first_byte}) {
      next = silence.count() > 0 ? (std::min)(next, after(now, silence)) : next;
    }
    timers_.set(exchange, exchange.exchanger.ended() ? now : next);
  }

  void complete_finished() noexcept {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg == CURLMSG_DONE) {
        complete(exchange_of(message->easy_handle), message->data.result);
      }
    }
  }

  void complete(LoopExchange& exchange, CURLcode code) noexcept {
    timers_.forget(exchange);
    curl_multi_remove_handle(multi_.get(), exchange.exchanger.easy());
    std::exception_ptr thrown = exchange.exchanger.transfer().thrown;
    Exchange result;
    try {
      result = exchange.exchanger.finish(code);
    } catch (...) {
      thrown = std::current_exception();
    }
    exchange.request.reset();
    running_.back()->place = exchange.place;
    std::swap(running_[exchange.place], running_.back());
    idle_.push_back(std::move(running_.back()));
    running_.pop_back();
    exchange.listener->over(std::move(result), thrown);
  }

  /// Each source has connections of its own: to libcurl a request without one may go by those of any.
  CURLSH* connections_of(const std::string& source) {
    if (source.empty()) {
      return nullptr;
    }
    Share& share = shares_[source];
    if (!share) {
      share.reset(made(curl_share_init()));
      curl_share_setopt(share.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
    }
    return share.get();
  }

  /// Makes an exchange if none is idle, and space for each to be idle or under way.
  void have_idle_one() {
    if (!idle_.empty()) {
      return;
    }
    const std::size_t all = running_.size() + 1;
    for (auto* list : {&idle_, &running_}) {
      if (list->capacity() < all) {
        list->reserve(2 * all);
      }
    }
    if (all > few) {
      timers_.set(ebb_, std::chrono::steady_clock::now() + ebb_time);
    }
    idle_.push_back(std::make_unique<LoopExchange>(*this));
  }

  /// What was under way at a time may be so again, and a handle that was set up once is cheap to use again;
  /// but the memory of a burst that is over is given back.
  void keep_what_was_needed() noexcept {
    const std::size_t wanted = (std::max)(few, std::exchange(most_running_, running_.size()));
    if (exchanges() > wanted) {
      idle_.resize(wanted - running_.size());
    }
    if (wanted > few) {
      timers_.set(ebb_, std::chrono::steady_clock::now() + ebb_time);
    }
  }

  class Ebb final : public LoopTimer {
   public:
    explicit Ebb(LoopCore& core) : core_(core) {}
    void due() noexcept override { core_.keep_what_was_needed(); }

   private:
    LoopCore& core_;
  };

  static constexpr std::size_t few = 64;  ///< exchanges stay whatever was needed
  static constexpr std::chrono::seconds ebb_time{1};

  Multi multi_;
  std::map<std::string, Share> shares_;  // after the multi handle and before all that draws from them
  Inbox inbox_;
  std::atomic<std::thread::id> thread_id_{};
  std::atomic<bool> stopped_{false};
  Timers timers_;
  std::vector<std::unique_ptr<LoopExchange>> running_;
  std::vector<std::unique_ptr<LoopExchange>> idle_;
  Ebb ebb_{*this};
  std::size_t most_running_ = 0;  ///< at a time, since the last ebb
  std::vector<CURL*> changed_;
  std::vector<CURL*> looked_at_;
};

}  // namespace tokenpool::detail::curl
