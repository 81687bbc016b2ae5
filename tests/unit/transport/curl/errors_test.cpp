#include "tokenpool/transport/curl/errors.hpp"

#include <string>

#include "catch_compat.hpp"

using namespace tokenpool;
using curl::failure_kind;

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

TEST_CASE("a failure is told in libcurl's words where it has some") {
  CHECK(std::string(curl::failure_text(CURLE_RECV_ERROR, "Connection reset by peer")) ==
        "Connection reset by peer");
  CHECK(std::string(curl::failure_text(CURLE_RECV_ERROR, "")) == curl_easy_strerror(CURLE_RECV_ERROR));
}
