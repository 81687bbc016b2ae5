// A server that takes 20 seconds, and two callers that do not. Both ends take effect at once, wherever the
// call is: waiting for a token, connecting, receiving or backing off.
//
// server: --tokens sk-alpha --delay 20s

#include <chrono>
#include <iostream>
#include <thread>
#include <tokenpool/tokenpool.hpp>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  tokenpool::Client<> client{{
      .base_url = argc > 1 ? argv[1] : "https://api.example.com/v1",
      .tokens = tokenpool::tokens_from_env("TOKENS"),
      .timeouts = {.total = 60s},  // of a call that has no deadline of its own
  }};
  const auto began = std::chrono::steady_clock::now();

  // From the call's entry, with all its waits and attempts.
  const auto hurried = client.try_send({.path = "/models", .deadline = 100ms});
  std::cout << "with a deadline: " << to_string(hurried.error().code()) << '\n';

  // One source cancels every call that has one of its tokens; from any thread.
  const tokenpool::CancelSource stop;
  std::thread user([&stop] {
    std::this_thread::sleep_for(100ms);
    stop.cancel();
  });
  const auto stopped = client.try_send({.path = "/models", .cancel = stop.token()});
  std::cout << "when the user has left: " << to_string(stopped.error().code()) << '\n';
  user.join();

  const bool early = std::chrono::steady_clock::now() - began < 10s;
  std::cout << (early ? "long before the server's answer\n" : "too late\n");
}

// prints:
//   with a deadline: deadline_exceeded
//   when the user has left: cancelled
//   long before the server's answer
