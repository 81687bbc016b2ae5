#pragma once
// A request as one of the gateway's own clients sent it.

#include <string>
#include <string_view>

#include "tokenpool/http/headers.hpp"

namespace gateway {

/// A request. A plain value.
struct Inbound {
  std::string method{};
  std::string target{};  ///< path and query as they were sent, beginning with a slash
  tokenpool::Headers headers{};
  std::string body{};
  bool http_1_0 = false;
  bool keep_alive = true;  ///< whether the connection may serve another request

  [[nodiscard]] std::string_view path() const noexcept {
    return std::string_view(target).substr(0, target.find('?'));
  }
};

}  // namespace gateway
