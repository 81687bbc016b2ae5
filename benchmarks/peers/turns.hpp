#pragma once
// A peer is a process that waits for its turn: it reads "REQUESTS IN_FLIGHT", sends that many, says "done",
// and ends with its input. So each is warm, and nobody's start is measured.

#include <cstddef>
#include <iostream>
#include <thread>
#include <vector>

namespace benchmarks {

/// `work(requests, in_flight)` for each turn.
template <class Work>
void take_turns(const Work& work) {
  std::cout << "ready" << std::endl;
  for (std::size_t requests = 0, in_flight = 0; std::cin >> requests >> in_flight;) {
    work(requests, in_flight);
    std::cout << "done" << std::endl;
  }
}

/// `post(thread)` from `threads` threads, `requests` times in all.
template <class Post>
void from_threads(std::size_t requests, std::size_t threads, const Post& post) {
  std::vector<std::thread> running;
  for (std::size_t thread = 0; thread < threads; ++thread) {
    running.emplace_back([&post, thread, share = requests / threads] {
      for (std::size_t i = 0; i < share; ++i) {
        post(thread);
      }
    });
  }
  for (std::thread& one : running) {
    one.join();
  }
}

}  // namespace benchmarks
