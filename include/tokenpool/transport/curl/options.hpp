#pragma once
// A request in libcurl's options. Every request starts from a reset handle: an option that is not set here is
// libcurl's default, never what the last request left.

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "tokenpool/http/failure.hpp"
#include "tokenpool/transport/curl/callbacks.hpp"
#include "tokenpool/transport/curl/handle.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool::curl {

/// Sets options and remembers the first that this libcurl refuses.
class OptionSetter {
 public:
  explicit OptionSetter(CURL* easy) : easy_(easy) {}

  template <class Value>
  void set(CURLoption option, Value value, const char* name) {
    if (const CURLcode code = curl_easy_setopt(easy_, option, value); code != CURLE_OK && !refused_) {
      refused_ = std::string(name) + ": " + curl_easy_strerror(code);
    }
  }

  void set_text(CURLoption option, const std::string& text, const char* name) {
    if (!text.empty()) {
      set(option, text.c_str(), name);
    }
  }

  [[nodiscard]] const std::optional<std::string>& refused() const noexcept { return refused_; }

 private:
  CURL* easy_;
  std::optional<std::string> refused_;
};

inline void set_callbacks(OptionSetter& options, Transfer& transfer, char* error_text) {
  options.set(CURLOPT_ERRORBUFFER, error_text, "error buffer");
  options.set(CURLOPT_HEADERFUNCTION, &on_header, "header callback");
  options.set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer), "header callback");
  options.set(CURLOPT_WRITEFUNCTION, &on_body, "body callback");
  options.set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer), "body callback");
  options.set(CURLOPT_PREREQFUNCTION, &on_sending, "request callback");
  options.set(CURLOPT_PREREQDATA, static_cast<void*>(&transfer), "request callback");
}

inline void set_streamed_body(OptionSetter& options, Transfer& transfer, const Body& body) {
  options.set(CURLOPT_UPLOAD, 1L, "body");
  options.set(CURLOPT_READFUNCTION, &on_upload, "body");
  options.set(CURLOPT_READDATA, static_cast<void*>(&transfer), "body");
  options.set(CURLOPT_SEEKFUNCTION, &on_rewind, "body");
  options.set(CURLOPT_SEEKDATA, static_cast<void*>(&transfer), "body");
  if (body.size()) {
    options.set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(*body.size()), "body size");
  }
}

/// The bytes of a text body, which libcurl reads from where they lie.
/// Whether the request has a body, be it an empty one.
inline bool sends_body(const TransportRequest& request) noexcept {
  const std::string& method = request.method;
  const bool always = method == "POST" || method == "PUT" || method == "PATCH";
  return method != "HEAD" && (always || !request.body.empty());
}

inline BodyTraits traits_of_body(const TransportRequest& request) noexcept {
  constexpr std::uint64_t held_back_above = 1'000'000;
  return {sends_body(request), request.body.streamed() || *request.body.size() > held_back_above};
}

inline void set_text_body(OptionSetter& options, const TransportRequest& request) {
  if (sends_body(request)) {
    options.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.text().size()),
                "body size");
    options.set(CURLOPT_POSTFIELDS, request.body.text().data(), "body");
  }
}

/// Method and body. The verb is always set, or left to what libcurl derives from nothing but this request.
inline void set_method(OptionSetter& options, Transfer& transfer, const TransportRequest& request) {
  const std::string& method = request.method;
  if (request.body.streamed()) {
    set_streamed_body(options, transfer, request.body);
  } else {
    set_text_body(options, request);
  }
  if (method == "HEAD") {
    options.set(CURLOPT_NOBODY, 1L, "method");
  }
  if (method != "HEAD" && method != "GET" && (method != "POST" || request.body.streamed())) {
    options.set(CURLOPT_CUSTOMREQUEST, method.c_str(), "method");
  } else if (method == "GET" && !request.body.empty()) {
    options.set(CURLOPT_CUSTOMREQUEST, "GET", "method");
  }
}

inline void set_tls(OptionSetter& options, const TlsOptions& tls) {
  options.set(CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L, "tls.verify");
  options.set(CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L, "tls.verify");
  options.set(CURLOPT_SSLVERSION,
              tls.min_version == "1.3" ? static_cast<long>(CURL_SSLVERSION_TLSv1_3)
                                       : static_cast<long>(CURL_SSLVERSION_TLSv1_2),
              "tls.min_version");
  options.set_text(CURLOPT_CAINFO, tls.ca_file, "tls.ca_file");
  options.set_text(CURLOPT_CAPATH, tls.ca_path, "tls.ca_path");
  options.set_text(CURLOPT_SSLCERT, tls.client_cert, "tls.client_cert");
  options.set_text(CURLOPT_SSLKEY, tls.client_key, "tls.client_key");
  options.set_text(CURLOPT_PINNEDPUBLICKEY, tls.pinned_public_key, "tls.pinned_public_key");
}

inline long http_version(HttpOptions::Version version) noexcept {
  switch (version) {
    case HttpOptions::Version::http1_1: return CURL_HTTP_VERSION_1_1;
    case HttpOptions::Version::http2: return CURL_HTTP_VERSION_2_0;
    case HttpOptions::Version::automatic: break;
  }
  return CURL_HTTP_VERSION_2TLS;
}

/// In milliseconds, at least 1: libcurl takes 0 for its own default of five minutes.
inline long connect_timeout(std::chrono::milliseconds limit) noexcept {
  constexpr std::chrono::milliseconds longest{(std::numeric_limits<int>::max)()};
  return static_cast<long>((limit.count() == 0 ? longest : (std::min)(limit, longest)).count());
}

/// Whether the environment names a proxy for http or https, in libcurl's spelling.
inline bool environment_names_proxy() noexcept {
  constexpr std::array names{"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
  return std::any_of(names.begin(), names.end(), [](const char* name) {
    const char* const proxy = std::getenv(name);
    return proxy != nullptr && *proxy != '\0';
  });
}

/// Where the request leaves from and how it travels.
inline void set_route(OptionSetter& options, const TransportRequest& request) {
  options.set(CURLOPT_NOSIGNAL, 1L, "signals");
#if LIBCURL_VERSION_NUM >= 0x075500
  options.set(CURLOPT_PROTOCOLS_STR, "http,https", "protocols");
#else
  options.set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS), "protocols");
#endif
  options.set(CURLOPT_HTTP_VERSION, http_version(request.http.version), "http.version");
  options.set(CURLOPT_CONNECTTIMEOUT_MS, connect_timeout(request.timeouts.connect), "timeouts.connect");
#if LIBCURL_VERSION_NUM >= 0x075700
  // Without it a cancelled call waits for the name service to answer.
  options.set(CURLOPT_QUICK_EXIT, 1L, "quick exit");
#endif
  options.set_text(CURLOPT_INTERFACE, request.source, "egress.source");
  options.set_text(CURLOPT_UNIX_SOCKET_PATH, request.http.unix_socket, "http.unix_socket");
  if (request.proxy) {
    options.set(CURLOPT_PROXY, request.proxy->c_str(), "egress.proxy");
    options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L, "proxy");
  } else if (!environment_names_proxy()) {
    // Else libcurl searches the environment in every request.
    options.set(CURLOPT_PROXY, "", "egress.proxy");
  }
  if (request.fresh_connection) {
    options.set(CURLOPT_FRESH_CONNECT, 1L, "retry.replay");
    options.set(CURLOPT_FORBID_REUSE, 1L, "retry.replay");
  }
}

}  // namespace tokenpool::curl
