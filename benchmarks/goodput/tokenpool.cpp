// A program over a rate-limited server with tokenpool: as many callers as are asked for share one Client.
//
//   tokenpool_caller BASE_URL TOKENS POLICY LIMITS
//
// LIMITS: "unknown", or what the server allows, for example "token=50/2000,egress=50/2000" (requests per
// milliseconds). What comes in and goes out is said in goodput/compare.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "bare.hpp"
#include "tokenpool/client.hpp"

namespace {

using namespace std::chrono_literals;
using benchmarks::need;
using Clock = std::chrono::steady_clock;
using Client = tokenpool::Client<tokenpool::AnyPolicy>;

std::vector<tokenpool::Limit> limits_of(const std::string& text) {
  std::vector<tokenpool::Limit> limits;
  std::istringstream words(text == "unknown" ? "" : text);
  for (std::string scope, amount, window; std::getline(words, scope, '=') &&
                                          std::getline(words, amount, '/') &&
                                          std::getline(words, window, ',');) {
    const std::chrono::milliseconds length(std::stoll(window));
    limits.push_back(scope == "token" ? tokenpool::Limit::per_token(std::stoll(amount), length)
                                      : tokenpool::Limit::per_egress(std::stoll(amount), length));
  }
  return limits;
}

/// How long each call took, in milliseconds, apart by how it ended.
struct Ends {
  std::mutex mutex;
  std::vector<double> answered;
  std::vector<double> lost;
};

void print(const char* name, const std::vector<double>& values) {
  std::cout << '"' << name << "\":[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::cout << (i == 0 ? "" : ",") << values[i];
  }
  std::cout << ']';
}

/// One caller: the next call at its time, or at once when that is past, until the end.
void call_on(Client& client, std::atomic<std::int64_t>& next, Clock::time_point began, Clock::time_point end,
             std::chrono::microseconds interval, const tokenpool::CancelToken& cancel, Ends& ends) {
  for (;;) {
    std::this_thread::sleep_until((std::min)(began + interval * next++, end));
    const auto sent = Clock::now();
    if (sent >= end) {
      return;
    }
    const auto result = client.try_send(
        {.method = "POST", .path = "/chat/completions", .body = benchmarks::request_body, .cancel = cancel});
    const auto now = Clock::now();
    if (now < end) {
      const std::lock_guard lock(ends.mutex);
      (result && result->ok() ? ends.answered : ends.lost)
          .push_back(std::chrono::duration<double, std::milli>(now - sent).count());
    }
  }
}

}  // namespace

int main(int count, char** words) {
  need(count == 5, "give a base URL, tokens, a policy and limits");
  Client client{
      {.base_url = words[1], .tokens = tokenpool::parse_tokens(words[2]), .limits = limits_of(words[4])},
      tokenpool::AnyPolicy(words[3])};
  std::cout << "ready" << std::endl;
  double seconds = 0;
  double interval = 0;
  std::size_t callers = 0;
  std::cin >> seconds >> interval >> callers;
  Ends ends;
  const tokenpool::CancelSource cancel;
  std::atomic<std::int64_t> next{0};
  std::vector<std::thread> running;
  const auto began = Clock::now();
  const auto end =
      began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (std::size_t i = 0; i < callers; ++i) {
    running.emplace_back([&] {
      call_on(client, next, began, end, std::chrono::microseconds(static_cast<std::int64_t>(interval * 1e3)),
              cancel.token(), ends);
    });
  }
  std::this_thread::sleep_until(end);
  cancel.cancel();
  for (std::thread& caller : running) {
    caller.join();
  }
  std::cout << '{';
  print("answered", ends.answered);
  std::cout << ',';
  print("lost", ends.lost);
  std::cout << '}' << std::endl;
}
