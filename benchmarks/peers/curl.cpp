// libcurl by hand, and tokenpool over it, as peers of the comparison.
//
//   curl_peer bare BASE_URL [HEADER...]     # an easy handle; with more than one in flight a multi handle
//   curl_peer threads BASE_URL              # an easy handle for each thread
//   curl_peer blocking|async BASE_URL       # Client: try_send, from a thread for each in flight; send_async

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "flight.hpp"
#include "peers/turns.hpp"
#include "server.hpp"

namespace {

using namespace benchmarks;

void bare(const std::string& base_url, const std::vector<std::string>& more_headers) {
  BareEasy easy(base_url, more_headers);
  std::map<std::size_t, std::unique_ptr<BareMulti>> loops;
  take_turns([&](std::size_t requests, std::size_t in_flight) {
    if (in_flight == 1) {
      for (std::size_t i = 0; i < requests; ++i) {
        need(easy.post(), "a request failed");
      }
      return;
    }
    auto& loop = loops[in_flight];
    if (!loop) {
      loop = std::make_unique<BarePoll>(base_url, in_flight, more_headers);
    }
    loop->run(requests);
  });
}

void threads(const std::string& base_url) {
  std::deque<BareEasy> handles;
  take_turns([&](std::size_t requests, std::size_t in_flight) {
    while (handles.size() < in_flight) {
      handles.emplace_back(base_url);
    }
    from_threads(requests, in_flight,
                 [&](std::size_t thread) { need(handles[thread].post(), "a request failed"); });
  });
}

void blocking(Client& client) {
  const auto post = [&](std::size_t) {
    const auto result =
        client.try_send({.method = "POST", .path = "/chat/completions", .body = request_body});
    need(result && result->ok(), "a request failed");
  };
  take_turns([&](std::size_t requests, std::size_t in_flight) { from_threads(requests, in_flight, post); });
}

void async(Client& client) {
  std::map<std::size_t, std::unique_ptr<Flight>> flights;
  take_turns([&](std::size_t requests, std::size_t in_flight) {
    auto& flight = flights[in_flight];
    if (!flight) {
      flight = std::make_unique<Flight>(client, in_flight);
    }
    flight->run(requests);
  });
}

}  // namespace

int main(int count, char** words) {
  need(count >= 3, "give bare, threads, blocking or async, and a base URL");
  raise_file_limit();
  const std::string kind = words[1];
  const std::string base_url = words[2];
  if (kind == "bare") {
    bare(base_url, {words + 3, words + count});
  } else if (kind == "threads") {
    threads(base_url);
  } else {
    const auto client = make_client(base_url);
    kind == "blocking" ? blocking(*client) : async(*client);
  }
}
