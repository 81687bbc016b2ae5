// Many requests in flight on one thread: a bare multi handle with curl_multi_poll, one with
// curl_multi_socket_action and epoll, and send_async, whose callbacks send the next request. The heap's
// growth per request in flight is measured while a slow server keeps all of them waiting.
//
//   in_flight_benchmark [REQUESTS ROUNDS]
//   in_flight_benchmark poll|epoll|client IN_FLIGHT REQUESTS    # one of them alone, for callgrind or perf

#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "bare.hpp"
#include "rounds.hpp"
#include "server.hpp"
#include "tokenpool/client.hpp"

namespace {

using namespace benchmarks;
using namespace std::chrono_literals;

using Client = tokenpool::Client<>;

std::unique_ptr<Client> make_client(const std::string& base_url) {
  return std::make_unique<Client>(tokenpool::ClientOptions{
      .base_url = base_url,
      .tokens = tokenpool::parse_tokens("sk-bench-1,sk-bench-2,sk-bench-3,sk-bench-4"),
      .limits = {tokenpool::Limit::per_token(100'000'000, 24h)}});
}

/// Keeps requests in flight until enough are answered. All but run() happens on the client's loop.
class Flight {
 public:
  Flight(Client& client, std::size_t in_flight) : client_(client), in_flight_(in_flight) {}

  void run(std::size_t requests) {
    start(requests);
    done_.get_future().wait();
  }

  void start(std::size_t requests) {
    to_end_ = requests;
    to_begin_ = static_cast<std::int64_t>(requests);
    done_ = std::promise<void>();
    for (std::size_t i = 0; i < in_flight_; ++i) {
      send();
    }
  }
  void wait() { done_.get_future().wait(); }

 private:
  void send() {
    if (to_begin_.fetch_sub(1) <= 0) {
      return;
    }
    client_.send_async({.method = "POST", .path = "/chat/completions", .body = request_body},
                       [this](const tokenpool::Result<tokenpool::Response>& result) {
                         need(result && result->ok(),
                              result ? "an answer is no success" : "a request failed");
                         --to_end_ == 0 ? done_.set_value() : send();
                       });
  }

  Client& client_;
  std::size_t in_flight_;
  std::atomic<std::int64_t> to_begin_{};
  std::size_t to_end_{};
  std::promise<void> done_;
};

template <class Run>
double per_second(const Run& run, std::size_t requests) {
  const auto began = std::chrono::steady_clock::now();
  run(requests);
  return static_cast<double>(requests) /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

void compare_speed(const std::string& name, const std::string& base_url, std::size_t in_flight,
                   std::size_t requests, std::size_t count) {
  BarePoll poll(base_url, in_flight);
  BareEpoll epoll(base_url, in_flight);
  const auto client = make_client(base_url);
  Flight flight(*client, in_flight);
  const auto rate = [requests](auto& subject) {
    return [&subject, requests] {
      return per_second([&subject](std::size_t number) { subject.run(number); }, requests);
    };
  };
  const Rounds rounds(
      {{"bare curl_multi_poll", rate(poll)}, {"bare epoll", rate(epoll)}, {"send_async", rate(flight)}},
      count);
  const std::size_t better = rounds.median(0) >= rounds.median(1) ? 0 : 1;
  std::cout << in_flight << " in flight, " << name << ", requests/s and ratio to the better bare loop\n";
  rounds.print(better);
}

double heap() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

/// Bytes of heap for each of `in_flight` requests that wait for their answers, connections included.
void compare_memory(std::size_t in_flight) {
  const Server slow(1500ms);
  const auto count = static_cast<double>(in_flight);
  double before = heap();
  double of_bare = 0;
  {
    BarePoll bare(slow.base_url(), in_flight);
    bare.start(in_flight);
    const auto until = std::chrono::steady_clock::now() + 1s;
    while (std::chrono::steady_clock::now() < until && bare.left() == in_flight) {
      bare.step();
    }
    of_bare = (heap() - before) / count;
    while (bare.left() != 0) {
      bare.step();
    }
  }
  const auto client = make_client(slow.base_url());
  Flight(*client, 1).run(1);
  before = heap();
  Flight flight(*client, in_flight);
  flight.start(in_flight);
  std::this_thread::sleep_for(1s);
  const double of_client = (heap() - before) / count;
  flight.wait();
  std::cout << "bytes of heap per request in flight: bare " << of_bare << ", send_async " << of_client
            << ", difference " << of_client - of_bare << '\n';
}

void run_one(const std::string& kind, std::size_t in_flight, std::size_t requests) {
  const Server server;
  if (kind == "poll") {
    BarePoll(server.base_url(), in_flight).run(requests);
  } else if (kind == "epoll") {
    BareEpoll(server.base_url(), in_flight).run(requests);
  } else {
    const auto client = make_client(server.base_url());
    Flight(*client, in_flight).run(requests);
  }
}

}  // namespace

int main(int count, char** words) {
  raise_file_limit();
  if (count == 4) {
    run_one(words[1], std::stoul(words[2]), std::stoul(words[3]));
    return 0;
  }
  const std::size_t requests = count > 1 ? std::stoul(words[1]) : 10'000;
  const std::size_t rounds = count > 2 ? std::stoul(words[2]) : 7;
  compare_memory(512);
  {
    const Server server;
    compare_speed("server answers at once", server.base_url(), 64, requests, rounds);
    compare_speed("server answers at once", server.base_url(), 512, requests, rounds);
  }
  const Server slow(20ms);
  compare_speed("server answers after 20 ms", slow.base_url(), 512, requests, rounds);
}
