#include "tokenpool/quota/verdict.hpp"

#include "catch_compat.hpp"

using namespace tokenpool;

TEST_CASE("verdicts and scopes are spelled as they are written") {
  CHECK(to_string(Verdict::success) == "success");
  CHECK(to_string(Verdict::caller_error) == "caller_error");
  CHECK(to_string(Verdict::rate_limited) == "rate_limited");
  CHECK(to_string(Verdict::quota_exhausted) == "quota_exhausted");
  CHECK(to_string(Verdict::token_invalid) == "token_invalid");
  CHECK(to_string(Verdict::forbidden) == "forbidden");
  CHECK(to_string(Verdict::server_error) == "server_error");
  CHECK(to_string(Verdict::overloaded) == "overloaded");
  CHECK(to_string(Verdict::network_error) == "network_error");
  CHECK(to_string(Verdict::ambiguous) == "ambiguous");
  CHECK(to_string(LimitScope::token) == "token");
  CHECK(to_string(LimitScope::account) == "account");
  CHECK(to_string(LimitScope::bucket) == "bucket");
  CHECK(to_string(LimitScope::egress) == "egress");
  CHECK(to_string(LimitScope::service) == "service");
  CHECK(to_string(LimitScope::unknown) == "unknown");
}
