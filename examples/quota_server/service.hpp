#pragma once

// The HTTP side: each request passes the gate, may meet a fault drawn for it, is counted, logged and
// answered.

#include <httplib.h>

#include <functional>
#include <memory>
#include <string>

#include "access_log.hpp"
#include "counts.hpp"
#include "faults.hpp"
#include "gate.hpp"
#include "options.hpp"
#include "tokens.hpp"

namespace quota_server {

/// Thread-safe; outlives the server it is attached to.
class Service {
 public:
  Service(const Options& options, std::unique_ptr<Store> store, Clock clock);

  /// Adds the routes.
  void attach(httplib::Server& server);

  /// Answers that are being held back leave now.
  void hurry() { pause_.stop(); }

 private:
  /// Fills the response and returns its status.
  using Answer = std::function<int(const httplib::Request&, httplib::Response&)>;

  void metered(const httplib::Request& request, httplib::Response& response, const Answer& answer);
  void unmetered(const httplib::Request& request, httplib::Response& response, const Answer& answer);
  int ruled(const httplib::Request& request, httplib::Response& response, const Credential& credential,
            const Answer& answer);
  int refuse(httplib::Response& response, const Ruling& ruling) const;
  std::string counts_json();
  std::string ip_of(const httplib::Request& request) const;
  void log(const httplib::Request& request, const Credential& credential, int status);

  Options options_;
  Clock clock_;
  Tokens tokens_;
  Gate gate_;
  Faults faults_;
  Pause pause_;
  Counts counts_;
  AccessLog log_;
};

}  // namespace quota_server
