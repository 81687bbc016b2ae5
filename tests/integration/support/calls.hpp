#pragma once

// What the tests on real sockets say again and again: a client that loses no time, a request, and a look at
// how a call failed. The secrets hold a word that no text may show.

#include <chrono>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "catch_compat.hpp"
#include "client.hpp"
#include "guests.hpp"
#include "scripted_server.hpp"

namespace test {

/// Three tokens, a back-off of a millisecond, no proxy, unless `options` say otherwise.
inline tokenpool::ClientOptions options_for(const std::string& base_url,
                                            tokenpool::ClientOptions options = {}) {
  using namespace std::chrono_literals;
  options.base_url = base_url;
  options.tokens = tokenpool::parse_tokens("sk-canary-0,sk-canary-1,sk-canary-2");
  options.retry.backoff = {.first = 1ms, .max = 2ms};
  if (options.egress.empty()) options.egress = {{.id = "here"}};
  return options;
}

inline tokenpool::ClientOptions options_for(const ScriptedServer& server,
                                            tokenpool::ClientOptions options = {}) {
  return options_for(server.origin() + "/v1", std::move(options));
}

inline tokenpool::Request post(tokenpool::Body body = "hello") {
  return {
      .method = "POST", .path = "/x", .headers = {{"Content-Type", "text/plain"}}, .body = std::move(body)};
}

/// The error in which a call ended; no text of it shows a secret.
inline tokenpool::Error failure(const tokenpool::Result<tokenpool::Response>& result) {
  REQUIRE_FALSE(result.has_value());
  CHECK_THAT(result.error().what(), !ContainsSubstring("canary"));
  for (const tokenpool::Attempt& attempt : result.error().attempts()) {
    CHECK_THAT(attempt.reason, !ContainsSubstring("canary"));
  }
  return result.error();
}

enum class How { blocking, asynchronous };
inline constexpr How each_way[] = {How::blocking, How::asynchronous};

/// The call, made by a thread of its own or by none.
inline std::future<tokenpool::Result<tokenpool::Response>> begin(tokenpool::Client<>& client,
                                                                 const tokenpool::Request& request, How how) {
  if (how == How::blocking) {
    return std::async(std::launch::async, [&client, request] { return client.try_send(request); });
  }
  auto promise = std::make_shared<std::promise<tokenpool::Result<tokenpool::Response>>>();
  auto future = promise->get_future();
  client.send_async(request, [promise](auto result) { promise->set_value(std::move(result)); });
  return future;
}

/// What a request on the wire has behind its header block.
inline std::string body_in(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

/// False, with the reason on the screen, where a test cannot be run.
inline bool all_here(const std::vector<std::string>& programs) {
  const auto reason = missing(programs);
  if (reason) WARN(*reason);
  return !reason;
}

}  // namespace test
