#pragma once

// What was answered, for GET /_counts: the judge's own figures, against which a client's are held.

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace quota_server {

struct Tally {
  std::size_t successes = 0;     ///< 200
  std::size_t refused = 0;       ///< 429
  std::size_t unauthorised = 0;  ///< 401
  std::size_t failed = 0;        ///< 500, on purpose, or 503, without the store of the counts
  std::size_t dropped = 0;       ///< connection closed without an answer
  std::size_t rejected = 0;      ///< 400, a body that makes no sense

  void add(int status) {
    switch (status) {
      case 200: ++successes; break;
      case 429: ++refused; break;
      case 401: ++unauthorised; break;
      case 500:
      case 503: ++failed; break;
      case 0: ++dropped; break;
      default: ++rejected; break;
    }
  }
};

/// Thread-safe. Unknown tokens count for their IP and in total only.
class Counts {
 public:
  struct Snapshot {
    Tally total{};
    std::vector<Tally> tokens{};
    std::map<std::string, Tally> ips{};
  };

  explicit Counts(std::size_t tokens) { counted_.tokens.resize(tokens); }

  void add(std::optional<std::size_t> token, const std::string& ip, int status) {
    const std::lock_guard lock(mutex_);
    counted_.total.add(status);
    counted_.ips[ip].add(status);
    if (token) counted_.tokens[*token].add(status);
  }

  Snapshot read() const {
    const std::lock_guard lock(mutex_);
    return counted_;
  }

 private:
  mutable std::mutex mutex_;
  Snapshot counted_;
};

}  // namespace quota_server
