#include "tokenpool/quota/rate_limit_fields.hpp"

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

using Facts = std::vector<LimitFact>;

// The values are those of draft-ietf-httpapi-ratelimit-headers (-07 and -10), or shaped like them.

TEST_CASE("a policy's remaining and reset come from RateLimit and its quota from RateLimit-Policy") {
  const Headers headers{{"RateLimit-Policy", "\"burst\";q=100;w=60, \"daily\";q=1000;w=86400"},
                        {"RateLimit", "\"burst\";r=50;t=30"}};
  CHECK(rate_limit_fields(headers) == Facts{{"burst", 100, 50, 30s}});
}

TEST_CASE("a quota is that of the policy with the same name") {
  const auto quota = [](const char* policies) {
    const Facts facts =
        rate_limit_fields(Headers{{"RateLimit-Policy", policies}, {"RateLimit", "\"5\";r=1"}});
    return facts.at(0).limit;
  };
  CHECK(quota("\"burst\";q=100, \"5\";q=1000") == 1000);
  CHECK(quota("\"burst\";q=100") == std::nullopt);
  CHECK(quota("5;q=100") == std::nullopt);
  CHECK(quota("\"5\";w=60") == std::nullopt);
}

TEST_CASE("a policy may leave out the reset and have other parameters") {
  CHECK(rate_limit_fields(Headers{{"RateLimit", "\"default\";r=0;pk=:dHJpYWwxMjEzMjM=:;later=\"x\""}}) ==
        Facts{{"default", {}, 0, {}}});
}

TEST_CASE("policies spread over lines are one list") {
  const Headers headers{{"RateLimit", "\"a\";r=1;t=2"}, {"ratelimit", "\"b\";r=3"}};
  CHECK(rate_limit_fields(headers) == Facts{{"a", {}, 1, 2s}, {"b", {}, 3, {}}});
}

TEST_CASE("a malformed RateLimit is ignored as a whole") {
  CHECK(rate_limit_fields(Headers{{"RateLimit", "\"a\";r=1;t=2, \"b\";r="}}).empty());
  CHECK(rate_limit_fields(Headers{{"RateLimit", "\"a\";r=1"}, {"RateLimit", "\"b"}}).empty());
}

TEST_CASE("a malformed RateLimit-Policy costs only the quotas") {
  const Headers headers{{"RateLimit-Policy", "\"a\";q=100,"}, {"RateLimit", "\"a\";r=1;t=2"}};
  CHECK(rate_limit_fields(headers) == Facts{{"a", {}, 1, 2s}});
}

TEST_CASE("a policy without a usable remaining is left out") {
  CHECK(rate_limit_fields(Headers{{"RateLimit", "\"a\";t=2, \"b\";r=-1, \"c\";r=1.5, 5;r=1, (x);r=1"}})
            .empty());
}

TEST_CASE("the dictionary of draft 07 is read") {
  CHECK(rate_limit_fields(Headers{{"RateLimit", "limit=100, remaining=50, reset=5"}}) ==
        Facts{{"requests", 100, 50, 5s}});
  CHECK(rate_limit_fields(Headers{{"RateLimit", "limit=100, remaining=50, reset=5,"}}).empty());
  CHECK(rate_limit_fields(Headers{{"RateLimit", "remaining=50"}}) == Facts{{"requests", {}, 50, {}}});
  CHECK(rate_limit_fields(Headers{{"RateLimit", "reset=5"}}).empty());
}
