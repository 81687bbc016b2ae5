#pragma once

// How a refused client is told when to come back. All forms are rounded up, so that who obeys finds room.

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "time.hpp"

namespace quota_server {

enum class RetryAfter {
  seconds,       ///< Retry-After in whole seconds (RFC 9110, section 10.2.3)
  milliseconds,  ///< retry-after-ms, as OpenAI and Azure send it
  date,          ///< Retry-After as an HTTP date
  none
};

/// The header's name and value, if there is to be one.
inline std::optional<std::pair<std::string, std::string>> retry_after(RetryAfter form, Time now,
                                                                      Time free_at) {
  using namespace std::chrono;
  switch (form) {
    case RetryAfter::seconds: return {{"Retry-After", std::to_string(ceil<seconds>(free_at - now).count())}};
    case RetryAfter::milliseconds:
      return {{"retry-after-ms", std::to_string(ceil<milliseconds>(free_at - now).count())}};
    case RetryAfter::date: return {{"Retry-After", http_date(ceil<seconds>(free_at))}};
    case RetryAfter::none: break;
  }
  return std::nullopt;
}

}  // namespace quota_server
