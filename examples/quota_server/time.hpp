#pragma once

// Instants as this server uses them: wall time that never runs backwards, so that a window of 24 hours ends
// at midnight UTC and yet no step of the system clock reopens it. Everything that decides is handed its
// `now`.

#include <chrono>
#include <ctime>
#include <functional>
#include <string>

namespace quota_server {

using Time = std::chrono::system_clock::time_point;
using Duration = Time::duration;
using Clock = std::function<Time()>;

/// A clock that starts at the present wall time and advances steadily. Thread-safe.
inline Clock steady_wall_clock() {
  const auto steady = std::chrono::steady_clock::now();
  const Time wall = std::chrono::system_clock::now();
  return [steady, wall] {
    return wall + std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - steady);
  };
}

namespace detail {
inline std::string utc(Time at, const char* format) {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(at));
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}
}  // namespace detail

/// An HTTP date (RFC 9110, section 5.6.7), cut to the second.
inline std::string http_date(Time at) { return detail::utc(at, "%a, %d %b %Y %H:%M:%S GMT"); }

/// RFC 3339 in UTC with milliseconds, as the access log writes it.
inline std::string rfc3339(Time at) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(at);
  const auto part = std::chrono::floor<std::chrono::milliseconds>(at - whole).count();
  const std::string digits = std::to_string(1000 + part);
  return detail::utc(at, "%Y-%m-%dT%H:%M:%S.") + digits.substr(1) + "Z";
}

}  // namespace quota_server
