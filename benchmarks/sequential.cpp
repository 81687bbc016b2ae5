// One thread, one POST after the other on a kept-alive connection: a bare easy handle that is given a URL
// string, the way everyone writes it, against Client.
//
//   sequential_benchmark [REQUESTS ROUNDS]             # requests/s in alternating rounds, and their ratio
//   sequential_benchmark KIND REQUESTS                 # bare, client, or a client with explain or an
//   observer alone,
//                                                      # for callgrind: the instructions
//                                                      # of two lengths subtracted are a request's

#include <chrono>
#include <cstddef>
#include <iostream>
#include <string>
#include <utility>

#include "bare.hpp"
#include "rounds.hpp"
#include "server.hpp"
#include "tokenpool/client.hpp"

namespace {

using namespace benchmarks;

template <class Post>
double per_second(const Post& post, int requests) {
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < requests; ++i) {
    need(post(), "a request failed");
  }
  return requests / std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace

int main(int count, char** words) {
  const Server server;
  const std::string first = count > 1 ? words[1] : "2000";
  const int second = count > 2 ? std::stoi(words[2]) : 15;
  BareEasy bare(server.base_url());
  tokenpool::ClientOptions options{
      .base_url = server.base_url(),
      .tokens = tokenpool::parse_tokens("sk-bench-1,sk-bench-2,sk-bench-3,sk-bench-4"),
      .limits = {tokenpool::Limit::per_token(100'000'000, std::chrono::hours(24))},
      .explain = first == "explain"};
  if (first == "observer") {
    options.observer.on_attempt = [](const tokenpool::AttemptEvent&) {};
  }
  tokenpool::Client<> client(std::move(options));
  const auto post_bare = [&] { return bare.post(); };
  const auto post_client = [&] {
    const auto result =
        client.try_send({.method = "POST", .path = "/chat/completions", .body = request_body});
    return result && result->ok();
  };
  if (first == "bare") {
    per_second(post_bare, second);
  } else if (first == "client" || first == "explain" || first == "observer") {
    per_second(post_client, second);
  } else {
    const int requests = std::stoi(first);
    const Rounds rounds({{"bare", [&] { return per_second(post_bare, requests); }},
                         {"client", [&] { return per_second(post_client, requests); }}},
                        static_cast<std::size_t>(second));
    rounds.print(0);
    rounds.keep("request");
  }
}
