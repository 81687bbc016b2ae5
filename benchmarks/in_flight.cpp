// Many requests in flight on one thread: a bare multi handle with curl_multi_poll, one with
// curl_multi_socket_action and epoll, and send_async, whose callbacks send the next request. The heap's
// growth per request in flight is measured while a slow server keeps all of them waiting.
//
//   in_flight_benchmark [REQUESTS ROUNDS]
//   in_flight_benchmark poll|epoll|client IN_FLIGHT REQUESTS    # one of them alone, for callgrind or perf

#include <malloc.h>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bare.hpp"
#include "flight.hpp"
#include "rounds.hpp"
#include "server.hpp"

namespace {

using namespace benchmarks;
using namespace std::chrono_literals;

void compare_speed(std::chrono::milliseconds delay, std::size_t in_flight, std::size_t requests,
                   std::size_t count) {
  const Server server(delay);
  BarePoll poll(server.base_url(), in_flight);
  BareEpoll epoll(server.base_url(), in_flight);
  const auto client = make_client(server.base_url());
  Flight flight(*client, in_flight);
  std::vector<std::vector<double>> cpu(3);
  const Rounds rounds(
      {{"bare curl_multi_poll", [&] { return per_second(requests, cpu[0], [&] { poll.run(requests); }); }},
       {"bare epoll", [&] { return per_second(requests, cpu[1], [&] { epoll.run(requests); }); }},
       {"send_async", [&] { return per_second(requests, cpu[2], [&] { flight.run(requests); }); }}},
      count);
  const std::size_t better = rounds.median(0) >= rounds.median(1) ? 0 : 1;
  std::cout << in_flight << " in flight, answers after " << delay.count()
            << " ms, requests/s and ratio to the better bare loop\n";
  rounds.print(better);
  const std::string name = "in_flight_" + std::to_string(in_flight) + (delay == 0ms ? "" : "_slow");
  rounds.keep(name);
  report_cpu(name + "_cpu", {"bare curl_multi_poll", "bare epoll", "send_async"}, std::move(cpu));
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
  keep_figures("in_flight_memory", {"bare", "send_async"}, {{of_bare}, {of_client}});
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
  for (const std::size_t in_flight : {8U, 64U, 512U, 2048U}) {
    compare_speed(0ms, in_flight, requests, rounds);
  }
  compare_speed(20ms, 512, requests, rounds);
}
