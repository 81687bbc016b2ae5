#pragma once
// libcurl's process-wide state: set up once, before the first handle, and left alone afterwards (others may
// use it too).

#include <curl/curl.h>

#include "tokenpool/base/error.hpp"

namespace tokenpool::detail::curl {

/// Thread-safe by the rules for local statics. Throws Error{network} when libcurl cannot start.
inline void start_once() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) {
    throw Error(ErrorCode::network, "libcurl cannot start: " + std::string(curl_easy_strerror(started)));
  }
}

}  // namespace tokenpool::detail::curl
