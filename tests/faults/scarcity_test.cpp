// What a machine may run out of, and a clock that is set while calls go on. CMakeLists.txt runs each case in
// the surroundings that it needs.

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "catch_compat.hpp"
#include "support/client.hpp"
#include "support/quota_server.hpp"
#include "tokenpool/ledger/sqlite.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;

namespace {

ClientOptions options_for(const test::QuotaServer& server) {
  ClientOptions options{.base_url = server.base_url(),
                        .tokens = parse_tokens("sk-canary-a,sk-canary-b"),
                        .egress = {{.id = "here"}}};
  options.retry.backoff = {.first = 1ms, .max = 2ms};
  options.timeouts = {.connect = 5s, .total = 20s};
  return options;
}

Request question() {
  return {.method = "POST",
          .path = "/chat/completions",
          .body = R"({"model": "demo", "messages": [{"role": "user", "content": "Hello"}]})"};
}

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

/// No more descriptors than there are now, while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{static_cast<rlim_t>(open_descriptors()) - 1, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

/// What the surroundings have set for this case.
std::string given(const char* name) {
  const char* const text = std::getenv(name);
  if (text == nullptr) FAIL(name << " is not set: run this case by ctest");
  return text;
}

}  // namespace

TEST_CASE("calls without a descriptor end in an error and the client goes on when there are some again") {
  const test::QuotaServer server({"--tokens", "sk-canary-a,sk-canary-b", "--limit", "1000"});
  const std::ptrdiff_t before = open_descriptors();
  {
    Client<> client(options_for(server));
    REQUIRE(client.send(question()).ok());
    REQUIRE(client.send_async(question()).get().ok());
    std::vector<std::future<Response>> calls;
    int failed = 0;
    {
      const NoDescriptors none;
      for (int call = 0; call < 20; ++call) calls.push_back(client.send_async(question()));
      for (auto& call : calls) {
        try {
          static_cast<void>(call.get());
        } catch (const Error& error) {
          ++failed;
          CHECK(error.code() == ErrorCode::network);
          CHECK_THAT(error.what(), !ContainsSubstring("canary"));
        }
      }
      std::vector<std::thread> callers;
      std::atomic<int> ends{0};
      for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([&] {
          try {
            const auto result = client.try_send(question());
            ends += result || result.error().code() == ErrorCode::network ? 1 : 0;
          } catch (const std::bad_alloc&) {  // libcurl could make no handle
            ++ends;
          }
        });
      }
      for (std::thread& caller : callers) caller.join();
      CHECK(ends == 4);
    }
    CHECK(failed > 0);
    const PoolSnapshot now = client.stats();
    CHECK(std::all_of(now.tokens.begin(), now.tokens.end(),
                      [](const auto& token) { return token.in_flight == 0; }));
    // The way out may rest after that many failures.
    Result<Response> after = client.try_send(question());
    for (int tries = 0; !after && tries < 100; ++tries) {
      std::this_thread::sleep_for(100ms);
      after = client.try_send(question());
    }
    CHECK(after.has_value());
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("a full disk under the ledger ends calls with a clear error and loses no count") {
  const std::filesystem::path disk = given("TOKENPOOL_TEST_DISK");
  const test::QuotaServer server({"--tokens", "sk-canary-a,sk-canary-b", "--limit", "12", "--window", "1h"});
  ClientOptions options = options_for(server);
  options.limits = {Limit::per_token(12, 1h)};
  options.retry.max_wait = 0ms;
  options.ledger = std::make_shared<SqliteLedger>(SqliteOptions{.path = (disk / "counts.db").string()});
  options.ledger_options.republish_within = 0ms;
  int answered = 0;
  {
    Client<> client(options);
    for (; answered < 6; ++answered) REQUIRE(client.send(question()).ok());
    std::ofstream filler(disk / "filler", std::ios::binary);
    while (filler << std::string(4096, 'x') << std::flush) {
    }
    int refused = 0;
    for (int call = 0; call < 40; ++call) {
      const Result<Response> result = client.try_send(question());
      answered += result ? 1 : 0;
      if (!result && result.error().code() == ErrorCode::ledger) {
        ++refused;
        CHECK_THAT(result.error().what(), ContainsSubstring("full") && !ContainsSubstring("canary"));
      }
    }
    CHECK(refused > 0);
    std::filesystem::remove(disk / "filler");
    for (int call = 0; call < 30; ++call) answered += client.try_send(question()) ? 1 : 0;
  }
  CHECK(answered <= 24);
  const auto counts = server.counts();
  for (const auto& token : counts["tokens"]) CHECK(token["refused"] == 0);
}

TEST_CASE("a wall clock that is set back and forth changes no limit") {
  const std::string clock = given("FAKETIME_TIMESTAMP_FILE");
  const auto set_clock = [&](const char* offset) { std::ofstream(clock) << offset << '\n'; };
  set_clock("+0");
  const auto honest = std::chrono::system_clock::now();
  const test::QuotaServer server({"--tokens", "sk-canary-a,sk-canary-b", "--limit", "3", "--window", "1500ms",
                                  "--window-kind", "rolling"});
  ClientOptions options = options_for(server);
  options.limits = {Limit::per_token(3, 1500ms)};
  Client<> client(options);
  const char* const offsets[] = {"+1d", "-2d", "+0", "-1h"};
  for (const char* offset : offsets) {
    set_clock(offset);
    for (int call = 0; call < 6; ++call) REQUIRE(client.send(question()).ok());
  }
  const auto moved = std::chrono::system_clock::now() - honest;
  CHECK(moved < -30min);
  const auto counts = server.counts();
  for (const auto& token : counts["tokens"]) CHECK(token["refused"] == 0);
  set_clock("+0");
}
