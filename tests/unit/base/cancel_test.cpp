#include "tokenpool/base/cancel.hpp"

#include <atomic>
#include <optional>
#include <thread>

#include "catch_compat.hpp"

using tokenpool::CancelRegistration;
using tokenpool::CancelSource;
using tokenpool::CancelToken;

TEST_CASE("a token without a source is never cancelled") {
  int calls = 0;
  const CancelToken token;
  const CancelRegistration registration(token, [&] { ++calls; });
  CHECK_FALSE(token.cancelled());
  CHECK_FALSE(token.has_source());
  CHECK(CancelSource().token().has_source());
  CHECK(calls == 0);
}

TEST_CASE("cancelling a source is seen by all its tokens and copies") {
  const CancelSource source;
  const CancelSource copy = source;
  const CancelToken token = source.token();
  CHECK_FALSE(token.cancelled());
  copy.cancel();
  CHECK(token.cancelled());
  CHECK(source.cancelled());
  CHECK(source.token().cancelled());
}

TEST_CASE("a callback runs once however often its source is cancelled") {
  int calls = 0;
  const CancelSource source;
  const CancelRegistration registration(source.token(), [&] { ++calls; });
  source.cancel();
  source.cancel();
  CHECK(calls == 1);
}

TEST_CASE("a callback that comes after the cancelling runs at once") {
  int calls = 0;
  const CancelSource source;
  source.cancel();
  const CancelRegistration registration(source.token(), [&] { ++calls; });
  CHECK(calls == 1);
}

TEST_CASE("a destroyed registration is not called") {
  int first = 0;
  int second = 0;
  const CancelSource source;
  std::optional<CancelRegistration> gone(std::in_place, source.token(), [&] { ++first; });
  const CancelRegistration stays(source.token(), [&] { ++second; });
  gone.reset();
  source.cancel();
  CHECK(first == 0);
  CHECK(second == 1);
}

TEST_CASE("a token outlives its source") {
  std::optional<CancelSource> source(std::in_place);
  const CancelToken token = source->token();
  source.reset();
  CHECK_FALSE(token.cancelled());
}

TEST_CASE("after a registration is destroyed its callback no longer runs in any thread") {
  for (int round = 0; round < 200; ++round) {
    const CancelSource source;
    std::atomic<bool> alive{true};
    std::atomic<bool> late{false};
    std::optional<CancelRegistration> registration(std::in_place, source.token(),
                                                   [&] { late = late || !alive; });
    std::thread canceller([&] { source.cancel(); });
    registration.reset();
    alive = false;
    canceller.join();
    REQUIRE_FALSE(late);
  }
}
