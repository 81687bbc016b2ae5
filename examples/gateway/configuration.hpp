#pragma once
// The configuration file as one value, and as it is read. The README lists its fields.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "access.hpp"
#include "forwarding.hpp"
#include "front.hpp"
#include "tokenpool/alerts/options.hpp"
#include "tokenpool/client/options.hpp"

namespace gateway {

/// All that the gateway is told.
struct Configuration {
  std::string listen{"127.0.0.1"};
  std::uint16_t port = 0;
  AccessTokens access_tokens{};
  tokenpool::ClientOptions client{};
  std::string policy{"round-robin"};
  std::optional<tokenpool::AlertOptions> alerts{};
  AffinitySource affinity{};
  Bounds bounds{};
  std::chrono::milliseconds grace{30'000};  ///< for calls under way when the gateway is asked to end
  bool log = true;
  std::vector<std::string> files{};     ///< those that it was read from: the file itself, and tokens' files
  std::vector<std::string> warnings{};  ///< what works but should be looked at
  std::map<std::string, std::string> fixed{};  ///< the fields that a running gateway cannot change, as JSON
};

/// Reads the file. Throws std::runtime_error that names the file, the field, its value unless that may be a
/// secret, and the remedy.
Configuration read_configuration(const std::string& path);

/// Whether only this machine reaches `address`.
bool is_loopback_address(const std::string& address);

}  // namespace gateway
