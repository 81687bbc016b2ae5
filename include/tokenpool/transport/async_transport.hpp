#pragma once
// A transport that needs no thread for each exchange: it has a loop, which other threads post to and on whose
// thread exchanges begin, go on and end.

#include <concepts>
#include <exception>
#include <memory>

#include "tokenpool/base/time.hpp"
#include "tokenpool/transport/inbox.hpp"
#include "tokenpool/transport/timers.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool {

/// Who began an exchange on a loop.
class ExchangeListener {
 public:
  ExchangeListener() = default;
  ExchangeListener(const ExchangeListener&) = delete;
  ExchangeListener& operator=(const ExchangeListener&) = delete;

  /// The exchange is over; `thrown` is what the caller's own code threw (a body's producer), then the
  /// exchange says nothing. Called once, from the loop and never from inside of `start`.
  virtual void over(Exchange exchange, const std::exception_ptr& thrown) noexcept = 0;

 protected:
  ~ExchangeListener() = default;
};

/// A transport with a loop. `open` before all others, `post` and `is_here` from any thread; timers and
/// exchanges on the loop's thread. `start` gives a pointer that stands for the exchange until its listener
/// hears that it is over; all that the request refers to must live as long. `cancel` ends the exchange,
/// `resume` asks a sink that has paused.
template <class T>
concept AsyncTransport = Transport<T> &&
    requires(T& transport, std::shared_ptr<LoopTask> task, LoopTimer& timer, SteadyTime when,
             const TransportRequest& request, ExchangeListener& listener) {
  transport.loop().open();
  transport.loop().post(task);
  transport.loop().set(timer, when);
  transport.loop().forget(timer);
  transport.loop().cancel(*transport.loop().start(request, listener));
  transport.loop().resume(*transport.loop().start(request, listener));
  { transport.loop().is_here() } -> std::same_as<bool>;
};

}  // namespace tokenpool
