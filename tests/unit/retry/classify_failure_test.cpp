#include "tokenpool/retry/classify_failure.hpp"

#include "catch_compat.hpp"

using namespace tokenpool;

TEST_CASE("a failure on the way is the network's and one behind it leaves a doubt") {
  for (const FailureKind kind : {FailureKind::connect, FailureKind::proxy, FailureKind::tls}) {
    CHECK(classify(TransportFailure{kind, false, "no way"}).verdict == Verdict::network_error);
  }
  CHECK(classify(TransportFailure{FailureKind::lost, false, "lost"}).verdict == Verdict::network_error);
  CHECK(classify(TransportFailure{FailureKind::lost, true, "lost"}).verdict == Verdict::ambiguous);
  for (const FailureKind kind : {FailureKind::protocol, FailureKind::too_large, FailureKind::body,
                                 FailureKind::cancelled, FailureKind::deadline}) {
    CHECK(classify(TransportFailure{kind, true, "broken off"}).verdict == Verdict::ambiguous);
  }
  CHECK(classify(TransportFailure{FailureKind::lost, true, "reset by peer"}).reason == "reset by peer");
}
