#pragma once

// Where a Redis server listens, as the command line names it.

#include <stdexcept>
#include <string>
#include <string_view>

#include "fields.hpp"

namespace quota_server {

struct RedisAddress {
  std::string host{};
  int port = 6379;
  int database = 0;
};

/// redis://HOST[:PORT][/DATABASE]; the host may be an IPv6 address in brackets. Throws std::invalid_argument.
inline RedisAddress parse_redis_address(std::string_view text) {
  constexpr std::string_view scheme = "redis://";
  const auto unfit = [] {
    return std::invalid_argument("must be redis://HOST:PORT, such as redis://127.0.0.1:6379");
  };
  if (text.substr(0, scheme.size()) != scheme) throw unfit();
  std::string_view rest = text.substr(scheme.size());
  RedisAddress address;
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    if (slash + 1 != rest.size()) {
      address.database = static_cast<int>(parse_whole(rest.substr(slash + 1), 0, 1'000'000));
    }
    rest = rest.substr(0, slash);
  }
  const std::size_t bracket = rest.find(']');
  const bool v6 = !rest.empty() && rest.front() == '[' && bracket != std::string_view::npos;
  const std::size_t colon = rest.find(':', v6 ? bracket : 0);
  if (colon != std::string_view::npos) {
    address.port = static_cast<int>(parse_whole(rest.substr(colon + 1), 1, 65535));
  }
  address.host = v6 ? rest.substr(1, bracket - 1) : rest.substr(0, colon);
  if (address.host.empty() || address.host.find('@') != std::string::npos) throw unfit();
  return address;
}

inline std::string to_text(const RedisAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return "redis://" + (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace quota_server
