// A local endpoint of the OpenAI kind over a pool of tokens: a program in any language gains the pool by
// changing its base URL.

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include "gateway.hpp"

namespace {

constexpr std::string_view usage =
    "tokenpool_gateway [--exit-with-parent] CONFIGURATION\n"
    "Serves what the JSON file CONFIGURATION describes, until SIGTERM or SIGINT; a second one ends it at "
    "once.\n"
    "SIGHUP reads the file anew, as does a change of it.\n"
    "Exit codes: 0 every call was answered, 1 some were not, 2 the configuration is unfit.\n";

/// As many connections as the system allows at most; each takes a descriptor, and a call one more.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

/// Ends with whoever started it, so that a test or demo that was killed leaves nothing behind.
void end_with_parent() {
  std::thread([parent = ::getppid()] {
    while (::getppid() == parent) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ::kill(::getpid(), SIGTERM);
  }).detach();
}

int serve(const std::string& configuration) {
  raise_descriptor_limit();
  gateway::Gateway gateway(configuration);
  gateway.heed_signals();
  std::cout << "listening on " << gateway.url() << std::endl;
  return gateway.run() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string configuration;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--help" || word == "-h") return std::cout << usage, 0;
    if (word == "--exit-with-parent") {
      end_with_parent();
    } else {
      configuration = word;
    }
  }
  if (configuration.empty()) return std::cerr << usage, 2;
  try {
    return serve(configuration);
  } catch (const std::exception& error) {
    std::cerr << "tokenpool_gateway: " << error.what() << '\n';
    return 2;
  }
}
