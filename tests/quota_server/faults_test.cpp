#include "faults.hpp"

#include <algorithm>
#include <map>

#include "catch_compat.hpp"

using namespace quota_server;
using namespace std::chrono_literals;

TEST_CASE("without rates nothing goes wrong and at full rate everything") {
  Faults none({}, 1);
  Faults failing({.fail_rate = 1}, 1);
  Faults dropping({.drop_rate = 1}, 1);
  for (int i = 0; i < 100; ++i) {
    CHECK(none.draw() == Fault::none);
    CHECK(failing.draw() == Fault::fail);
    CHECK(dropping.draw() == Fault::drop);
  }
}

TEST_CASE("faults come at about their rates") {
  Faults faults({.fail_rate = 0.2, .drop_rate = 0.1}, 1);
  std::map<Fault, int> drawn;
  for (int i = 0; i < 10'000; ++i) ++drawn[faults.draw()];
  CHECK(drawn[Fault::fail] == test::Approx(2'000).epsilon(0.1));
  CHECK(drawn[Fault::drop] == test::Approx(1'000).epsilon(0.1));
}

TEST_CASE("jitter is added to the delay up to its size") {
  Faults faults({.delay = 20ms, .jitter = 10ms}, 1);
  Duration least = 1h;
  Duration most = 0ms;
  for (int i = 0; i < 1'000; ++i) {
    const Duration drawn = faults.latency();
    least = (std::min)(least, drawn);
    most = (std::max)(most, drawn);
  }
  CHECK((least >= 20ms && least < 21ms));
  CHECK((most <= 30ms && most > 29ms));
}

TEST_CASE("a pause ends at once when the server stops") {
  Pause pause;
  pause.stop();
  CHECK_FALSE(pause.sleep(24h));
}
