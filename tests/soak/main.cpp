// Many calls, after which nothing may have grown and every one has to be accounted for.
//
//   soak simulated CALLS    through a transport on paper, with refusals and failures, on a clock that costs
//   no time soak sockets CALLS      to a server in a process of its own: half by threads, half asynchronously

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../../benchmarks/server.hpp"
#include "paper_server.hpp"
#include "tokenpool/client.hpp"
#include "usage.hpp"

namespace {

using namespace std::chrono_literals;
using tokenpool::Limit;

bool all_is_well = true;

void need(bool condition, const std::string& sentence) {
  all_is_well = all_is_well && condition;
  if (!condition) std::cout << "BROKEN: " << sentence << '\n';
}

void need_equal(std::uint64_t left, std::uint64_t right, const std::string& what) {
  need(left == right, what + ": " + std::to_string(left) + " and " + std::to_string(right));
}

/// Input, output, errors, and the list of descriptors while it is read; a test runner adds some.
constexpr std::size_t standard_descriptors = 12;

/// After a tenth of the calls everything is as large as it gets.
class Growth {
 public:
  void begin() { std::cout << "after a tenth:  " << (begin_ = soak::usage()) << '\n'; }
  /// `descriptors`: the most that may be open.
  void end(std::size_t descriptors) const {
    const soak::Usage end = soak::usage();
    std::cout << "at the end:     " << end << '\n';
    need(end.heap <= begin_.heap + (std::size_t{64} << 10U), "the heap grew");
    need(end.resident <= begin_.resident + (std::size_t{2} << 20U), "resident memory grew");
    need(end.descriptors <= descriptors, "more descriptors are open than " + std::to_string(descriptors));
  }

 private:
  soak::Usage begin_;
};

tokenpool::ClientOptions options(const std::string& base_url, std::vector<Limit> limits) {
  return {.base_url = base_url,
          .tokens = tokenpool::parse_tokens("sk-soak-1,sk-soak-2,sk-soak-3,sk-soak-4"),
          .limits = std::move(limits),
          .seed = 1};
}

struct Counted {
  std::uint64_t requests = 0, successes = 0, refused = 0, failures = 0;
};

/// What the pool says of all its tokens, which have to be at rest.
Counted counted(const tokenpool::PoolSnapshot& snapshot) {
  Counted sum;
  for (const tokenpool::TokenSnapshot& token : snapshot.tokens) {
    sum.requests += token.requests;
    sum.successes += token.successes;
    sum.refused += token.rate_limited;
    sum.failures += token.failures;
    need_equal(token.in_flight, 0, "in flight with " + token.id);
  }
  need_equal(snapshot.pool.waiting, 0, "calls in the queue");
  return sum;
}

void simulated(std::uint64_t calls) {
  tokenpool::testing::ManualClock clock;
  const auto server = std::make_shared<soak::PaperServer>(clock);
  tokenpool::Client<tokenpool::RoundRobin, soak::PaperServer, tokenpool::testing::ManualClock> client(
      options("https://host/v1",
              {Limit::per_token(100, 1s), Limit::per_token(20'000, 60s), Limit::per_egress(350, 1s)}),
      {}, server, std::make_shared<tokenpool::testing::ManualClock>(clock));
  Growth growth;
  std::uint64_t answered = 0;
  std::uint64_t succeeded = 0;
  for (std::uint64_t call = 0; call < calls; ++call) {
    if (call == calls / 10) growth.begin();
    const auto result = client.try_send(tokenpool::make_request("GET", "/x", {}, {}));
    answered += result ? 1 : 0;
    succeeded += result && result->ok() ? 1 : 0;
  }
  growth.end(standard_descriptors);
  const Counted pool = counted(client.stats());
  std::cout << calls << " calls: " << answered << " answered, " << pool.requests << " requests, "
            << pool.refused << " refused, " << pool.failures << " failed\n";
  need_equal(pool.requests, server->served().requests, "requests of the pool and of the server");
  need_equal(pool.successes, server->served().successes, "successes of the pool and of the server");
  need_equal(pool.refused, server->served().refused, "refusals of the pool and of the server");
  need_equal(pool.requests, pool.successes + pool.refused + pool.failures, "requests and their ends");
  need_equal(succeeded, server->served().successes, "successes of the caller and of the server");
}

using Client = tokenpool::Client<>;

/// Keeps `in_flight` asynchronous calls under way; the callbacks run on the client's own thread.
class Flight {
 public:
  explicit Flight(Client& client) : client_(client) {}

  /// Returns how many succeeded.
  std::uint64_t run(std::uint64_t calls, std::uint64_t in_flight) {
    to_begin_ = calls;
    to_end_ = calls;
    for (std::uint64_t i = 0; i < (std::min)(in_flight, calls); ++i) send();
    done_.get_future().wait();
    return succeeded_;
  }

 private:
  void send() {
    std::uint64_t left = to_begin_;
    while (left != 0 && !to_begin_.compare_exchange_weak(left, left - 1)) {
    }
    if (left == 0) return;
    client_.send_async({.method = "POST", .path = "/x", .body = "{}"},
                       [this](const tokenpool::Result<tokenpool::Response>& result) {
                         succeeded_ += result && result->ok() ? 1 : 0;
                         --to_end_ == 0 ? done_.set_value() : send();
                       });
  }

  Client& client_;
  std::atomic<std::uint64_t> to_begin_{};
  std::uint64_t to_end_{};
  std::uint64_t succeeded_{};
  std::promise<void> done_;
};

std::uint64_t by_threads(Client& client, std::uint64_t calls, std::uint64_t threads) {
  std::atomic<std::uint64_t> succeeded{};
  {
    std::vector<std::jthread> running;
    for (std::uint64_t thread = 0; thread < threads; ++thread) {
      running.emplace_back([&, mine = calls / threads + (thread < calls % threads ? 1 : 0)] {
        for (std::uint64_t call = 0; call < mine; ++call) {
          const auto result = client.try_send({.method = "POST", .path = "/x", .body = "{}"});
          succeeded += result && result->ok() ? 1 : 0;
        }
      });
    }
  }
  return succeeded;
}

void sockets(std::uint64_t calls) {
  constexpr std::size_t threads = 4;
  constexpr std::size_t in_flight = 64;
  const benchmarks::Server server;
  Client client(
      options(server.base_url(), {Limit::per_token(1'000'000'000, 24h), Limit::per_token(100'000'000, 1s)}));
  Growth growth;
  const auto both = [&client](std::uint64_t share) {
    const std::uint64_t blocking = by_threads(client, share / 2, threads);
    return blocking + Flight(client).run(share - share / 2, in_flight);
  };
  std::uint64_t succeeded = both(calls / 10);
  growth.begin();
  succeeded += both(calls - calls / 10);
  // A connection for each call at a time, and what waits for a thread's and for the loop's.
  growth.end(standard_descriptors + in_flight + threads + 4 * (threads + 1));
  const Counted pool = counted(client.stats());
  std::cout << calls << " calls: " << succeeded << " succeeded, " << pool.requests << " requests\n";
  need_equal(succeeded, calls, "calls and successes");
  need_equal(pool.successes, calls, "successes of the pool and calls");
  need_equal(pool.requests, calls, "requests and calls");
}

}  // namespace

int main(int count, char** words) {
  const std::string_view kind = count > 1 ? words[1] : "";
  const std::uint64_t calls = count > 2 ? std::strtoull(words[2], nullptr, 10) : 0;
  if ((kind != "simulated" && kind != "sockets") || calls < 1000) {
    std::cerr << "usage: soak simulated|sockets CALLS (at least 1000)\n";
    return 2;
  }
  kind == "simulated" ? simulated(calls) : sockets(calls);
  if (all_is_well) std::cout << "nothing grew, every call is accounted for\n";
  return all_is_well ? 0 : 1;
}
