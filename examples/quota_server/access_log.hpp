#pragma once

// One JSON line for each request, written before its answer leaves: who has the answer finds the line.

#include <fstream>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "time.hpp"

namespace quota_server {

struct Visit {
  Time time{};
  std::string token_tail{};  ///< never more of a token than this
  std::string ip{};
  std::string method{};
  std::string path{};
  int status = 0;  ///< 0: the connection was dropped without an answer
};

inline std::string to_line(const Visit& visit) {
  const nlohmann::ordered_json line = {
      {"time", rfc3339(visit.time)}, {"token", visit.token_tail}, {"ip", visit.ip},
      {"method", visit.method},      {"path", visit.path},        {"status", visit.status}};
  // A path may hold any bytes.
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

/// Thread-safe.
class AccessLog {
 public:
  /// Appends to the file named; "-" is the standard error stream, an empty name writes nothing.
  /// Throws std::runtime_error if the file cannot be written.
  explicit AccessLog(const std::string& name) {
    if (name.empty()) return;
    if (name == "-") {
      out_ = &std::cerr;
      return;
    }
    file_.open(name, std::ios::app);
    if (!file_)
      throw std::runtime_error("--log: cannot write " + name + "; name a file in a folder that exists");
    out_ = &file_;
  }

  void write(const Visit& visit) {
    if (!out_) return;
    const std::string line = to_line(visit);
    const std::lock_guard lock(mutex_);
    *out_ << line << std::flush;
  }

 private:
  std::ofstream file_;
  std::ostream* out_ = nullptr;
  std::mutex mutex_;
};

}  // namespace quota_server
