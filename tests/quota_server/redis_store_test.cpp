// What only a store elsewhere has to do: be shared, be lost, come back, and show nobody a token.

#ifdef QUOTA_SERVER_HAS_REDIS

#include "redis_store.hpp"

#include <thread>

#include "at.hpp"
#include "catch_compat.hpp"
#include "support/redis_server.hpp"

using namespace quota_server;
using namespace std::chrono_literals;
using test::at;
using test::ContainsSubstring;
using test::RedisServer;

namespace {

const Key token{Scope::token, "canary-token"};
const Key ip{Scope::ip, "10.0.0.1"};

RedisAddress address_of(const RedisServer& server) { return {"127.0.0.1", server.port()}; }

}  // namespace

TEST_CASE("servers with one store count as one") {
  RedisServer server;
  const Quota quota{.amount = 100, .window = 1h};
  std::vector<std::thread> servers;
  std::atomic<int> admitted{0};
  for (int number = 0; number < 4; ++number) {
    servers.emplace_back([&] {
      RedisStore store(address_of(server), quota);
      for (int request = 0; request < 50; ++request) admitted += store.take({token, ip}, at(0s)).admitted;
    });
  }
  for (std::thread& thread : servers) thread.join();
  CHECK(admitted == 100);
  CHECK(RedisStore(address_of(server), quota).used(ip, at(0s)) == 100);
}

TEST_CASE("the time that counts is the store's own") {
  RedisServer server;
  RedisStore store(address_of(server), {.amount = 1, .window = 1h, .kind = WindowKind::rolling});
  CHECK(store.take({token}, at(0s)).admitted);
  const Decision later = store.take({token}, at(100h));
  CHECK_FALSE(later.admitted);
  CHECK(later.free_at > at(100h));
  CHECK(later.free_at <= at(101h));
}

TEST_CASE("what counts expires in the store and shows no token") {
  RedisServer server;
  const Quota quota{.amount = 5, .window = 1h, .kind = WindowKind::rolling};
  RedisStore(address_of(server), quota).take({token, ip}, at(0s));
  const std::string keys = server.command({"--scan"});
  CHECK_THAT(keys, ContainsSubstring("quota_server:{rolling:3600000000}:") && !ContainsSubstring("canary"));
  const std::string key = keys.substr(0, keys.find('\n'));
  const int left = std::stoi(server.command({"TTL", key}));
  CHECK(left > 3590);
  CHECK(left <= 3602);
}

TEST_CASE("a store that is gone says so and is found again when it is back") {
  RedisServer server;
  RedisStore store(address_of(server), {.amount = 5, .window = 1h});
  CHECK(store.take({token}, at(0s)).admitted);
  server.stop();
  const std::string where = "redis://127.0.0.1:" + std::to_string(server.port()) + ", cannot be asked";
  CHECK_THROWS_WITH(store.take({token}, at(1s)), ContainsSubstring(where));
  server.start();
  CHECK_THROWS_AS(store.take({token}, at(1s)), StoreUnavailable);
  CHECK(store.take({token}, at(2s)).admitted);
}

TEST_CASE("a store that stands still is given up after a moment") {
  RedisServer server;
  RedisStore store(address_of(server), {.amount = 5, .window = 1h});
  CHECK(store.take({token}, at(0s)).admitted);
  server.pause();
  CHECK_THROWS_AS(store.take({token}, at(1s)), StoreUnavailable);
  server.resume();
  CHECK(store.take({token}, at(2s)).admitted);
}

TEST_CASE("an address names host and port and perhaps a database") {
  CHECK(parse_redis_address("redis://127.0.0.1:7000").port == 7000);
  CHECK(parse_redis_address("redis://store").port == 6379);
  CHECK(parse_redis_address("redis://store:7000/3").database == 3);
  CHECK(to_text(parse_redis_address("redis://[::1]:7000/")) == "redis://[::1]:7000");
  for (const char* unfit : {"127.0.0.1:7000", "redis://", "redis://:7000", "redis://a:b", "redis://a:70000",
                            "redis://a:1/x", "redis://user:word@a:1"}) {
    CHECK_THROWS_AS(parse_redis_address(unfit), std::invalid_argument);
  }
}

#endif
