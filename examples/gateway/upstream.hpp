#pragma once
// The pool as the gateway uses it. The client is compiled behind this interface, once.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenpool/alerts/options.hpp"
#include "tokenpool/base/result.hpp"
#include "tokenpool/client/options.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/pool/snapshot.hpp"
#include "tokenpool/quota/attempt.hpp"

namespace gateway {

/// The pool for those who look on.
struct PoolView {
  std::string json{};                                       ///< the snapshot as tokenpool::to_json makes it
  std::optional<std::chrono::milliseconds> rest_ends_in{};  ///< the first token that comes back by itself
};

/// The server behind the gateway, asked with the tokens of a pool. Thread-safe.
class Upstream {
 public:
  /// Throws tokenpool::Error that names the unfit field.
  Upstream(tokenpool::ClientOptions options, const std::string& policy,
           const std::optional<tokenpool::AlertOptions>& alerts = {});
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  /// Cancels the calls under way and waits for them.
  ~Upstream();

  /// `done` is called once, on the transport's thread.
  void send(tokenpool::Request request, std::function<void(tokenpool::Result<tokenpool::Response>)> done);

  [[nodiscard]] tokenpool::PoolSnapshot snapshot() const;
  [[nodiscard]] PoolView view() const;

  /// Whether there is such a token.
  bool disable(std::string_view id, const std::string& reason);
  bool enable(std::string_view id);
  /// Throws tokenpool::Error if a token is unfit; the pool is then as it was.
  void replace(const std::vector<tokenpool::Token>& tokens);

 private:
  struct Client;
  std::unique_ptr<Client> client_;
};

}  // namespace gateway
