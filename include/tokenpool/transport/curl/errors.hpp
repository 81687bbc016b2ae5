#pragma once
// libcurl's codes in our words.

#include <curl/curl.h>

#include <string>

#include "tokenpool/http/failure.hpp"

namespace tokenpool::curl {

/// What kind of failure a code is; `sent` says whether the request went out, which decides for the codes that
/// come in every phase.
inline FailureKind failure_kind(CURLcode code, bool sent) noexcept {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return FailureKind::proxy;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED: return FailureKind::connect;
    case CURLE_SSL_CONNECT_ERROR:
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

/// What to tell people of a failure; `detail` is what libcurl wrote into its error buffer.
inline const char* failure_text(CURLcode code, const char* detail) noexcept {
  if (code == CURLE_OUT_OF_MEMORY) {
    return "memory ran out, or the answer has a header line above libcurl's own maximum";
  }
  return *detail != '\0' ? detail : curl_easy_strerror(code);
}

}  // namespace tokenpool::curl
