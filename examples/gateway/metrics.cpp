#include "metrics.hpp"

#include <prometheus/text_serializer.h>

#include <iterator>
#include <optional>
#include <utility>

#include "tokenpool/prometheus.hpp"

namespace gateway {

struct Metrics::Collectables {
  tokenpool::AttemptMetrics attempts;
  tokenpool::PoolCollectable pool;
};

Metrics::Metrics(std::function<tokenpool::PoolSnapshot()> snapshot)
    : collectables_(std::make_unique<Collectables>()) {
  collectables_->pool.add([snapshot = std::move(snapshot)] { return std::optional(snapshot()); });
}
Metrics::~Metrics() = default;

tokenpool::Observer Metrics::observer(tokenpool::Observer next) const {
  return collectables_->attempts.observer(std::move(next));
}

std::string Metrics::text() const {
  auto families = collectables_->attempts.Collect();
  auto of_pool = collectables_->pool.Collect();
  families.insert(families.end(), std::make_move_iterator(of_pool.begin()),
                  std::make_move_iterator(of_pool.end()));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace gateway
