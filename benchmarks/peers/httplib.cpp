// cpp-httplib as a peer of the comparison: a kept-alive client for each thread.   httplib_peer BASE_URL

#include <httplib.h>

#include <deque>
#include <string>

#include "bare.hpp"
#include "peers/turns.hpp"

int main(int count, char** words) {
  benchmarks::need(count == 2, "give a base URL");
  const std::string base_url = words[1];
  const std::string origin = base_url.substr(0, base_url.rfind('/'));
  const std::string path = base_url.substr(origin.size()) + "/chat/completions";
  const httplib::Headers headers{{"Authorization", "Bearer sk-bench-1"}, {"Accept", "application/json"}};
  std::deque<httplib::Client> clients;
  benchmarks::take_turns([&](std::size_t requests, std::size_t in_flight) {
    while (clients.size() < in_flight) {
      clients.emplace_back(origin);
      clients.back().set_keep_alive(true);
      clients.back().set_tcp_nodelay(true);
    }
    benchmarks::from_threads(requests, in_flight, [&](std::size_t thread) {
      const auto result = clients[thread].Post(path, headers, benchmarks::request_body, "application/json");
      benchmarks::need(result && result->status == 200, "a request failed");
    });
  });
}
