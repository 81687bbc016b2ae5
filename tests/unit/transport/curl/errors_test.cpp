#include "tokenpool/transport/curl/errors.hpp"

#include <string>

#include "catch_compat.hpp"

using namespace tokenpool;
using detail::curl::failure_kind;

TEST_CASE("what libcurl says before the request went out is about the way") {
  CHECK(failure_kind(CURLE_COULDNT_RESOLVE_HOST, false) == FailureKind::connect);
  CHECK(failure_kind(CURLE_COULDNT_CONNECT, false) == FailureKind::connect);
  CHECK(failure_kind(CURLE_OPERATION_TIMEDOUT, false) == FailureKind::connect);
  CHECK(failure_kind(CURLE_RECV_ERROR, false) == FailureKind::connect);
  CHECK(failure_kind(CURLE_INTERFACE_FAILED, false) == FailureKind::connect);
  CHECK(failure_kind(CURLE_COULDNT_RESOLVE_PROXY, false) == FailureKind::proxy);
  CHECK(failure_kind(CURLE_PEER_FAILED_VERIFICATION, false) == FailureKind::tls);
  CHECK(failure_kind(CURLE_UNSUPPORTED_PROTOCOL, false) == FailureKind::unfit);
  CHECK(failure_kind(CURLE_URL_MALFORMAT, false) == FailureKind::unfit);
}

TEST_CASE("what libcurl says after the request went out is about the exchange") {
  for (const CURLcode code : {CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE,
                              CURLE_OPERATION_TIMEDOUT, CURLE_HTTP2, CURLE_HTTP2_STREAM}) {
    INFO(curl_easy_strerror(code));
    CHECK(failure_kind(code, true) == FailureKind::lost);
  }
  CHECK(failure_kind(CURLE_UNSUPPORTED_PROTOCOL, true) == FailureKind::protocol);
  CHECK(failure_kind(CURLE_WEIRD_SERVER_REPLY, true) == FailureKind::protocol);
  CHECK(failure_kind(CURLE_OUT_OF_MEMORY, true) == FailureKind::too_large);
  CHECK(failure_kind(CURLE_SEND_FAIL_REWIND, true) == FailureKind::body);
}

TEST_CASE("what has one code in libcurl is told apart by its text") {
  const char* no_certificate =
      "OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0";
  CHECK(failure_kind(CURLE_RECV_ERROR, true, no_certificate) == FailureKind::tls);
  CHECK(failure_kind(CURLE_RECV_ERROR, true, "SSL_read: error:0A000438:tlsv1 alert internal error") ==
        FailureKind::lost);
  CHECK(failure_kind(CURLE_RECV_ERROR, true, "Too large response headers: 310000 > 307200") ==
        FailureKind::too_large);
  CHECK(failure_kind(CURLE_RECV_ERROR, false, "CONNECT tunnel failed, response 407") == FailureKind::proxy);
  CHECK(failure_kind(CURLE_RECV_ERROR, false, "Received HTTP code 407 from proxy after CONNECT") ==
        FailureKind::proxy);
  CHECK(failure_kind(CURLE_SSL_CONNECT_ERROR, false,
                     "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection") == FailureKind::connect);
  CHECK(failure_kind(CURLE_SSL_CONNECT_ERROR, false, "SSL routines::wrong version number") ==
        FailureKind::tls);
}

TEST_CASE("a failure is told in libcurl's words where it has some") {
  CHECK(detail::curl::failure_text(CURLE_RECV_ERROR, "Connection reset by peer") ==
        "Connection reset by peer");
  CHECK(detail::curl::failure_text(CURLE_RECV_ERROR, "") == curl_easy_strerror(CURLE_RECV_ERROR));
}

TEST_CASE("a failure names the option that it has to do with") {
  CHECK(detail::curl::failure_text(CURLE_OPERATION_TIMEDOUT, "too slow") ==
        "too slow (see timeouts.connect)");
  CHECK(detail::curl::failure_text(CURLE_PEER_FAILED_VERIFICATION, "self-signed certificate") ==
        "self-signed certificate (see tls.ca_file)");
  CHECK(detail::curl::failure_text(CURLE_PEER_FAILED_VERIFICATION, "certificate has expired") ==
        "certificate has expired");
}

TEST_CASE("the URL of an unfit proxy is not told because it may hold a password") {
  const std::string text = detail::curl::failure_text(CURLE_COULDNT_RESOLVE_PROXY,
                                                      "Unsupported proxy syntax in 'http://user:canary@'");
  CHECK(text.find("canary") == std::string::npos);
  CHECK(text.find("egress.proxy") != std::string::npos);
}
