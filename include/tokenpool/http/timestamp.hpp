#pragma once
// An instant as people and logs write it.

#include <chrono>
#include <cstdio>
#include <string>

#include "tokenpool/base/time.hpp"

namespace tokenpool {

/// `time` in UTC as RFC 3339 writes it, to the second: "2026-11-22T07:12:03Z".
inline std::string to_rfc3339(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<seconds>(time - day));
  char text[64];
  const int length =
      std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()));
  return {text, static_cast<std::size_t>(length)};
}

}  // namespace tokenpool
