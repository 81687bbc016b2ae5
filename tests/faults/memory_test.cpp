// Memory that runs out: a call is made again and again, each time with another of its allocations refused. It
// ends once, be it in std::bad_alloc, and leaves a client that goes on with every token and no lease lost.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <limits>
#include <new>
#include <string>

#include "catch_compat.hpp"
#include "support/client.hpp"
#include "support/scripted_server.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

constexpr long never = (std::numeric_limits<long>::max)();
std::atomic<long> allocations_left{never};
thread_local bool is_the_clients = false;  ///< the server's threads always get what they ask for

void* allocate(std::size_t size) {
  if (is_the_clients && allocations_left != never && allocations_left-- == 0) {
    allocations_left = never;
    throw std::bad_alloc();
  }
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

/// The next allocation but `number` is refused, once; whether it came to that.
class Refusal {
 public:
  explicit Refusal(long number) { allocations_left = number; }
  Refusal(const Refusal&) = delete;
  Refusal& operator=(const Refusal&) = delete;
  ~Refusal() { allocations_left = never; }
  [[nodiscard]] static bool came() { return allocations_left == never; }
};

ClientOptions options_for(const test::ScriptedServer& server) {
  ClientOptions options{.base_url = server.origin(),
                        .tokens = parse_tokens("sk-canary-0,sk-canary-1"),
                        .limits = {Limit::per_token(100'000, 1h), Limit::per_egress(100'000, 1h)},
                        .egress = {{.id = "here"}}};
  options.retry.backoff = {.first = 1ms, .max = 1ms};
  options.timeouts.total = 20s;
  return options;
}

Request a_request() {
  return {.method = "POST",
          .path = "/a/path/that/no/small/string/holds",
          .headers = {{"X-A-Header", "a value that no small string holds either"}},
          .body = std::string(100, 'x')};
}

void check_nothing_is_held(Client<>& client) {
  const PoolSnapshot now = client.stats();
  CHECK(now.pool.waiting == 0);
  CHECK(now.egresses.at(0).in_flight == 0);
  CHECK(std::all_of(now.tokens.begin(), now.tokens.end(),
                    [](const auto& token) { return token.in_flight == 0; }));
  CHECK(client.send(a_request()).ok());
  CHECK(client.send(a_request()).ok());
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

/// Makes calls with `call`, which says whether it came to the refusal, each with another allocation refused,
/// until one needs fewer than that.
template <class Call>
void refuse_each_allocation(Client<>& client, const Call& call) {
  bool came = true;
  long number = 0;
  for (; came; ++number) {
    INFO("allocation " << number);
    REQUIRE(number < 2000);
    came = call(a_request(), number);
    check_nothing_is_held(client);
  }
  CHECK(number > 10);
}

/// Refuses each second request for its token, so that a call walks on to the other one.
test::Turn refusing_by_turns() {
  static std::atomic<unsigned> turns{0};
  return turns++ % 2 == 0 ? test::Turn{.bytes = test::http(429, "{}", "Retry-After-Ms: 1\r\n")}
                          : test::Turn{.bytes = "echo"};
}

TEST_CASE("a blocking call whose memory runs out at any allocation leaves the client whole") {
  test::ScriptedServer server(refusing_by_turns);
  Client<> client(options_for(server));
  is_the_clients = true;
  refuse_each_allocation(client, [&](const Request& request, long number) {
    const Refusal refusal(number);
    try {
      static_cast<void>(client.try_send(request));
    } catch (const std::bad_alloc&) {
    }
    return Refusal::came();
  });
}

TEST_CASE("an asynchronous call whose memory runs out at any allocation ends once") {
  test::ScriptedServer server(refusing_by_turns);
  Client<> client(options_for(server));
  is_the_clients = true;
  std::promise<void> marked;
  client.send_async(a_request(), [&](const Result<Response>&) {
    is_the_clients = true;
    marked.set_value();
  });
  marked.get_future().wait();
  refuse_each_allocation(client, [&](const Request& request, long number) {
    std::promise<void> over;
    std::atomic<int> ends{0};
    bool began = false;
    const Refusal refusal(number);
    try {
      client.send_async(request, [&](const Result<Response>&) {
        if (++ends == 1) over.set_value();
      });
      began = true;
    } catch (const std::bad_alloc&) {
    }
    if (began) {
      REQUIRE(over.get_future().wait_for(30s) == std::future_status::ready);
    }
    const bool came = Refusal::came();
    CHECK(ends == (began ? 1 : 0));
    return came;
  });
}
