#pragma once
// The side door to Prometheus, by prometheus-cpp: what a pool is, from its snapshots, and what happened, from
// its observer. CMake: the component `prometheus`.
//
//     auto attempts = std::make_shared<tokenpool::AttemptMetrics>();
//     tokenpool::Client<> client{{.base_url = ..., .tokens = ..., .observer = attempts->observer()}};
//     auto pool = std::make_shared<tokenpool::PoolCollectable>(client);
//
//     prometheus::Exposer exposer{"127.0.0.1:9464"};  // prometheus-cpp::pull
//     exposer.RegisterCollectable(attempts);
//     exposer.RegisterCollectable(pool);

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tokenpool/pool/snapshot.hpp"
#include "tokenpool/prometheus/attempt_metrics.hpp"
#include "tokenpool/prometheus/families.hpp"

namespace tokenpool {

/// What pools are at the moment of a scrape: the state of each token, account and egress, what is left of
/// their rests and limits, requests under way, calls that wait. A token that was removed is shown no more
/// once its last request has ended; counts of one that is added again go on. What servers call their limits
/// is not shown, for the number of such names is theirs to choose. Thread-safe.
///
/// A client may be destroyed before, during and after a scrape: its series end with it. With a ledger each
/// scrape asks it (Client::stats).
class PoolCollectable : public prometheus::Collectable {
 public:
  PoolCollectable() = default;

  /// Of one client, or anything else that has a stats_source().
  template <class Source>
    requires requires(const Source& source) {
      { source.stats_source() } -> std::convertible_to<StatsSource>;
    }
  explicit PoolCollectable(const Source& source) { add(source.stats_source()); }

  /// Shows one more pool. With several give each its own `name`, the label `pool` of its series. A function
  /// that refers to something has to answer nothing once that is gone.
  void add(StatsSource source, std::string name = {}) {
    const std::lock_guard lock(mutex_);
    sources_.emplace_back(std::move(source), std::move(name));
  }

  /// What prometheus-cpp asks for at each scrape. Thread-safe.
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
    const std::lock_guard lock(mutex_);
    detail::SnapshotWriter writer(counts_);
    for (const auto& [source, name] : sources_) {
      if (const std::optional<PoolSnapshot> snapshot = source()) {
        writer.add(*snapshot, name);
      }
    }
    return writer.take();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<StatsSource, std::string>> sources_;
  mutable detail::LastingCounts counts_;
};

}  // namespace tokenpool
