#pragma once
// Where alerts go and when they are sent, with defaults that suit a person's chat.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tokenpool/base/secret.hpp"
#include "tokenpool/client/options.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/url.hpp"
#include "tokenpool/retry/backoff.hpp"
#include "tokenpool/transport/transport.hpp"

namespace tokenpool {

/// The options of Alerts. A plain value.
struct AlertOptions {
  Secret url{};           ///< of the hook, http or https; it is often a credential, so nothing shows it
  Headers headers{};      ///< sent with each alert, such as an Authorization
  std::string name{};     ///< of the program: begins each text; default: none
  std::size_t floor = 0;  ///< alert when fewer tokens than this are available; 0: never
  std::chrono::milliseconds hold{5'000};  ///< how long they have to be fewer
  std::chrono::milliseconds calm{
      60'000};  ///< how long a fact must be over to be told anew when it comes back
  std::chrono::milliseconds look_every{5'000};  ///< between two looks at the pool
  std::chrono::milliseconds timeout{10'000};    ///< of one try to deliver an alert
  Backoff backoff{.first = std::chrono::seconds(1), .max = std::chrono::seconds(60)};  ///< between tries
  std::chrono::milliseconds give_up{600'000};  ///< how old an alert may become undelivered
  std::size_t max_queued = 100;                ///< alerts that wait to be delivered; more are dropped
  std::chrono::milliseconds flush{2'000};      ///< what is left may take at the end, at most
  TlsOptions tls{};                            ///< how the hook proves who it is
};

/// What became of alerts so far.
struct AlertCounts {
  std::uint64_t delivered{};   ///< the hook answered 2xx
  std::uint64_t failed{};      ///< refused by the hook, or given up
  std::uint64_t dropped{};     ///< never tried: too many were queued, or the end came first
  std::size_t queued{};        ///< waiting now, the one under way included
  std::string last_problem{};  ///< why the last try that failed did: a status, or what was wrong with the way
};

namespace detail {

/// Throws Error{invalid_request} that names the unfit field. The URL is not shown.
inline void check_alert_options(const AlertOptions& options) {
  const std::string_view url = options.url.reveal();
  if (!parse_base_url(url.substr(0, url.find('?'))) || problem_with_path(url)) {
    unfit_option(
        "alerts: url is not fit: give the http:// or https:// URL of the hook, without user and fragment");
  }
  check_headers(options.headers, "alerts: headers");
  check_duration(options.hold, "alerts: hold");
  check_duration(options.calm, "alerts: calm");
  check_duration(options.give_up, "alerts: give_up");
  check_duration(options.flush, "alerts: flush");
  if (options.look_every.count() <= 0 || options.timeout.count() <= 0) {
    unfit_option("alerts: look_every or timeout is 0 or less: give a time above 0, for example 5s");
  }
  if (options.backoff.first.count() <= 0 || options.backoff.max < options.backoff.first) {
    unfit_option("alerts: backoff is unfit: give a first wait above 0 and a longest not below it");
  }
}

}  // namespace detail

}  // namespace tokenpool
