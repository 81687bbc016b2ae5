#pragma once
// The asynchronous transport: one thread, one multi handle, started by the first use. It sleeps in
// curl_multi_poll until a socket, a timer or a posted task wants it, and polls nothing.

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tokenpool/transport/curl/exchanger.hpp"
#include "tokenpool/transport/curl/global.hpp"
#include "tokenpool/transport/curl/handle.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool::detail::curl {

/// The loop. `post` is thread-safe; everything else is for tasks on its thread. Destroyed on its own thread
/// (by a callback), it ends once that task is over.
class Loop {
 public:
  using Task = std::function<void()>;
  /// The exchange, or what the caller's own code (a body's producer) threw.
  using Completion = std::function<void(Exchange, std::exception_ptr)>;
  using Timer = std::pair<SteadyTime, std::uint64_t>;

  Loop() : core_(std::make_shared<Core>()) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() {
    core_->post([core = core_.get()] { core->stop(); });
    if (is_here()) {
      thread_.detach();
    } else if (thread_.joinable()) {
      thread_.join();
    }
  }

  /// Whether the caller is on the loop's thread.
  [[nodiscard]] bool is_here() const noexcept { return core_->thread_id() == std::this_thread::get_id(); }

  /// Runs `task` on the loop's thread, in the order of posting.
  void post(Task task) {
    core_->post(std::move(task));
    std::call_once(started_, [this] { thread_ = std::thread([core = core_] { core->run(); }); });
  }

  /// Runs `task` at `when`; the end of time is never.
  Timer at(SteadyTime when, Task task) { return core_->at(when, std::move(task)); }

  /// Forgets a timer, whether or not it has fired.
  void forget(const Timer& timer) noexcept { core_->forget(timer); }

  /// Begins an exchange. `completion` is called once, from the loop and never from inside of this function;
  /// all that `request` refers to must live until then. Returns its number.
  std::uint64_t start(const TransportRequest& request, Completion completion) {
    return core_->start(request, std::move(completion));
  }

  /// Ends an exchange as cancelled, if it is still under way.
  void cancel(std::uint64_t number) { core_->cancel(number); }

  /// Asks the sink of an exchange that has paused, if it is still under way.
  void resume(std::uint64_t number) { core_->resume(number); }

 private:
  /// An exchange under way.
  struct Running {
    std::unique_ptr<Exchanger> exchanger;
    TransportRequest request;
    Completion completion;
    std::uint64_t number;
    Timer check;
  };

  /// What the thread works on; it outlives the Loop while the last task is still running.
  class Core {
   public:
    Core() {
      start_once();
      multi_.reset(made(curl_multi_init()));
    }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;
    ~Core() {
      for (auto& [easy, running] : running_) {
        curl_multi_remove_handle(multi_.get(), easy);
      }
    }

    /// The loop takes the whole inbox at a time and looks into it before it sleeps: only the first task from
    /// another thread has to wake it.
    void post(Task task) {
      bool first = false;
      {
        const std::lock_guard lock(mutex_);
        first = inbox_.empty();
        inbox_.push_back(std::move(task));
      }
      if (first && thread_id() != std::this_thread::get_id()) {
        curl_multi_wakeup(multi_.get());
      }
    }

    void stop() noexcept { stopped_ = true; }

    [[nodiscard]] std::thread::id thread_id() const noexcept {
      return thread_id_.load(std::memory_order_relaxed);
    }

    void run() {
      thread_id_ = std::this_thread::get_id();
      while (!stopped_) {
        take_inbox();
        fire_timers();
        int ignored = 0;
        curl_multi_perform(multi_.get(), &ignored);
        complete_finished();
        attend_changed();
        if (!stopped_ && !has_work()) {
          keep_warm_what_is_needed();
          curl_multi_poll(multi_.get(), nullptr, 0, milliseconds_to_sleep(), nullptr);
        }
      }
    }

    Timer at(SteadyTime when, Task task) {
      const Timer timer{when, ++newest_};
      timers_.emplace(timer, std::move(task));
      return timer;
    }

    void forget(const Timer& timer) noexcept { timers_.erase(timer); }

    std::uint64_t start(const TransportRequest& request, Completion completion) {
      if (request.http.max_connections_per_host != 0) {
        curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS,
                          static_cast<long>(request.http.max_connections_per_host));
      }
      std::unique_ptr<Exchanger> exchanger = idle_exchanger();
      exchanger->draw_from(connections_of(request.source));
      const std::uint64_t number = ++newest_;
      if (auto unfit = exchanger->prepare(request)) {
        Exchange exchange;
        exchange.failure = std::move(unfit);
        at(SteadyTime{}, [completion = std::move(completion), exchange = std::move(exchange)]() mutable {
          completion(std::move(exchange), nullptr);
        });
        return number;
      }
      CURL* easy = exchanger->easy();
      exchanger->transfer().changed = &changed_;
      numbers_.emplace(number, easy);
      running_.emplace(easy, Running{std::move(exchanger), request, std::move(completion), number, {}});
      curl_multi_add_handle(multi_.get(), easy);
      look_again_later(easy);
      return number;
    }

    void cancel(std::uint64_t number) {
      if (const auto found = numbers_.find(number); found != numbers_.end()) {
        Transfer& transfer = running_.at(found->second).exchanger->transfer();
        transfer.stopped = TransportFailure{FailureKind::cancelled, transfer.times_sent != 0, {}};
        complete(found->second, CURLE_OK);
      }
    }

    void resume(std::uint64_t number) {
      if (const auto found = numbers_.find(number); found != numbers_.end()) {
        check(found->second);
      }
    }

   private:
    void take_inbox() {
      {
        const std::lock_guard lock(mutex_);
        taken_.swap(inbox_);
      }
      for (Task& task : taken_) {
        task();
        task = nullptr;
      }
      taken_.clear();
    }

    bool has_work() {
      const std::lock_guard lock(mutex_);
      return !inbox_.empty();
    }

    void fire_timers() {
      const SteadyTime now = std::chrono::steady_clock::now();
      while (!timers_.empty() && timers_.begin()->first.first <= now) {
        auto due = timers_.extract(timers_.begin());
        due.mapped()();
      }
    }

    /// Rounded up: waking a little before a timer would only mean to sleep again.
    [[nodiscard]] int milliseconds_to_sleep() const {
      constexpr Duration longest = std::chrono::hours(1);
      const SteadyTime now = std::chrono::steady_clock::now();
      const SteadyTime next = timers_.empty() ? end_of_time : (std::max)(timers_.begin()->first.first, now);
      const Duration left = next > now + longest ? longest : next - now;
      return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
    }

    /// Does what is due for a transfer, and completes it if that was its end.
    void check(CURL* easy) {
      Running& running = running_.at(easy);
      forget(running.check);
      if (running.exchanger->attend(running.request, std::chrono::steady_clock::now())) {
        complete(easy, CURLE_OK);
      } else {
        look_again_later(easy);
      }
    }

    /// Transfers whose sinks have paused, or had enough, wait for other times than before.
    void attend_changed() {
      for (CURL* easy : std::exchange(changed_, {})) {
        if (running_.contains(easy)) {
          check(easy);
        }
      }
    }

    /// Sets the time of the next check. Silence is counted from bytes that set no timer, so it is looked at
    /// as often as it could be over at the earliest.
    void look_again_later(CURL* easy) {
      Running& running = running_.at(easy);
      const SteadyTime now = std::chrono::steady_clock::now();
      SteadyTime next = running.exchanger->next_check(running.request, now);
      for (const std::chrono::milliseconds silence :
           {running.request.timeouts.idle, running.request.timeouts.first_byte}) {
        next = silence.count() > 0 ? (std::min)(next, after(now, silence)) : next;
      }
      running.check = at(next, [this, easy] { check(easy); });
    }

    void complete_finished() {
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg == CURLMSG_DONE) {
          complete(message->easy_handle, message->data.result);
        }
      }
    }

    void complete(CURL* easy, CURLcode code) {
      auto node = running_.extract(easy);
      Running& running = node.mapped();
      numbers_.erase(running.number);
      forget(running.check);
      curl_multi_remove_handle(multi_.get(), easy);
      const std::exception_ptr thrown = running.exchanger->transfer().thrown;
      Exchange exchange = running.exchanger->finish(code);
      idle_.push_back(std::move(running.exchanger));
      running.completion(std::move(exchange), thrown);
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

    std::unique_ptr<Exchanger> idle_exchanger() {
      if (idle_.empty()) {
        return std::make_unique<Exchanger>();
      }
      std::unique_ptr<Exchanger> warmest = std::move(idle_.back());
      idle_.pop_back();
      return warmest;
    }

    /// What was in flight at the same time may be so again; when nothing is, a burst is over.
    void keep_warm_what_is_needed() {
      constexpr std::size_t enough = 64;
      if (running_.empty() && idle_.size() > enough) {
        idle_.resize(enough);
      }
    }

    Multi multi_;
    std::map<std::string, Share> shares_;  // after the multi handle and before all that draws from them
    std::mutex mutex_;
    std::vector<Task> inbox_;
    std::vector<Task> taken_;
    std::atomic<std::thread::id> thread_id_{};
    bool stopped_ = false;
    std::uint64_t newest_ = 0;
    std::map<Timer, Task> timers_;
    std::unordered_map<CURL*, Running> running_;
    std::unordered_map<std::uint64_t, CURL*> numbers_;
    std::vector<std::unique_ptr<Exchanger>> idle_;
    std::vector<CURL*> changed_;
  };

  std::shared_ptr<Core> core_;
  std::once_flag started_;
  std::thread thread_;
};

}  // namespace tokenpool::detail::curl
