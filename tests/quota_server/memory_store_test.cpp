#include "memory_store.hpp"

#include "at.hpp"
#include "catch_compat.hpp"

using namespace quota_server;
using namespace std::chrono_literals;
using test::at;

namespace {

const Key token{Scope::token, "a"};
const Key other_token{Scope::token, "b"};
const Key ip{Scope::ip, "10.0.0.1"};

Quota two_per_ten_seconds() { return {.amount = 2, .window = 10s, .kind = WindowKind::rolling}; }

}  // namespace

TEST_CASE("a key is admitted up to its amount and refused until its window has room") {
  MemoryStore store(two_per_ten_seconds());
  CHECK(store.take({token}, at(0s)).admitted);
  CHECK(store.take({token}, at(1s)).admitted);
  const Decision refused = store.take({token}, at(2s));
  CHECK_FALSE(refused.admitted);
  CHECK(refused.scope == Scope::token);
  CHECK(refused.free_at == at(10s));
  CHECK(store.take({token}, at(10s)).admitted);
}

TEST_CASE("keys are counted apart even when they share a name") {
  MemoryStore store({.amount = 1, .window = 10s});
  CHECK(store.take({{Scope::token, "x"}}, at(0s)).admitted);
  CHECK(store.take({{Scope::ip, "x"}}, at(0s)).admitted);
}

TEST_CASE("a request that one key refuses is counted for none") {
  MemoryStore store(two_per_ten_seconds());
  store.take({token, ip}, at(0s));
  store.take({token, ip}, at(1s));
  CHECK(store.take({other_token, ip}, at(2s)).scope == Scope::ip);
  CHECK(store.used(other_token, at(2s)) == 0);
  CHECK(store.used(ip, at(2s)) == 2);
}

TEST_CASE("with several full keys the answer names the one that has room last") {
  MemoryStore store(two_per_ten_seconds());
  store.take({token}, at(0s));
  store.take({token}, at(0s));
  store.take({ip}, at(5s));
  store.take({ip}, at(5s));
  for (const auto& keys : {std::vector{token, ip}, std::vector{ip, token}}) {
    const Decision decision = store.take(keys, at(6s));
    CHECK(decision.scope == Scope::ip);
    CHECK(decision.free_at == at(15s));
  }
}

TEST_CASE("where refused requests count each knock lengthens the block") {
  Quota quota = two_per_ten_seconds();
  quota.count_refused = true;
  MemoryStore store(quota);
  store.take({token}, at(0s));
  store.take({token}, at(1s));
  CHECK(store.take({token}, at(2s)).free_at == at(10s));
  CHECK(store.take({token}, at(3s)).free_at == at(11s));
  CHECK_FALSE(store.take({token}, at(11s)).admitted);
}

TEST_CASE("a key never seen has used nothing") {
  MemoryStore store(two_per_ten_seconds());
  CHECK(store.used(token, at(0s)) == 0);
}
