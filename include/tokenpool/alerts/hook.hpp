#pragma once
// One try to deliver an alert, and what its end means: a status or a failure in our own words, since those of
// a server or of libcurl may repeat the URL.

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tokenpool/alerts/options.hpp"
#include "tokenpool/base/time.hpp"
#include "tokenpool/http/body.hpp"
#include "tokenpool/http/failure.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/quota/hint.hpp"
#include "tokenpool/transport/curl/easy.hpp"
#include "tokenpool/transport/interrupt.hpp"
#include "tokenpool/transport/transport.hpp"
#include "tokenpool/version.hpp"

namespace tokenpool::detail {

/// What one try to deliver an alert came to.
struct AlertTry {
  std::string problem{};  ///< empty: delivered
  bool worth_another = false;
  std::chrono::milliseconds wait{};  ///< at least, by the hook's word
};

/// Posts to one hook. Used by one thread, but for cancel().
class AlertHook {
 public:
  explicit AlertHook(const AlertOptions& options)
      : url_(options.url.reveal()),
        headers_(options.headers),
        tls_(options.tls),
        timeout_(options.timeout),
        user_agent_(std::string("tokenpool/") + version) {}

  /// Ends the try under way and all that follow.
  void cancel() noexcept { interrupt_.cancel(); }
  [[nodiscard]] bool cancelled() const noexcept { return interrupt_.cancelled(); }

  AlertTry post(const std::string& text, Now now) {
    const std::string method = "POST";
    const std::string no_source;
    const std::optional<std::string> proxy_of_the_system;
    Body body(text);
    HeaderViews headers;
    headers.reserve(headers_.size() + 2);
    for (const HeaderField& field : headers_) {
      headers.add(field.name, field.value);
    }
    for (const auto& [name, value] : {std::pair("Content-Type", std::string_view("application/json")),
                                      std::pair("User-Agent", std::string_view(user_agent_))}) {
      if (!headers.has(name)) {
        headers.add(name, value);
      }
    }
    const TransportRequest request{
        .method = method,
        .url = url_,
        .headers = headers,
        .body = body,
        .source = no_source,
        .proxy = proxy_of_the_system,
        .timeouts = timeouts_,
        .tls = tls_,
        .http = http_,
        .deadline = after(now.steady, timeout_),
        .max_response_bytes = http_.max_response_bytes,
    };
    try {
      return judged(transport_.perform(request, interrupt_), now);
    } catch (const std::exception&) {
      return {"the request could not be made", false, {}};
    }
  }

 private:
  /// Says nothing in the words of the server or of libcurl, which may repeat the URL.
  static AlertTry judged(const Exchange& exchange, Now now) {
    if (exchange.failure) {
      return {problem_of(exchange.failure->kind), exchange.failure->kind != FailureKind::unfit, {}};
    }
    const int status = exchange.answer.status;
    if (status >= 200 && status < 300) {
      return {};
    }
    constexpr int timeout = 408;
    constexpr int too_early = 425;
    constexpr int too_many = 429;
    return {"the hook answered " + std::to_string(status),
            status >= 500 || status == timeout || status == too_early || status == too_many,
            retry_hint(exchange.answer, now.wall).value_or(std::chrono::milliseconds(0))};
  }

  static std::string problem_of(FailureKind kind) {
    switch (kind) {
      case FailureKind::connect: return "no connection to the hook";
      case FailureKind::proxy: return "no way through the proxy to the hook";
      case FailureKind::tls: return "no secure channel to the hook";
      case FailureKind::deadline:
      case FailureKind::cancelled: return "the hook did not answer in time";
      case FailureKind::unfit: return "the hook's URL or an option is not one that libcurl takes";
      default: return "the connection to the hook was lost";
    }
  }

  std::string url_;
  Headers headers_;
  TlsOptions tls_;
  std::chrono::milliseconds timeout_;
  std::string user_agent_;
  Timeouts timeouts_;
  HttpOptions http_{.max_response_bytes = std::size_t{64} << 10U};
  CurlTransport transport_;
  Interrupt interrupt_;
};

}  // namespace tokenpool::detail
