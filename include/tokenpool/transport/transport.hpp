#pragma once
// What moves the bytes, as a concept: it is given a complete request and brings back an answer or the reason
// why there is none. It knows nothing of tokens and pools.

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tokenpool/base/time.hpp"
#include "tokenpool/http/answer.hpp"
#include "tokenpool/http/body.hpp"
#include "tokenpool/http/failure.hpp"
#include "tokenpool/quota/attempt.hpp"
#include "tokenpool/transport/body_sink.hpp"
#include "tokenpool/transport/interrupt.hpp"

namespace tokenpool {

/// Time limits. Zero means none.
struct Timeouts {
  std::chrono::milliseconds connect{10'000};  ///< name, connection, proxy and TLS of one attempt
  std::chrono::milliseconds first_byte{0};    ///< from the request's end to the answer's status line
  std::chrono::milliseconds idle{60'000};     ///< no byte in the middle of an answer, or of a body going out
  std::chrono::milliseconds total{
      600'000};  ///< of a call, waits and retries included, unless Request::deadline says less
};

/// How the peer has to prove who it is.
struct TlsOptions {
  std::string ca_file{};      ///< PEM; whom to trust, and with ca_path nobody else; default: the system's
  std::string ca_path{};      ///< directory of hashed certificates (openssl rehash)
  std::string client_cert{};  ///< PEM
  std::string client_key{};   ///< PEM, without a passphrase; default: in client_cert
  bool verify = true;         ///< certificate and host name; turn off for experiments only
  std::string min_version{"1.2"};   ///< "1.2" or "1.3"
  std::string pinned_public_key{};  ///< "sha256//BASE64", several parted by ";", or a file with the key
};

/// Details of HTTP.
struct HttpOptions {
  /// Which HTTP is spoken; `automatic` is libcurl's choice: HTTP/2 over TLS where the server has it.
  enum class Version : std::uint8_t { automatic, http1_1, http2 };
  Version version = Version::automatic;                     ///< asked for
  std::size_t max_connections_per_host = 0;                 ///< of asynchronous calls; 0: no limit
  std::size_t max_response_bytes = std::size_t{64} << 20U;  ///< of a body, unpacked
  std::size_t max_header_bytes = std::size_t{256} << 10U;   ///< of a header block
  std::vector<std::string> resolve{};  ///< "host:port:address", instead of the name service
  std::string unix_socket{};           ///< path of a socket to use instead of TCP
};

/// One request, complete. Refers to what the caller keeps alive during perform().
struct TransportRequest {
  const std::string& method;                ///< as it goes over the wire
  const std::string& url;                   ///< whole, the credential included where it goes into the query
  const HeaderViews& headers;               ///< all that go out but the framing
  Body& body;                               ///< rewound by the transport
  const std::string& source;                ///< local address or device; empty: the system's choice
  const std::optional<std::string>& proxy;  ///< empty text: none; absent: the system's choice
  const Timeouts& timeouts;                 ///< of this attempt
  const TlsOptions& tls;                    ///< of the client
  const HttpOptions& http;                  ///< of the client
  SteadyTime deadline = end_of_time;        ///< of the call
  std::size_t max_response_bytes = 0;       ///< of the body, unpacked
  /// Names the values of `timeouts`, `tls` and `http`: requests with the same number have the same ones. 0:
  /// say nothing.
  std::uint64_t settings = 0;
  bool fresh_connection = false;  ///< never on a connection that may have died while idle
  BodySink* sink = nullptr;       ///< where the body goes if it wants it; null: it is collected
};

/// What became of a request. Without `failure` the answer is complete, or its sink had enough.
struct Exchange {
  Answer answer{};                            ///< without the body where a sink took it
  std::optional<TransportFailure> failure{};  ///< why there is no whole answer
  bool sent = false;                          ///< bytes of the request may have reached the server
  bool resent = false;                        ///< the transport sent it a second time on a fresh connection
  SteadyTime answered_at{};  ///< when the header block was complete, or when the exchange ended
  Timing timing{};           ///< of the last sending
};

/// A transport: `perform` blocks until the exchange is over, the deadline passes or the interrupt is
/// cancelled, and may be called from several threads at once. It does not throw for what the network or the
/// server did. While a sink has paused, `interrupt` is also rung for it to be asked again.
template <class T>
concept Transport = requires(T& transport, const TransportRequest& request, Interrupt& interrupt) {
  { transport.perform(request, interrupt) } -> std::same_as<Exchange>;
};

}  // namespace tokenpool
