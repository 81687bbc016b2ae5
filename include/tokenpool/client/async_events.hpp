#pragma once
// What an asynchronous call hears, from the caller's threads, the pool, the ledger's thread and the
// transport, and how all of it comes to the loop: there the call takes its steps, one after the other.

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "tokenpool/base/cancel.hpp"
#include "tokenpool/client/steps.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/pool/waiters.hpp"
#include "tokenpool/transport/async_transport.hpp"

namespace tokenpool::detail {

/// Keeps the request of a call, as the first of its bases: apart from it, for by both together a call would
/// be larger than what malloc has at hand (glibc: up to 1 KiB).
struct OwnedRequest {
  std::unique_ptr<Request> owned;
};

/// The events of one call. Everything but its making, wake() and cancelling happens on the loop's thread. It
/// owns itself from begin() to finish().
template <class State>
class AsyncEvents : private OwnedRequest,
                    protected CallSteps<State>,
                    public Wakeable,
                    public LoopTask,
                    public LoopTimer,
                    public ExchangeListener,
                    public std::enable_shared_from_this<AsyncEvents<State>> {
 protected:
  using Steps = CallSteps<State>;
  using Steps::request_;
  using Steps::state_;

 public:
  /// Makes where the body goes as it comes, out of the request; null: it is collected.
  using MakeDelivery = std::function<std::unique_ptr<Delivery>(const Request&)>;

  AsyncEvents(State& state, Request&& request, const MakeDelivery& delivery)
      : OwnedRequest{std::make_unique<Request>(std::move(request))},
        Steps(state, *owned, delivery ? delivery(*owned) : nullptr) {
    state_.enter_async();
  }

  /// Its beginning: the first step follows on the loop.
  void begin() noexcept {
    self_ = this->shared_from_this();
    hear(begun);
  }

  void wake() noexcept final { hear(woken); }

  /// Looks at the news.
  void run() noexcept final {
    const unsigned news = news_.exchange(0);
    // cppcheck-suppress throwInNoexceptFunction  ; take() catches all
    if ((news & begun) != 0) take([this] { enter(); });
    if ((news & woken) != 0) take([this] { look_at_queue(); });
    if ((news & resumed) != 0) take([this] { resume(); });
    if ((news & cancelled) != 0) take([this] { cancel(); });
  }

  void due() noexcept final {
    take([this] { time_is_up(); });
  }

  void over(Exchange exchange, const std::exception_ptr& thrown) noexcept final {
    exchange_ = nullptr;
    take([&] { answered(std::move(exchange), thrown); });
  }

 protected:
  using Loop = std::remove_reference_t<decltype(std::declval<State&>().transport().loop())>;
  using Running = std::remove_pointer_t<decltype(std::declval<Loop&>().start(
      std::declval<const TransportRequest&>(), std::declval<ExchangeListener&>()))>;

  auto& loop() { return state_.transport().loop(); }

  /// Takes a step. One in which memory runs out is the last, unless an exchange is under way.
  template <class Step>
  void take(Step step) noexcept {
    const std::shared_ptr<AsyncEvents> until_taken = this->shared_from_this();
    try {
      step();
    } catch (...) {
      if (exchange_ == nullptr) {
        memory_ran_out();
      }
    }
  }

  /// From here on until finish() cancelling and resuming are news.
  void listen() {
    if (request_.cancel.has_source() || request_.gate) {
      by_caller_ = std::make_unique<ByCaller>(*this, request_);
    }
    by_client_.emplace(state_.closing(), [this] { hear(cancelled); });
  }
  void stop_listening() noexcept {
    by_caller_.reset();
    by_client_.reset();
  }

  /// The last thing that it does with the client.
  void finish() noexcept {
    state_.leave_async();
    self_.reset();
  }

  Running* exchange_ = nullptr;  ///< while it is under way

 private:
  /// What other threads have to tell.
  enum News : unsigned { begun = 1, woken = 2, resumed = 4, cancelled = 8 };

  /// What the caller can say while the call is under way; most callers cannot.
  struct ByCaller {
    ByCaller(AsyncEvents& call, const Request& request)
        : cancelling(request.cancel, [&call] { call.hear(cancelled); }) {
      if (request.gate) {
        resuming.emplace(*request.gate, [&call] { call.hear(resumed); });
      }
    }

    CancelRegistration cancelling;
    std::optional<BodyGate::Listener> resuming;
  };

  // The steps.
  virtual void enter() = 0;
  virtual void look_at_queue() = 0;
  virtual void resume() = 0;
  virtual void cancel() = 0;
  virtual void time_is_up() = 0;
  virtual void answered(Exchange&& exchange, const std::exception_ptr& thrown) = 0;
  virtual void memory_ran_out() = 0;

  /// Takes the news to the loop; needs no memory.
  void hear(News news) noexcept {
    if (news_.fetch_or(news) == 0) {
      loop().post(this->shared_from_this());
    }
  }

  std::shared_ptr<AsyncEvents> self_;
  std::atomic<unsigned> news_{0};
  std::unique_ptr<ByCaller> by_caller_;
  std::optional<CancelRegistration> by_client_;
};

}  // namespace tokenpool::detail
