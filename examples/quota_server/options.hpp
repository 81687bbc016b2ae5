#pragma once

// The command line, as one value.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "faults.hpp"
#include "gate.hpp"
#include "redis_address.hpp"
#include "retry_after.hpp"
#include "store.hpp"

namespace quota_server {

/// At which moment a request is counted, and so refused.
enum class CountWhen { arrival, answer };

struct Options {
  std::string listen = "127.0.0.1";
  int port = 0;  ///< 0 takes a free one
  bool exit_with_parent = false;
  std::chrono::milliseconds keep_alive = std::chrono::seconds{60};
  bool trust_forwarded = false;
  std::string log{};

  std::vector<std::string> tokens{};
  std::map<std::size_t, std::size_t> deaths{};  ///< token index to the number of requests it serves

  Rule rule = Rule::per_token;
  Quota quota{};
  std::optional<RedisAddress> store{};  ///< none: the memory of this process
  CountWhen count_when = CountWhen::arrival;
  RetryAfter retry_after = RetryAfter::seconds;
  bool scope_header = false;
  FaultOptions faults{};
  std::uint64_t seed = 1;
};

/// The command line asks for nothing to be served: for help (exit code 0) or for what cannot be (2).
struct CommandLineEnd {
  int exit_code{};
  std::string text{};
};

/// Throws CommandLineEnd.
Options parse_options(int argc, const char* const* argv);

}  // namespace quota_server
