#pragma once
// Alerts for people: an observer that posts what somebody has to know to a web hook, once per fact. It is
// part of tokenpool::tokenpool.
//
//     tokenpool::Alerts alerts{{.url = "https://hooks.example.com/x", .name = "billing", .floor = 2}};
//     tokenpool::Client<> client{{.base_url = ..., .tokens = ..., .observer = alerts.observer()}};
//     alerts.watch(client);
//
// The body is a JSON object. `text` is a sentence, which Slack, Mattermost and their like show; `kind`, `at`
// (RFC 3339) and, if it was given, `name` are always there; the rest goes by the kind:
//
//     token_ejected             token, cause (a verdict), reason
//     exhausted                 reason, until (absent when nobody knows)
//     shared_limit              scope, scope_id, reason, until (the same)
//     below_floor, above_floor  available, floor

#include <memory>
#include <string>
#include <utility>

#include "tokenpool/alerts/desk.hpp"
#include "tokenpool/alerts/options.hpp"
#include "tokenpool/client/observer.hpp"
#include "tokenpool/pool/snapshot.hpp"

namespace tokenpool {

/// Posts alerts to a web hook from a thread of its own; calls never wait for it. What the hook does not take
/// is tried again with back-off until AlertOptions::give_up, in order; counts() shows what got lost.
///
/// A token is told of again after it has been back for AlertOptions::calm; exhaustion and a shared limit once
/// the time they named has passed and nothing was heard of them for as long. With several clients make one
/// for each. Thread-safe; may be destroyed before its clients or after.
class Alerts {
 public:
  /// Throws Error{invalid_request} that names the unfit field, and never shows the URL.
  explicit Alerts(AlertOptions options) {
    detail::check_alert_options(options);
    desk_ = std::make_shared<detail::AlertDesk>(std::move(options));
    desk_->start();
  }
  Alerts(const Alerts&) = delete;
  Alerts& operator=(const Alerts&) = delete;
  /// Tries what is queued once more, for no longer than AlertOptions::flush in all.
  ~Alerts() { desk_->stop(); }

  /// Hears what there is to tell, then passes everything on to `next`. For ClientOptions::observer.
  [[nodiscard]] Observer observer(Observer next = {}) const {
    return both({.on_ejected = [desk = desk_](const EjectedEvent& event) { desk->hear(event); },
                 .on_exhausted = [desk = desk_](const ExhaustedEvent& event) { desk->hear(event); },
                 .on_shared_limit = [desk = desk_](const SharedLimitEvent& event) { desk->hear(event); }},
                std::move(next));
  }

  /// Looks at the pool of `client` from now on, every AlertOptions::look_every: without it nothing is told of
  /// the floor, and an ejection is over after `calm`. With a ledger each look asks it (Client::stats).
  template <Watchable Source>
  void watch(const Source& client) {
    desk_->watch(client.stats_source());
  }

  /// What became of alerts so far.
  [[nodiscard]] AlertCounts counts() const { return desk_->counts(); }

 private:
  std::shared_ptr<detail::AlertDesk> desk_;
};

}  // namespace tokenpool
