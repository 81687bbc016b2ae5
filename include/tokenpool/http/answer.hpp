#pragma once
// What a server answered, as plain data. All that decides what an answer means reads this and nothing else,
// so that a test, a log replay and a live connection are judged by the same code.

#include <string>

#include "tokenpool/http/headers.hpp"

namespace tokenpool {

/// The final answer to one request: interim (1xx) answers and those of redirects or proxies'
/// CONNECT are not in it.
struct Answer {
  int status{};        ///< HTTP status code, 100 to 599 from a sane server.
  Headers headers{};   ///< Fields as received, repeated ones kept.
  std::string body{};  ///< The body, or the beginning of it: classification reads 64 KiB at most.
};

}  // namespace tokenpool
