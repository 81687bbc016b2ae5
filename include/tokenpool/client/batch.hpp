#pragma once
// Many requests at once: bounded in flight and in memory, results in order.

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "tokenpool/base/cancel.hpp"
#include "tokenpool/base/error.hpp"
#include "tokenpool/base/result.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/quota/attempt.hpp"

namespace tokenpool {

/// How far a batch has come.
struct BatchProgress {
  std::size_t done{};                          ///< requests that ended
  std::size_t failed{};                        ///< of those done
  std::size_t in_flight{};                     ///< requests under way
  std::optional<std::size_t> total{};          ///< where the range knows its size
  double per_second{};                         ///< done over the time since the beginning
  std::optional<std::chrono::seconds> left{};  ///< estimate, where total is known and something is done
};

/// How a batch is sent.
struct BatchOptions {
  std::size_t concurrency = 8;                              ///< calls at the same time; at least 1
  std::function<void(const BatchProgress&)> on_progress{};  ///< after each result
  std::function<void(std::size_t index, const Result<Response>&)>
      on_result{};           ///< as they come, one at a time
  CancelToken cancel{};      ///< no further request is begun, those under way are cancelled
  bool keep_results = true;  ///< false: results only go to on_result, and none is returned
};

namespace detail {

/// One run of send_all.
template <class Client>
class Batch {
 public:
  /// Throws Error{invalid_request}.
  Batch(Client& client, BatchOptions options) : client_(client), options_(std::move(options)) {
    if (options_.concurrency == 0) {
      throw Error(ErrorCode::invalid_request, "concurrency is 0: give at least 1 call at the same time");
    }
  }

  /// Throws what the range, the caller's functions or send_async throw, once nothing is under way any more.
  template <class Requests>
  std::vector<Result<Response>> run(Requests&& requests) {
    if constexpr (requires { std::size(requests); }) {
      progress_.total = std::size(requests);
    }
    const CancelRegistration cancelled(options_.cancel, [this] { stop_.cancel(); });
    const WaitsForAll waits{*this};
    std::size_t index = 0;
    for (auto&& request : requests) {
      wait_for_place();
      if (stop_.cancelled()) {
        break;
      }
      begin(index++, Request(std::forward<decltype(request)>(request)));
    }
    wait_until_idle();
    if (thrown_) {
      std::rethrow_exception(thrown_);
    }
    return in_order();
  }

 private:
  /// Whatever ends the run: nothing under way may outlive it.
  struct WaitsForAll {
    Batch& batch;
    ~WaitsForAll() {
      if (std::unique_lock lock(batch.mutex_); batch.progress_.in_flight != 0) {
        lock.unlock();
        batch.stop_.cancel();
        batch.wait_until_idle();
      }
    }
  };

  /// Only the thread that produces takes places, so one that is free stays free.
  void wait_for_place() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return progress_.in_flight < options_.concurrency; });
  }

  void take_place() {
    const std::lock_guard lock(mutex_);
    if (options_.keep_results) {
      results_.emplace_back();
    }
    ++progress_.in_flight;
  }

  void wait_until_idle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return progress_.in_flight == 0; });
  }

  void begin(std::size_t index, Request request) {
    auto own_cancel = std::make_shared<CancelSource>();
    auto by_caller =
        std::make_shared<CancelRegistration>(request.cancel, [own_cancel] { own_cancel->cancel(); });
    auto by_batch =
        std::make_shared<CancelRegistration>(stop_.token(), [own_cancel] { own_cancel->cancel(); });
    request.cancel = own_cancel->token();
    take_place();
    try {
      client_.send_async(std::move(request),
                         [this, index, by_caller, by_batch](Result<Response> result) mutable {
                           by_caller.reset();
                           by_batch.reset();
                           end(index, std::move(result));
                         });
    } catch (...) {  // no call was begun: its place would be waited for without end
      const std::lock_guard lock(mutex_);
      --progress_.in_flight;
      throw;
    }
  }

  /// On the transport's thread, so one at a time.
  void end(std::size_t index, Result<Response> result) {
    BatchProgress progress = note(result);
    try {
      if (options_.on_result) {
        options_.on_result(index, result);
      }
      if (options_.on_progress) {
        options_.on_progress(progress);
      }
    } catch (...) {
      thrown_ = std::current_exception();
      stop_.cancel();
    }
    const std::lock_guard lock(mutex_);
    if (options_.keep_results) {
      results_[index].emplace(std::move(result));
    }
    --progress_.in_flight;
    changed_.notify_all();
  }

  BatchProgress note(const Result<Response>& result) {
    const std::lock_guard lock(mutex_);
    ++progress_.done;
    progress_.failed += result ? 0U : 1U;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began_;
    progress_.per_second = elapsed.count() > 0 ? static_cast<double>(progress_.done) / elapsed.count() : 0;
    if (progress_.total && progress_.per_second > 0) {
      const auto left = static_cast<double>(*progress_.total - progress_.done) / progress_.per_second;
      progress_.left = std::chrono::seconds(std::llround(left));
    }
    BatchProgress copy = progress_;
    --copy.in_flight;
    return copy;
  }

  std::vector<Result<Response>> in_order() {
    std::vector<Result<Response>> results;
    results.reserve(results_.size());
    for (auto& result : results_) {
      results.push_back(std::move(*result));
    }
    return results;
  }

  Client& client_;
  BatchOptions options_;
  CancelSource stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  BatchProgress progress_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::vector<std::optional<Result<Response>>> results_;
  std::exception_ptr thrown_;
};

}  // namespace detail

}  // namespace tokenpool
