// Ten thousand requests in flight at once on one thread, against a server in another process that answers
// each of them after three seconds: all have to be answered, and the memory has to stay in proportion.
//
//   ten_thousand_benchmark [REQUESTS]

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <future>
#include <iostream>
#include <string>

#include "bare.hpp"
#include "server.hpp"
#include "tokenpool/client.hpp"

namespace {

using namespace std::chrono_literals;

/// A field of /proc/self/status: VmRSS and VmHWM in KiB, Threads.
long status_of_process(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) {
      return std::stol(line.substr(field.size() + 1));
    }
  }
  return 0;
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

}  // namespace

int main(int count, char** words) {
  benchmarks::raise_file_limit();
  const std::size_t requests = count > 1 ? std::stoul(words[1]) : 10'000;
  const benchmarks::Server slow(3s);
  tokenpool::Client<> client{{.base_url = slow.base_url(),
                              .tokens = tokenpool::parse_tokens("sk-bench-1,sk-bench-2"),
                              .limits = {tokenpool::Limit::per_token(100'000'000, 24h)},
                              .timeouts = {.connect = 60s}}};
  std::atomic<std::size_t> answered{0};
  std::atomic<std::size_t> failed{0};
  std::promise<void> done;
  const long before = status_of_process("VmRSS");
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < requests; ++i) {
    client.send_async({.method = "POST", .path = "/chat/completions", .body = benchmarks::request_body},
                      [&](const tokenpool::Result<tokenpool::Response>& result) {
                        failed += result && result->ok() ? 0U : 1U;
                        if (++answered == requests) {
                          done.set_value();
                        }
                      });
  }
  const long threads = status_of_process("Threads");
  done.get_future().wait();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const long grown = status_of_process("VmHWM") - before;
  std::cout << requests << " requests, " << answered - failed << " answered, " << failed << " failed, in "
            << took.count() << " s (each answer takes 3 s), " << threads << " threads, " << cpu_seconds()
            << " s of CPU, peak memory " << grown / 1024
            << " MiB more: " << static_cast<double>(grown) / static_cast<double>(requests)
            << " KiB a request\n";
  return failed == 0 ? 0 : 1;
}
