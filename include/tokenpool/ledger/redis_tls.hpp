#pragma once
// TLS for the way to a Redis server. Apart from redis.hpp because it needs more: hiredis 1.0 or later with
// its TLS part, and OpenSSL. Where hiredis has none (Debian 12's is 0.14) this header compiles and using it
// does not, with a sentence that says so.

#include <functional>
#include <string>

#include "tokenpool/base/error.hpp"
#include "tokenpool/ledger/redis/options.hpp"

#if __has_include(<hiredis/hiredis_ssl.h>) && __has_include(<openssl/ssl.h>)
#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#define TOKENPOOL_REDIS_HAS_TLS 1
#else
#define TOKENPOOL_REDIS_HAS_TLS 0
#endif

namespace tokenpool {

/// Whom to trust and who we are. File names; an empty one is left out.
struct RedisTls {
  std::string ca_file{};      ///< with ca_path empty, too: the system's authorities
  std::string ca_path{};      ///< a folder of certificates by hash
  std::string client_cert{};  ///< PEM, the chain included
  std::string client_key{};   ///< PEM; default: in client_cert
  std::string server_name{};  ///< whom the server's certificate must name; default: RedisOptions::host
  bool verify = true;         ///< false: anybody can pose as the server; for tests
};

#if TOKENPOOL_REDIS_HAS_TLS

namespace detail {

using SslContext = std::shared_ptr<SSL_CTX>;

/// Throws Error{invalid_request} that names the file that does not do.
inline SslContext ssl_context(const RedisTls& tls) {
  const SslContext context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const auto require = [](bool done, const std::string& field) {
    if (!done) {
      throw Error(ErrorCode::invalid_request,
                  "RedisTls." + field + " cannot be used: check that it is there");
    }
  };
  const auto name = [](const std::string& text) { return text.empty() ? nullptr : text.c_str(); };
  require(context != nullptr && SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1, "verify");
  if (tls.ca_file.empty() && tls.ca_path.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else {
    require(SSL_CTX_load_verify_locations(context.get(), name(tls.ca_file), name(tls.ca_path)) == 1,
            "ca_file \"" + tls.ca_file + "\" or ca_path \"" + tls.ca_path + "\"");
  }
  if (!tls.client_cert.empty()) {
    const std::string& key = tls.client_key.empty() ? tls.client_cert : tls.client_key;
    require(SSL_CTX_use_certificate_chain_file(context.get(), tls.client_cert.c_str()) == 1,
            "client_cert \"" + tls.client_cert + "\"");
    require(SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) == 1,
            "client_key \"" + key + "\"");
  }
  SSL_CTX_set_verify(context.get(), tls.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return context;
}

/// hiredis looks at who signed the certificate; that it names this very server is asked for here.
inline void expect_name(SSL& ssl, const std::string& name) {
  X509_VERIFY_PARAM* const wanted = SSL_get0_param(&ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) != 1) {
    X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), name.size());
    SSL_set_tlsext_host_name(&ssl, name.c_str());
  }
}

}  // namespace detail

/// For RedisOptions::secure. Reads the files once; throws Error{invalid_request} when one does not do.
inline std::function<void(redisContext&, const std::string&)> redis_tls(const RedisTls& tls = {}) {
  return [context = detail::ssl_context(tls), server_name = tls.server_name](redisContext& connection,
                                                                             const std::string& host) {
    SSL* const ssl = SSL_new(context.get());
    if (ssl != nullptr) {
      detail::expect_name(*ssl, server_name.empty() ? host : server_name);
    }
    if (ssl == nullptr || redisInitiateSSL(&connection, ssl) != REDIS_OK) {
      SSL_free(ssl);
      throw Error(ErrorCode::ledger, std::string("TLS with Redis: ") + connection.errstr);
    }
  };
}

#else

/// Does not compile where hiredis has no TLS, and says what is missing.
template <class Tls = RedisTls>
std::function<void(redisContext&, const std::string&)> redis_tls(const Tls& = {}) {
  static_assert(!sizeof(Tls),
                "hiredis has no TLS here: it takes hiredis 1.0 with hiredis_ssl.h, and OpenSSL");
  return {};
}

#endif

}  // namespace tokenpool
