#pragma once
// What a snapshot cannot show: events, counted as they are told.

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/base/utf8.hpp"
#include "tokenpool/client/observer.hpp"

namespace tokenpool {

namespace detail {

/// The families of AttemptMetrics. Thread-safe.
struct EventFamilies {
  using Counters = prometheus::Family<prometheus::Counter>;
  using Histograms = prometheus::Family<prometheus::Histogram>;

  prometheus::Registry registry{};
  Counters& attempts = counters("tokenpool_attempts_total",
                                "Requests on the wire, by token, what the answer meant, and its status.");
  Histograms& durations =
      histograms("tokenpool_attempt_duration_seconds", "Time on the wire of each request.");
  Histograms& waits = histograms("tokenpool_attempt_wait_seconds",
                                 "Time that each request waited for a token or for back-off.");
  Counters& retries = counters("tokenpool_retries_total",
                               "Calls that went on with another request, by what made it necessary.");
  Counters& rests =
      counters("tokenpool_rests_total", "Rests that began, by whose limit it was and the cause.");
  Counters& ejections =
      counters("tokenpool_ejections_total", "Tokens taken out until a person acts, by cause.");
  Counters& exhausted =
      counters("tokenpool_exhausted_calls_total", "Calls that ended because nothing was available.");
  Counters& shared_limits = counters("tokenpool_shared_limits_total",
                                     "Times that several tokens failed alike, by what they shared.");

 private:
  Counters& counters(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Histograms& histograms(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }
};

/// Counts the events of one pool. Thread-safe.
class EventCounts {
 public:
  EventCounts(std::shared_ptr<EventFamilies> families, const std::string& pool)
      : families_(std::move(families)),
        pool_(as_utf8(pool)),
        duration_(families_->durations.Add(labels(), bounds())),
        wait_(families_->waits.Add(labels(), bounds())),
        exhausted_(families_->exhausted.Add(labels())) {}

  void count(const AttemptEvent& event) {
    const Attempt& attempt = event.attempt;
    add(families_->attempts, {{"token", as_utf8(attempt.token_id)},
                              {"verdict", std::string(to_string(attempt.verdict))},
                              {"status", status_class(attempt.status)}});
    duration_.Observe(std::chrono::duration<double>(attempt.duration).count());
    wait_.Observe(std::chrono::duration<double>(attempt.waited).count());
  }
  void count(const RetryEvent& event) {
    add(families_->retries, {{"verdict", std::string(to_string(event.after.verdict))}});
  }
  void count(const RestEvent& event) {
    add(families_->rests,
        {{"scope", std::string(to_string(event.scope))}, {"verdict", std::string(to_string(event.cause))}});
  }
  void count(const EjectedEvent& event) {
    add(families_->ejections, {{"verdict", std::string(to_string(event.cause))}});
  }
  void count(const ExhaustedEvent&) { exhausted_.Increment(); }
  void count(const SharedLimitEvent& event) {
    add(families_->shared_limits, {{"scope", std::string(to_string(event.scope))}});
  }

 private:
  [[nodiscard]] prometheus::Labels labels(prometheus::Labels labels = {}) const {
    if (!pool_.empty()) {
      labels.emplace("pool", pool_);
    }
    return labels;
  }

  void add(EventFamilies::Counters& family, prometheus::Labels by) const {
    family.Add(labels(std::move(by))).Increment();
  }

  /// "4xx"; "none" without an answer. Never the number itself, which is the server's to choose.
  static std::string status_class(int status) {
    if (status >= 100 && status < 600) {
      return std::to_string(status / 100) + "xx";
    }
    return status == 0 ? "none" : "other";
  }

  /// In seconds, from an error page's time to that of a long completion.
  static prometheus::Histogram::BucketBoundaries bounds() {
    return {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250};
  }

  std::shared_ptr<EventFamilies> families_;
  std::string pool_;
  prometheus::Histogram& duration_;
  prometheus::Histogram& wait_;
  prometheus::Counter& exhausted_;
};

}  // namespace detail

/// Counts what clients tell their observers: requests by token, verdict and class of status, their times,
/// retries, rests, ejections and calls that ended exhausted. Labels hold what the program itself has named
/// and words of this library's: the number of series is bounded by the tokens that ever were, and no path,
/// header or body is shown. Counts never go down. Thread-safe.
class AttemptMetrics : public prometheus::Collectable {
 public:
  /// Counts, then passes everything on to `next`. For ClientOptions::observer, and good for as long as
  /// anybody has it, also when this object is gone. With several clients give each its own `pool`, a label of
  /// its series.
  [[nodiscard]] Observer observer(Observer next = {}, const std::string& pool = {}) const {
    const auto counts = std::make_shared<detail::EventCounts>(families_, pool);
    return both({.on_attempt = [counts](const AttemptEvent& event) { counts->count(event); },
                 .on_retry = [counts](const RetryEvent& event) { counts->count(event); },
                 .on_rest = [counts](const RestEvent& event) { counts->count(event); },
                 .on_ejected = [counts](const EjectedEvent& event) { counts->count(event); },
                 .on_exhausted = [counts](const ExhaustedEvent& event) { counts->count(event); },
                 .on_shared_limit = [counts](const SharedLimitEvent& event) { counts->count(event); }},
                std::move(next));
  }

  /// What prometheus-cpp asks for at each scrape. Thread-safe.
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
    return families_->registry.Collect();
  }

 private:
  std::shared_ptr<detail::EventFamilies> families_ = std::make_shared<detail::EventFamilies>();
};

}  // namespace tokenpool
