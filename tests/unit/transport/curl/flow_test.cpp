#include "tokenpool/transport/curl/flow.hpp"

#include <chrono>
#include <string_view>

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

/// Says what it is told to.
struct Sink final : BodySink {
  bool opens(const Answer& head) override {
    ++asked;
    return head.status == 200;
  }
  Flow take(std::string_view) override {
    ++taken;
    return word;
  }
  bool resumed() noexcept override { return wants; }
  Duration longest_pause() const noexcept override { return pause; }

  Flow word = Flow::more;
  bool wants = false;
  Duration pause = 10s;
  int asked = 0;
  int taken = 0;
};

const SteadyTime far = std::chrono::steady_clock::now() + 1h;

}  // namespace

TEST_CASE("a sink is asked once whether it wants a body") {
  Sink sink;
  detail::curl::Flow flow(&sink);
  CHECK(flow.takes({.status = 200}));
  CHECK(flow.takes({.status = 200}));
  CHECK(sink.asked == 1);
  CHECK_FALSE(detail::curl::Flow(&sink).takes({.status = 404}));
  CHECK_FALSE(detail::curl::Flow().takes({.status = 200}));
}

TEST_CASE("a pause lasts until the sink wants more or its time is over") {
  Sink sink;
  sink.word = BodySink::Flow::paused;
  detail::curl::Flow flow(&sink);
  CHECK(flow.hand_over("abc") == CURL_WRITEFUNC_PAUSE);
  CHECK(flow.paused());
  const SteadyTime ends = flow.next_check();
  CHECK_FALSE(flow.ends_pause(ends - 1ms));
  CHECK(flow.ends_pause(ends));
  CHECK_FALSE(flow.paused());
  CHECK_FALSE(flow.ends_pause(ends));

  flow.hand_over("abc");
  sink.wants = true;
  CHECK(flow.ends_pause(ends - 1ms));
  CHECK(flow.next_check() == end_of_time);
}

TEST_CASE("what comes after the end is dropped and not waited for without end") {
  Sink sink;
  sink.word = BodySink::Flow::complete;
  detail::curl::Flow flow(&sink);
  CHECK(flow.hand_over("abc") == 3);
  CHECK(flow.hand_over("more") == 4);
  CHECK(sink.taken == 1);
  CHECK_FALSE(flow.over());
  CHECK(flow.next_check() < far);
  CHECK(flow.over(far));
  CHECK(flow.over());
}

TEST_CASE("a sink that stops ends the transfer") {
  Sink sink;
  sink.word = BodySink::Flow::stopped;
  detail::curl::Flow flow(&sink);
  CHECK(flow.hand_over("abc") == 0);
  CHECK(flow.over());
}
