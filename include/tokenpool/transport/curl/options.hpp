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
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/http/failure.hpp"
#include "tokenpool/transport/curl/callbacks.hpp"
#include "tokenpool/transport/curl/handle.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool::detail::curl {

/// Sets options and remembers the first that this libcurl refuses.
class OptionSetter {
 public:
  explicit OptionSetter(CURL* easy) : easy_(easy) {}

  template <class Value>
  void set(CURLoption option, Value value, const char* name) {
    if (const CURLcode code = curl_easy_setopt(easy_, option, value); code != CURLE_OK) {
      note(code, name);
    }
  }

  /// Notes what a call that is no curl_easy_setopt said.
  void note(CURLcode code, const std::string& name) {
    if (code != CURLE_OK && !refused_) {
      refused_ = name + ": " + curl_easy_strerror(code);
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

/// Whether the request has a body, be it an empty one.
inline bool sends_body(const TransportRequest& request) noexcept {
  const std::string_view method = request.method;
  return method != "HEAD" &&
         (!request.body.empty() || method == "POST" || method == "PUT" || method == "PATCH");
}

inline BodyTraits traits_of_body(const TransportRequest& request, bool sent) noexcept {
  constexpr std::uint64_t held_back_above = 1'000'000;
  const std::uint64_t size = request.body.size().value_or((std::numeric_limits<std::uint64_t>::max)());
  return {sent, request.body.streamed() || size > held_back_above, request.body.parts() != nullptr};
}

/// The bytes of a text body, which libcurl reads from where they lie.
inline void set_text_body(OptionSetter& options, const Transfer& transfer, const TransportRequest& request) {
  if (transfer.sends_body && request.body.plain()) {
    options.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.text().size()),
                "body size");
    options.set(CURLOPT_POSTFIELDS, request.body.text().data(), "body");
  }
}

/// A body that libcurl puts together (RFC 7578), for as long as the transfer lives. Contents are copied,
/// files are read when their turn comes.
inline Mime multipart(OptionSetter& options, CURL* easy, const std::vector<Part>& parts) {
  Mime mime(made(curl_mime_init(easy)));
  for (const Part& part : parts) {
    curl_mimepart* field = made(curl_mime_addpart(mime.get()));
    const std::string name = "the part \"" + part.name + '"';
    options.note(curl_mime_name(field, part.name.c_str()), name);
    options.note(part.file.empty() ? curl_mime_data(field, part.content.data(), part.content.size())
                                   : curl_mime_filedata(field, part.file.c_str()),
                 name + (part.file.empty() ? "" : " of the file " + part.file));
    if (!part.filename.empty()) {
      options.note(curl_mime_filename(field, part.filename.c_str()), name);
    }
    if (!part.content_type.empty()) {
      options.note(curl_mime_type(field, part.content_type.c_str()), name);
    }
  }
  options.set(CURLOPT_MIMEPOST, mime.get(), "body");
  return mime;
}

/// Method and body. The verb is always set, or left to what libcurl derives from nothing but this request.
inline void set_method(OptionSetter& options, Transfer& transfer, const TransportRequest& request) {
  const std::string& method = request.method;
  if (request.body.streamed()) {
    set_streamed_body(options, transfer, request.body);
  } else {
    set_text_body(options, transfer, request);
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

inline const char* text_or_null(const std::string& text) noexcept {
  return text.empty() ? nullptr : text.c_str();
}

inline long tls_version(const TlsOptions& tls) noexcept {
  return tls.min_version == "1.3" ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2;
}

inline void set_tls(OptionSetter& options, const TlsOptions& tls) {
  options.set(CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L, "tls.verify");
  options.set(CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L, "tls.verify");
  options.set(CURLOPT_SSLVERSION, tls_version(tls), "tls.min_version");
  if (!tls.ca_file.empty() || !tls.ca_path.empty()) {
    // Both, for whichever is not set would remain the system's.
    options.set(CURLOPT_CAINFO, text_or_null(tls.ca_file), "tls.ca_file");
    options.set(CURLOPT_CAPATH, text_or_null(tls.ca_path), "tls.ca_path");
  }
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

/// `source` as libcurl wants it. Without saying which of the two it is, libcurl would ask the name service
/// for a device that it does not find, and block.
inline std::string local_end(const std::string& source) {
  const bool address = source.find_first_not_of("0123456789.") == std::string::npos ||
                       std::count(source.begin(), source.end(), ':') > 1;
  return (address ? "host!" : "if!") + source;
}

/// An https:// proxy proves who it is by the same rules as the server, but for the client's certificate and
/// the pin, which are the server's.
inline void set_proxy_tls(OptionSetter& options, const TlsOptions& tls) {
  options.set(CURLOPT_PROXY_SSL_VERIFYPEER, tls.verify ? 1L : 0L, "tls.verify");
  options.set(CURLOPT_PROXY_SSL_VERIFYHOST, tls.verify ? 2L : 0L, "tls.verify");
  options.set(CURLOPT_PROXY_SSLVERSION, tls_version(tls), "tls.min_version");
  if (!tls.ca_file.empty() || !tls.ca_path.empty()) {
    options.set(CURLOPT_PROXY_CAINFO, text_or_null(tls.ca_file), "tls.ca_file");
    options.set(CURLOPT_PROXY_CAPATH, text_or_null(tls.ca_path), "tls.ca_path");
  }
}

/// Where the request leaves from.
inline void set_egress(OptionSetter& options, const TransportRequest& request) {
  if (!request.source.empty()) {
    options.set(CURLOPT_INTERFACE, local_end(request.source).c_str(), "egress.source");
  }
  const bool no_proxy = !request.proxy && !environment_names_proxy();
  if (request.proxy || no_proxy) {
    // Left to libcurl it searches the environment in every request, where no_proxy would let requests leave
    // elsewhere than this egress says.
    options.set(CURLOPT_PROXY, request.proxy ? request.proxy->c_str() : "", "egress.proxy");
    options.set(CURLOPT_NOPROXY, "", "egress.proxy");
  }
  if (no_proxy) {
    return;
  }
  // What a proxy answers to CONNECT is not the server's answer.
  options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L, "proxy");
  if (!request.proxy || request.proxy->starts_with("https:")) {
    set_proxy_tls(options, request.tls);
  }
}

/// How the request travels.
inline void set_route(OptionSetter& options, const TransportRequest& request) {
  options.set(CURLOPT_NOSIGNAL, 1L, "signals");
#if LIBCURL_VERSION_NUM >= 0x075500
  options.set(CURLOPT_PROTOCOLS_STR, "http,https", "protocols");
#else
  options.set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS), "protocols");
#endif
  options.set(CURLOPT_HTTP_VERSION, http_version(request.http.version), "http.version");
  if (request.http.version != HttpOptions::Version::http1_1 && request.url.starts_with("https:")) {
    // Calls that begin together wait for the first connection to show whether it can carry them all.
    options.set(CURLOPT_PIPEWAIT, 1L, "http.version");
  }
  options.set(CURLOPT_ACCEPT_ENCODING, "", "compression");  // unpacks; HeaderLines asks for it
  // Half of libcurl's own, which every request in flight has.
  options.set(CURLOPT_BUFFERSIZE, 8L << 10U, "receive buffer");
  options.set(CURLOPT_CONNECTTIMEOUT_MS, connect_timeout(request.timeouts.connect), "timeouts.connect");
#if LIBCURL_VERSION_NUM >= 0x075700
  // Without it a cancelled call waits for the name service to answer.
  options.set(CURLOPT_QUICK_EXIT, 1L, "quick exit");
#endif
  options.set_text(CURLOPT_UNIX_SOCKET_PATH, request.http.unix_socket, "http.unix_socket");
  if (request.fresh_connection) {
    options.set(CURLOPT_FRESH_CONNECT, 1L, "retry.replay");
    options.set(CURLOPT_FORBID_REUSE, 1L, "retry.replay");
  }
  set_egress(options, request);
}

}  // namespace tokenpool::detail::curl
