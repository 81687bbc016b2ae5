#pragma once
// libcurl's codes in our words.

#include <curl/curl.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "tokenpool/http/failure.hpp"

namespace tokenpool::detail::curl {

inline bool says(std::string_view detail, std::initializer_list<std::string_view> words) noexcept {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return detail.find(word) != std::string_view::npos; });
}

/// A code that says no more than "while receiving" or "while sending"; the rest is in libcurl's text.
inline FailureKind transfer_failure_kind(bool sent, std::string_view detail) noexcept {
  // From TLS 1.3 on a client hears only after its own handshake that its certificate is missing or refused.
  if (says(detail, {" alert "}) && says(detail, {"certificate", "unknown ca", "access denied"})) {
    return FailureKind::tls;
  }
  if (says(detail, {"Too large response headers"})) {
    return FailureKind::too_large;
  }
  if (sent) {
    return FailureKind::lost;
  }
  return says(detail, {"CONNECT", "proxy"}) ? FailureKind::proxy : FailureKind::connect;
}

/// What kind of failure a code is; `sent` says whether the request went out, which decides for the codes that
/// come in every phase, and `detail` is libcurl's text, which tells apart what has one code.
inline FailureKind failure_kind(CURLcode code, bool sent, std::string_view detail = {}) noexcept {
  switch (code) {
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: return transfer_failure_kind(sent, detail);
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return FailureKind::proxy;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED: return FailureKind::connect;
    case CURLE_SSL_CONNECT_ERROR:  // also what a connection that was cut in the handshake is called
      return says(detail,
                  {"SSL_ERROR_SYSCALL", "SSL_ERROR_ZERO_RETURN", "Connection reset", "unexpected eof"})
                 ? FailureKind::connect
                 : FailureKind::tls;
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS: return FailureKind::tls;
    case CURLE_UNSUPPORTED_PROTOCOL:  // also what an answer that does not begin as HTTP is called
      return sent ? FailureKind::protocol : FailureKind::unfit;
    case CURLE_URL_MALFORMAT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_BAD_FUNCTION_ARGUMENT: return FailureKind::unfit;
    case CURLE_READ_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_SEND_FAIL_REWIND: return FailureKind::body;
    case CURLE_OUT_OF_MEMORY:  // also what a header line above libcurl's own maximum (100 KiB) is called
      return sent ? FailureKind::too_large : FailureKind::unfit;
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE: return FailureKind::too_large;
#endif
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return FailureKind::protocol;
    default: return sent ? FailureKind::lost : FailureKind::connect;
  }
}

/// The option that has to do with a failure; nothing where none has.
inline std::string_view option_of(CURLcode code, std::string_view detail) noexcept {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return "timeouts.connect";  // no other time limit is libcurl's
    case CURLE_PEER_FAILED_VERIFICATION:  // for a date or a name there is no remedy on this side
      return says(detail, {"issuer", "self-signed", "self signed"}) ? "tls.ca_file" : "";
    case CURLE_SSL_CACERT_BADFILE: return "tls.ca_file";
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_CERTPROBLEM: return "tls.client_cert";
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH: return "tls.pinned_public_key";
    case CURLE_INTERFACE_FAILED: return "egress.source";
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return "egress.proxy";
    default: return {};
  }
}

/// What to tell people of a failure; `detail` is what libcurl wrote into its error buffer.
inline std::string failure_text(CURLcode code, std::string_view detail) {
  if (code == CURLE_OUT_OF_MEMORY) {
    return "memory ran out, or the answer has a header line above libcurl's own maximum";
  }
  if (detail.starts_with("Unsupported proxy")) {  // goes on with the whole URL, the password included
    return "the proxy's URL is not one that libcurl takes; it comes from egress.proxy or the environment";
  }
  std::string text(detail.empty() ? curl_easy_strerror(code) : detail);
  const std::string_view option = option_of(code, detail);
  return option.empty() ? text : text.append(" (see ").append(option).append(")");
}

}  // namespace tokenpool::detail::curl
