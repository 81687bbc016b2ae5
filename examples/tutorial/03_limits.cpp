// What the server allows, told to the client: it waits where a wait is short, gives up where it is long, and
// meets no 429 in either case.
//
// server: --tokens sk-alpha,sk-beta --limit 3 --window 24h

#include <chrono>
#include <iostream>
#include <tokenpool/tokenpool.hpp>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  tokenpool::Client<> client{{
      .base_url = argc > 1 ? argv[1] : "https://api.example.com/v1",
      .tokens = tokenpool::tokens_from_env("TOKENS"),
      .limits = {tokenpool::Limit::per_token(3, 24h),    // both hold
                 tokenpool::Limit::per_pool(2, 200ms)},  // no more than two at a time, whoever sends them
      .retry = {.max_wait = 5s},                         // the longest wait that makes sense here
  }};

  int refused = 0;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 6; ++i) {
    for (const tokenpool::Attempt& attempt : client.get("/models").attempts) {
      refused += attempt.status == 429 ? 1 : 0;
    }
  }
  const bool waited = std::chrono::steady_clock::now() - began >= 400ms;
  std::cout << "6 answered, " << refused << " refused, the pace was kept: " << (waited ? "yes" : "no")
            << '\n';

  // Both tokens have spent their day. Nothing is sent; the Error says when to come back.
  const tokenpool::Result<tokenpool::Response> late = client.try_send({.path = "/models"});
  if (!late && late.error().code() == tokenpool::ErrorCode::exhausted) {
    const auto left = late.error().retry_at().value() - std::chrono::system_clock::now();
    std::cout << "exhausted for the next " << std::chrono::round<std::chrono::hours>(left).count()
              << " hours, " << late.error().attempts().size() << " requests sent\n";
  }
}

// prints:
//   6 answered, 0 refused, the pace was kept: yes
//   exhausted for the next 24 hours, 0 requests sent
