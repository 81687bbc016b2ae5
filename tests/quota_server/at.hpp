#pragma once

#include <chrono>

#include "time.hpp"

namespace test {

/// An instant counted from a midnight, where windows of any round length begin.
inline quota_server::Time at(std::chrono::milliseconds since_midnight) {
  return quota_server::Time{std::chrono::hours{24} * 20'000 + since_midnight};
}

}  // namespace test
