// What every store of the counts does, wherever it keeps them.

#include "memory_store.hpp"

#include "at.hpp"
#include "catch_compat.hpp"
#ifdef QUOTA_SERVER_HAS_REDIS
#include "redis_store.hpp"
#include "support/redis_server.hpp"
#endif

using namespace quota_server;
using namespace std::chrono_literals;
using test::at;

namespace {

const Key token{Scope::token, "a"};
const Key other_token{Scope::token, "b"};
const Key ip{Scope::ip, "10.0.0.1"};

Quota two_per_ten_seconds() { return {.amount = 2, .window = 10s, .kind = WindowKind::rolling}; }

struct InMemory {
  explicit InMemory(const Quota& quota) : store(quota) {}
  MemoryStore store;
};

#ifdef QUOTA_SERVER_HAS_REDIS
struct InRedis {
  explicit InRedis(const Quota& quota) : store({"127.0.0.1", server.port()}, quota, TimeOf::caller) {}
  test::RedisServer server;
  RedisStore store;
};
#define STORES InMemory, InRedis
#else
#define STORES InMemory
#endif

}  // namespace

TEMPLATE_TEST_CASE("a key is admitted up to its amount and refused until its window has room", "", STORES) {
  TestType kept(two_per_ten_seconds());
  CHECK(kept.store.take({token}, at(0s)).admitted);
  CHECK(kept.store.take({token}, at(1s)).admitted);
  const Decision refused = kept.store.take({token}, at(2s));
  CHECK_FALSE(refused.admitted);
  CHECK(refused.scope == Scope::token);
  CHECK(refused.free_at == at(10s));
  CHECK(kept.store.take({token}, at(10s)).admitted);
  CHECK_FALSE(kept.store.take({token}, at(10'999ms)).admitted);
  CHECK(kept.store.take({token}, at(11s)).admitted);
}

TEMPLATE_TEST_CASE("a fixed window ends at a multiple of its length", "", STORES) {
  TestType kept({.amount = 2, .window = 10s, .kind = WindowKind::fixed});
  CHECK(kept.store.take({token}, at(7s)).admitted);
  CHECK(kept.store.take({token}, at(9s)).admitted);
  CHECK(kept.store.take({token}, at(9'999ms)).free_at == at(10s));
  CHECK(kept.store.take({token}, at(10s)).admitted);
  CHECK(kept.store.take({token}, at(10s)).admitted);
  CHECK(kept.store.take({token}, at(12s)).free_at == at(20s));
  CHECK(kept.store.used(token, at(19s)) == 2);
  CHECK(kept.store.used(token, at(20s)) == 0);
}

TEMPLATE_TEST_CASE("a first-request window opens with the first request after the last one", "", STORES) {
  TestType kept({.amount = 2, .window = 10s, .kind = WindowKind::first_request});
  CHECK(kept.store.take({token}, at(7s)).admitted);
  CHECK(kept.store.take({token}, at(16s)).admitted);
  CHECK(kept.store.take({token}, at(16s)).free_at == at(17s));
  CHECK(kept.store.take({token}, at(21s)).admitted);
  CHECK(kept.store.used(token, at(30'999ms)) == 1);
  CHECK(kept.store.used(token, at(31s)) == 0);
}

TEMPLATE_TEST_CASE("keys are counted apart even when they share a name", "", STORES) {
  TestType kept({.amount = 1, .window = 10s});
  CHECK(kept.store.take({{Scope::token, "x"}}, at(0s)).admitted);
  CHECK(kept.store.take({{Scope::ip, "x"}}, at(0s)).admitted);
}

TEMPLATE_TEST_CASE("a request that one key refuses is counted for none", "", STORES) {
  TestType kept(two_per_ten_seconds());
  kept.store.take({token, ip}, at(0s));
  kept.store.take({token, ip}, at(1s));
  CHECK(kept.store.take({other_token, ip}, at(2s)).scope == Scope::ip);
  CHECK(kept.store.used(other_token, at(2s)) == 0);
  CHECK(kept.store.used(ip, at(2s)) == 2);
}

TEMPLATE_TEST_CASE("with several full keys the answer names the one that has room last", "", STORES) {
  TestType kept(two_per_ten_seconds());
  kept.store.take({token}, at(0s));
  kept.store.take({token}, at(0s));
  kept.store.take({ip}, at(5s));
  kept.store.take({ip}, at(5s));
  for (const auto& keys : {std::vector{token, ip}, std::vector{ip, token}}) {
    const Decision decision = kept.store.take(keys, at(6s));
    CHECK(decision.scope == Scope::ip);
    CHECK(decision.free_at == at(15s));
  }
}

TEMPLATE_TEST_CASE("where refused requests count each knock lengthens the block", "", STORES) {
  Quota quota = two_per_ten_seconds();
  quota.count_refused = true;
  TestType kept(quota);
  kept.store.take({token}, at(0s));
  kept.store.take({token}, at(1s));
  CHECK(kept.store.take({token}, at(2s)).free_at == at(10s));
  CHECK(kept.store.take({token}, at(3s)).free_at == at(11s));
  CHECK_FALSE(kept.store.take({token}, at(11s)).admitted);
}

TEMPLATE_TEST_CASE("a key never seen has used nothing", "", STORES) {
  TestType kept(two_per_ten_seconds());
  CHECK(kept.store.used(token, at(0s)) == 0);
}
