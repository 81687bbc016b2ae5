#pragma once
// The client as the benchmarks use it: four tokens with a limit each that is never reached, and as many
// asynchronous calls in flight as are asked for.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <string>

#include "bare.hpp"
#include "tokenpool/client.hpp"

namespace benchmarks {

using Client = tokenpool::Client<>;

inline std::unique_ptr<Client> make_client(const std::string& base_url) {
  return std::make_unique<Client>(tokenpool::ClientOptions{
      .base_url = base_url,
      .tokens = tokenpool::parse_tokens("sk-bench-1,sk-bench-2,sk-bench-3,sk-bench-4"),
      .limits = {tokenpool::Limit::per_token(100'000'000, std::chrono::hours(24))}});
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

}  // namespace benchmarks
