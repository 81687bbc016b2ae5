#pragma once

// A client on paper: scripted transport, manual clock, and as many tokens as a test wants. The secrets hold a
// word that is looked for in everything a test sees.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/client/client.hpp"
#include "tokenpool/testing/manual_clock.hpp"
#include "tokenpool/testing/scripted_transport.hpp"

namespace test {

inline constexpr std::string_view canary = "canary";

/// Tokens with the ids "t0", "t1"... and the secrets "sk-canary-0", "sk-canary-1"...
inline std::vector<tokenpool::Token> canary_tokens(std::size_t count) {
  std::vector<tokenpool::Token> made;
  for (std::size_t i = 0; i < count; ++i) {
    made.push_back({.secret = "sk-canary-" + std::to_string(i), .id = "t" + std::to_string(i)});
  }
  return made;
}

template <class Policy = tokenpool::RoundRobin>
struct ScriptedClient {
  using Client =
      tokenpool::Client<Policy, tokenpool::testing::ScriptedTransport, tokenpool::testing::ManualClock>;

  explicit ScriptedClient(std::size_t count, tokenpool::ClientOptions options = {}, Policy policy = {})
      : transport(std::make_shared<tokenpool::testing::ScriptedTransport>(clock)),
        client(std::make_unique<Client>(completed(std::move(options), count), std::move(policy), transport,
                                        std::make_shared<tokenpool::testing::ManualClock>(clock))) {}

  static tokenpool::ClientOptions completed(tokenpool::ClientOptions options, std::size_t count) {
    options.base_url = options.base_url.empty() ? "https://host/v1" : options.base_url;
    options.tokens = options.tokens.empty() ? canary_tokens(count) : options.tokens;
    options.seed = 1;
    return options;
  }

  tokenpool::Result<tokenpool::Response> get(tokenpool::RequestOptions options = {}) {
    return client->try_send(tokenpool::make_request("GET", "/x", {}, std::move(options)));
  }
  tokenpool::Result<tokenpool::Response> post(tokenpool::RequestOptions options = {}) {
    return client->try_send(tokenpool::make_request("POST", "/x", "{}", std::move(options)));
  }

  /// The ids of the tokens that were sent, in order, such as "0 1 1".
  std::string sent() const {
    std::string digits;
    for (const auto& request : transport->sent()) {
      digits += (digits.empty() ? "" : " ") + request.token().substr(10);
    }
    return digits;
  }

  tokenpool::testing::ManualClock clock;
  std::shared_ptr<tokenpool::testing::ScriptedTransport> transport;
  std::unique_ptr<Client> client;
};

using ScriptedState =
    tokenpool::detail::ClientState<tokenpool::RoundRobin, tokenpool::testing::ScriptedTransport,
                                   tokenpool::testing::ManualClock>;

}  // namespace test

// Compiled once, in scripted_client.cpp: it is most of the time that a test of the client takes to build.
extern template class tokenpool::detail::ClientState<
    tokenpool::RoundRobin, tokenpool::testing::ScriptedTransport, tokenpool::testing::ManualClock>;
extern template class tokenpool::detail::Call<test::ScriptedState>;
