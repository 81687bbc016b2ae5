#pragma once
// What Prometheus scrapes at /metrics: the pool by <tokenpool/prometheus.hpp>, as text.

#include <functional>
#include <memory>
#include <string>

#include "tokenpool/client/observer.hpp"
#include "tokenpool/pool/snapshot.hpp"

namespace gateway {

/// Counts and shows. Thread-safe.
class Metrics {
 public:
  explicit Metrics(std::function<tokenpool::PoolSnapshot()> snapshot);
  ~Metrics();

  /// Counts what the client tells and passes it on to `next`.
  [[nodiscard]] tokenpool::Observer observer(tokenpool::Observer next) const;

  /// In Prometheus' text format.
  [[nodiscard]] std::string text() const;

 private:
  struct Collectables;
  std::unique_ptr<Collectables> collectables_;
};

}  // namespace gateway
