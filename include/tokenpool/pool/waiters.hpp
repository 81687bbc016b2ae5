#pragma once
// Those who wait for a lease, first come first served, threads and asynchronous calls in one queue. Waiters
// that need the same (same bucket, same cost...) form a line; if the head of a line cannot be served nobody
// behind it can, so an event costs by the number of lines and not by the number of waiters.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/pool/lease.hpp"

namespace tokenpool {

/// What is told that its waiter has been served, or now owns the timer. Called outside of the pool's lock.
class Wakeable {
 public:
  virtual ~Wakeable() = default;
  /// Called once per waking, from whatever thread; must be short.
  virtual void wake() noexcept = 0;

 protected:
  Wakeable() = default;
  Wakeable(const Wakeable&) = default;
  Wakeable& operator=(const Wakeable&) = default;
};

namespace detail {
struct WaitLine;
}

/// One call in the queue. Made by the caller, who keeps it until it is served or has left the queue. The pool
/// alone touches the fields that it did not get from the caller.
struct Waiter {
  LeaseRequest request{};                ///< what it waits for
  std::shared_ptr<Wakeable> wakeable{};  ///< who is told

  std::optional<Acquired> granted{};     ///< the pool's answer, once there is one
  std::exception_ptr failure{};          ///< or what the policy threw
  std::uint64_t order = 0;               ///< of its coming
  SteadyTime since{};                    ///< when it joined
  detail::WaitLine* line = nullptr;      ///< null: not in the queue
  std::list<Waiter*>::iterator place{};  ///< in its line
};

namespace detail {

/// Waiters with the same needs, in the order of their coming.
struct WaitLine {
  std::string bucket;
  std::int64_t cost = 1;
  std::vector<SlotNumber> asked;
  std::list<Waiter*> waiters;
  NotUntil refusal;      ///< why its head was not served the last time
  bool blocked = false;  ///< scratch of one round of serving

  [[nodiscard]] bool fits(const LeaseRequest& request) const noexcept {
    return bucket == request.bucket && cost == request.cost &&
           std::equal(asked.begin(), asked.end(), request.asked.begin(), request.asked.end());
  }
};

/// The queue. Not thread-safe: the pool's lock covers it.
class WaitQueue {
 public:
  /// The order of a request that has not joined: after all who have.
  static constexpr std::uint64_t newcomer = (std::numeric_limits<std::uint64_t>::max)();

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

  /// The line of those who need what `request` needs; null when nobody waits for it.
  [[nodiscard]] WaitLine* line_of(const LeaseRequest& request) noexcept {
    for (WaitLine& line : lines_) {
      if (line.fits(request)) {
        return &line;
      }
    }
    return nullptr;
  }

  /// Puts the waiter at the end. Throws std::bad_alloc, nothing changed.
  void join(Waiter& waiter, const NotUntil& refusal) {
    std::list<Waiter*> node{&waiter};
    WaitLine* line = line_of(waiter.request);
    if (line == nullptr) {
      const LeaseRequest& need = waiter.request;
      line = &lines_.emplace_back(WaitLine{
          std::string(need.bucket), need.cost, {need.asked.begin(), need.asked.end()}, {}, refusal, false});
    }
    waiter.order = ++order_;
    waiter.line = line;
    waiter.place = node.begin();
    line->waiters.splice(line->waiters.end(), node);
    ++count_;
  }

  void leave(Waiter& waiter) noexcept {
    WaitLine& line = *std::exchange(waiter.line, nullptr);
    line.waiters.erase(waiter.place);
    --count_;
    if (line.waiters.empty()) {
      lines_.remove_if([&line](const WaitLine& other) { return &other == &line; });
    }
  }

  /// The earliest waiter that is not in a line marked as blocked; null when there is none.
  [[nodiscard]] Waiter* next() noexcept {
    return earliest([](const WaitLine& line) { return !line.blocked; });
  }

  /// The first waiter of all: it owns the timer.
  [[nodiscard]] Waiter* first() noexcept {
    return earliest([](const WaitLine&) { return true; });
  }

  /// A line whose head came before `order` and of which `is_it` holds; null when there is none.
  template <class F>
  [[nodiscard]] const WaitLine* find_before(std::uint64_t order, F&& is_it) const {
    const auto found = std::find_if(lines_.begin(), lines_.end(), [&](const WaitLine& line) {
      return line.waiters.front()->order < order && is_it(line);
    });
    return found == lines_.end() ? nullptr : &*found;
  }

  void unblock() noexcept {
    for (WaitLine& line : lines_) {
      line.blocked = false;
    }
  }

  /// When time alone may serve somebody; `end_of_time` if nobody waits for time.
  [[nodiscard]] SteadyTime timer() const noexcept {
    SteadyTime when = end_of_time;
    for (const WaitLine& line : lines_) {
      when = (std::min)(when, line.refusal.when);
    }
    return when;
  }

 private:
  template <class F>
  [[nodiscard]] Waiter* earliest(F&& counts) noexcept {
    Waiter* earliest = nullptr;
    for (WaitLine& line : lines_) {
      Waiter* head = line.waiters.front();
      if (counts(line) && (earliest == nullptr || head->order < earliest->order)) {
        earliest = head;
      }
    }
    return earliest;
  }

  std::list<WaitLine> lines_;
  std::size_t count_ = 0;
  std::uint64_t order_ = 0;
};

}  // namespace detail

}  // namespace tokenpool
