// One POST after the other on a kept-alive connection, on one thread and on two: a bare easy handle for each
// that is given a URL string, the way everyone writes it, against one Client for all.
//
//   sequential_benchmark [REQUESTS ROUNDS]   requests/s and CPU time in alternating rounds, and their ratios
//   sequential_benchmark KIND REQUESTS       one thread, for callgrind: the instructions of two lengths
//                                            subtracted are a request's. KIND is bare, client, or explain or
//                                            observer, which are clients with that alone

#include <chrono>
#include <cstddef>
#include <deque>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bare.hpp"
#include "rounds.hpp"
#include "server.hpp"
#include "tokenpool/client.hpp"

namespace {

using namespace benchmarks;

/// One after the other, each of which has to succeed.
template <class Post>
void repeat(const Post& post, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) {
    need(post(), "a request failed");
  }
}

/// Does `work` with each number below `threads` on a thread of its own; with 0 on this one.
template <class Work>
void on_each_thread(std::size_t threads, const Work& work) {
  std::vector<std::thread> others;
  for (std::size_t number = 1; number < threads; ++number) {
    others.emplace_back([&work, number] { work(number); });
  }
  work(0);
  for (std::thread& other : others) other.join();
}

template <class PostBare, class PostClient>
void compare(std::size_t threads, std::size_t requests, std::size_t rounds, const PostBare& post_bare,
             const PostClient& post_client) {
  std::vector<std::vector<double>> cpu(2);
  const std::vector<std::string> names{"bare", "client"};
  const Rounds measured({{names[0],
                          [&] {
                            return per_second(threads * requests, cpu[0], [&] {
                              on_each_thread(threads, [&](std::size_t number) {
                                repeat([&] { return post_bare(number); }, requests);
                              });
                            });
                          }},
                         {names[1],
                          [&] {
                            return per_second(threads * requests, cpu[1], [&] {
                              on_each_thread(threads, [&](std::size_t) { repeat(post_client, requests); });
                            });
                          }}},
                        rounds);
  std::cout << threads << (threads == 1 ? " thread" : " threads") << ", requests/s\n";
  measured.print(0);
  const std::string name = "request_" + std::to_string(threads);
  measured.keep(name);
  report_cpu(name + "_cpu", names, std::move(cpu));
}

}  // namespace

int main(int count, char** words) {
  const Server server;
  const std::string first = count > 1 ? words[1] : "2000";
  const std::size_t second = count > 2 ? std::stoul(words[2]) : 15;
  std::deque<BareEasy> bare;
  for (int thread = 0; thread < 2; ++thread) {
    bare.emplace_back(server.base_url());
  }
  tokenpool::ClientOptions options{
      .base_url = server.base_url(),
      .tokens = tokenpool::parse_tokens("sk-bench-1,sk-bench-2,sk-bench-3,sk-bench-4"),
      .limits = {tokenpool::Limit::per_token(100'000'000, std::chrono::hours(24))},
      .explain = first == "explain"};
  if (first == "observer") {
    options.observer.on_attempt = [](const tokenpool::AttemptEvent&) {};
  }
  tokenpool::Client<> client(std::move(options));
  const auto post_bare = [&](std::size_t thread) { return bare[thread].post(); };
  const auto post_client = [&] {
    const auto result =
        client.try_send({.method = "POST", .path = "/chat/completions", .body = request_body});
    return result && result->ok();
  };
  if (first == "bare") {
    repeat([&] { return post_bare(0); }, second);
  } else if (first == "client" || first == "explain" || first == "observer") {
    repeat(post_client, second);
  } else {
    for (const std::size_t threads : {1U, 2U}) {
      compare(threads, std::stoul(first), second, post_bare, post_client);
    }
  }
}
