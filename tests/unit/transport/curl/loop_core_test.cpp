// How many handles a loop keeps. Nothing is sent: each exchange is cancelled before the loop would begin it.

#include "tokenpool/transport/curl/loop_core.hpp"

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "catch_compat.hpp"

using namespace tokenpool;
using detail::curl::LoopCore;
using detail::curl::LoopExchange;

namespace {

/// A loop without a thread, and requests that nobody answers.
struct Rig : ExchangeListener {
  void over(Exchange /*exchange*/, const std::exception_ptr& /*thrown*/) noexcept override {}

  LoopExchange& start() {
    return *core.start({method, url, headers, body, source, proxy, timeouts, tls, http}, *this);
  }

  /// As many at a time, and their end.
  void burst(std::size_t count) {
    std::vector<LoopExchange*> begun;
    for (std::size_t i = 0; i < count; ++i) begun.push_back(&start());
    for (LoopExchange* exchange : begun) core.cancel(*exchange);
  }

  /// The loop's own timer is the next.
  void after_a_second() { core.timers().call_due(core.timers().next()); }

  const std::string method = "GET", url = "http://127.0.0.1:1/", source;
  const HeaderViews headers{};
  const std::optional<std::string> proxy{};
  const Timeouts timeouts{.idle = std::chrono::hours(1)};
  const TlsOptions tls{};
  const HttpOptions http{};
  Body body;
  LoopCore core;
};

}  // namespace

TEST_CASE("a loop keeps the handles of a burst for the next one and gives them back when none comes") {
  Rig rig;
  rig.burst(200);
  CHECK(rig.core.exchanges() == 200);
  rig.after_a_second();
  CHECK(rig.core.exchanges() == 200);
  rig.burst(100);
  rig.after_a_second();
  CHECK(rig.core.exchanges() == 100);
  LoopExchange& held = rig.start();
  rig.after_a_second();
  CHECK(rig.core.exchanges() == 64);
  rig.core.cancel(held);
  CHECK(rig.core.timers().next() == end_of_time);
  rig.burst(64);
  CHECK(rig.core.timers().next() == end_of_time);
  CHECK(rig.core.exchanges() == 64);
}
