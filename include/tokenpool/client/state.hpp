#pragma once
// What a client is made of. It outlives the client for as long as a call is under way, so that a client may
// be destroyed by one of its own callbacks.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

#include "tokenpool/base/cancel.hpp"
#include "tokenpool/base/error.hpp"
#include "tokenpool/base/random.hpp"
#include "tokenpool/client/birthplace.hpp"
#include "tokenpool/client/ledger_clerk.hpp"
#include "tokenpool/client/ledger_desk.hpp"
#include "tokenpool/client/linger.hpp"
#include "tokenpool/client/observer.hpp"
#include "tokenpool/client/options.hpp"
#include "tokenpool/http/url.hpp"
#include "tokenpool/pool/pool.hpp"
#include "tokenpool/retry/budget.hpp"
#include "tokenpool/transport/async_transport.hpp"

namespace tokenpool::detail {

/// Options, pool, transport and clock of one client, and its calls under way.
template <class Policy, class TransportType, class ClockType>
class ClientState : public std::enable_shared_from_this<ClientState<Policy, TransportType, ClockType>> {
 public:
  using Pool = TokenPool<Policy>;

  ClientState(ClientOptions options, Policy policy, std::shared_ptr<TransportType> transport,
              std::shared_ptr<ClockType> clock)
      : options_(checked(std::move(options))),
        base_(parse_base_url(options_.base_url)),
        seeds_(options_.seed ? *options_.seed : system_seed()),
        transport_(std::move(transport)),
        clock_(std::move(clock)),
        budget_(options_.retry.budget),
        linger_(options_.timeouts.total),
        pool_(pool_options(), std::move(policy)) {
    options_.tokens.clear();
    if (options_.ledger) {
      desk_.emplace(
          options_.ledger, options_.ledger_options, pool_, [clock = clock_] { return clock->now(); },
          [this](const PoolEvent& event) { hear(event); });
      clerk_.emplace(*desk_, options_.ledger_options);
    }
    // Made before the end of this constructor, it outlives a client of static lifetime.
    static_cast<void>(default_dialects());
  }

  [[nodiscard]] const ClientOptions& options() const noexcept { return options_; }
  [[nodiscard]] const std::optional<BaseUrl>& base() const noexcept { return base_; }
  /// Where the ledger is asked, and whose thread asks it; only with a ledger.
  [[nodiscard]] LedgerDesk& ledger_desk() noexcept { return *desk_; }
  [[nodiscard]] LedgerClerk& ledger_clerk() noexcept { return *clerk_; }
  [[nodiscard]] Pool& pool() noexcept { return pool_; }
  [[nodiscard]] TransportType& transport() noexcept { return *transport_; }
  [[nodiscard]] ClockType& clock() const noexcept { return *clock_; }
  [[nodiscard]] RetryBudget& budget() noexcept { return budget_; }
  [[nodiscard]] Linger& linger() noexcept { return linger_; }
  /// In which a call ends for which there is no memory, not even for an Error.
  [[nodiscard]] const Error& out_of_memory() const noexcept { return out_of_memory_; }
  [[nodiscard]] CancelToken closing() const { return closing_.token(); }
  /// Names timeouts, tls and http of this client to a transport that several clients may share.
  [[nodiscard]] std::uint64_t settings() const noexcept { return settings_; }
  [[nodiscard]] std::uint64_t next_seed() noexcept { return seeds_.fetch_add(1, std::memory_order_relaxed); }

  /// Counts a blocking call while it is under way.
  class Active {
   public:
    explicit Active(ClientState& state) : state_(state), outer_(std::exchange(innermost(), this)) {
      const std::lock_guard lock(state_.mutex_);
      ++state_.active_;
    }
    Active(const Active&) = delete;
    Active& operator=(const Active&) = delete;
    ~Active() {
      innermost() = outer_;
      const std::lock_guard lock(state_.mutex_);
      --state_.active_;
      state_.idle_.notify_all();
    }

    /// The calls of `state` that are under way on this thread.
    static std::size_t count(const ClientState& state) noexcept {
      std::size_t calls = 0;
      for (const Active* call = innermost(); call != nullptr; call = call->outer_) {
        calls += &call->state_ == &state ? 1 : 0;
      }
      return calls;
    }

   private:
    /// A bare pointer, which can still be read when a client of static lifetime ends: an object of the thread
    /// would be gone before.
    static const Active*& innermost() noexcept {
      thread_local const Active* call = nullptr;
      return call;
    }

    ClientState& state_;
    const Active* outer_;
  };

  /// An asynchronous call begins.
  void enter_async() {
    const std::lock_guard lock(mutex_);
    ++active_async_;
  }

  /// An asynchronous call has ended: the last thing it does with this client.
  void leave_async() {
    std::shared_ptr<ClientState> orphaned;
    const std::lock_guard lock(mutex_);
    --active_async_;
    if (active_async_ == 0) {
      orphaned.swap(orphaned_);
    }
    idle_.notify_all();
  }

  /// Cancels every call and waits until those of other threads are over. On the loop's own thread
  /// asynchronous calls cannot be waited for: they end there right after, and this state with the last of
  /// them.
  void close() {
    if (birthplace_.left()) {
      // Threads and calls under way are those of the process that this one was forked from, and so are the
      // connections: to close one by TLS is to say so to the server. All stays as it is, to the end.
      orphaned_ = this->shared_from_this();
      return;
    }
    closing_.cancel();
    const std::size_t own = Active::count(*this);
    std::unique_lock lock(mutex_);
    const bool orphaned = active_async_ != 0 && on_loop();
    if (orphaned) {
      orphaned_ = this->shared_from_this();
    }
    idle_.wait(lock, [&] { return active_ <= own && (active_async_ == 0 || orphaned_); });
    lock.unlock();
    if (clerk_ && !orphaned) {
      clerk_->stop();
    }
  }

 private:
  static ClientOptions checked(ClientOptions options) {
    check_options(options);
    return options;
  }

  static std::uint64_t system_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32U | device();
  }

  static std::uint64_t new_settings() noexcept {
    static std::atomic<std::uint64_t> newest{0};
    return newest.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  [[nodiscard]] bool on_loop() {
    if constexpr (AsyncTransport<TransportType>) {
      return transport_->loop().is_here();
    }
    return false;
  }

  [[nodiscard]] PoolOptions pool_options() {
    return {.tokens = std::move(options_.tokens),
            .limits = options_.limits,
            .egress = options_.egress,
            .max_rest = options_.retry.max_rest,
            .random = std::make_shared<SplitMix64>(next_seed()),
            .ask_ledger = options_.ledger != nullptr,
            .max_waiting = options_.max_waiting,
            .on_change = options_.observer.on_changed ? [this](const PoolEvent& event) { hear(event); }
                                                      : std::function<void(const PoolEvent&)>()};
  }

  /// Passes on what happened outside of calls.
  void hear(const PoolEvent& event) const { tell(options_.observer, event, clock_->now()); }

  Birthplace birthplace_;
  ClientOptions options_;
  std::optional<BaseUrl> base_;
  std::uint64_t settings_ = new_settings();
  std::atomic<std::uint64_t> seeds_;
  std::shared_ptr<TransportType> transport_;
  std::shared_ptr<ClockType> clock_;
  RetryBudget budget_;
  Linger linger_;
  CancelSource closing_;
  Error out_of_memory_{ErrorCode::cancelled, "the call was given up: memory ran out"};
  Pool pool_;
  std::optional<LedgerDesk> desk_;
  std::optional<LedgerClerk> clerk_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t active_ = 0;
  std::size_t active_async_ = 0;
  std::shared_ptr<ClientState>
      orphaned_;  ///< itself, when the client was destroyed by a callback of the loop
};

}  // namespace tokenpool::detail
