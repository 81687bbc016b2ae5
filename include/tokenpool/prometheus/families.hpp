#pragma once
// A scrape, put together: snapshots of pools as Prometheus' families of metrics. Names and units follow its
// conventions (prometheus.io/docs/practices/naming).

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tokenpool/base/utf8.hpp"
#include "tokenpool/pool/snapshot.hpp"

namespace tokenpool::detail {

/// Counts that never go down. A pool counts anew for a token that was removed and added again; here it goes
/// on from where it was. One entry for each count ever shown. Not thread-safe.
class LastingCounts {
 public:
  /// What to show for the count named `name`, which is `count` in the pool now.
  std::uint64_t shown(const std::string& name, std::uint64_t count) {
    Count& known = counts_[name];
    if (count < known.newest) {
      known.before += known.newest;
    }
    known.newest = count;
    return known.before + count;
  }

 private:
  struct Count {
    std::uint64_t newest = 0;
    std::uint64_t before = 0;
  };
  std::unordered_map<std::string, Count> counts_;
};

/// The labels of a metric.
using MetricLabels = std::vector<prometheus::ClientMetric::Label>;

/// `labels` and one more, unless its value is empty: to Prometheus that is the same as none.
inline MetricLabels with(MetricLabels labels, const char* name, std::string_view value) {
  if (!value.empty()) {
    labels.push_back({name, as_utf8(value)});
  }
  return labels;
}

/// Names a series.
inline std::string series_name(std::string name, const MetricLabels& labels) {
  for (const auto& label : labels) {
    name.append(1, '\n').append(label.name).append(1, '=').append(label.value);
  }
  return name;
}

/// Families in the making, each with every series once: a server refuses a scrape that has one twice.
class FamilyBook {
 public:
  /// A metric of the family `name`, or null when there is one with these labels already.
  prometheus::ClientMetric* add(const std::string& name, const char* help, prometheus::MetricType type,
                                MetricLabels labels) {
    if (!series_.insert(series_name(name, labels)).second) {
      return nullptr;
    }
    const auto [place, is_first] = places_.try_emplace(name, families_.size());
    if (is_first) {
      families_.push_back({name, help, type, {}});
    }
    std::vector<prometheus::ClientMetric>& metrics = families_[place->second].metric;
    metrics.emplace_back();
    metrics.back().label = std::move(labels);
    return &metrics.back();
  }

  void gauge(const std::string& name, const char* help, MetricLabels labels, double value) {
    if (auto* metric = add(name, help, prometheus::MetricType::Gauge, std::move(labels))) {
      metric->gauge.value = value;
    }
  }

  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
  std::unordered_map<std::string, std::size_t> places_;
  std::unordered_set<std::string> series_;
};

/// Writes snapshots into a FamilyBook.
class SnapshotWriter {
 public:
  explicit SnapshotWriter(LastingCounts& counts) : counts_(counts) {}

  /// Adds what one pool shows; its series have the label pool="`name`", or none for an empty name.
  void add(const PoolSnapshot& snapshot, const std::string& name) {
    base_ = with({}, "pool", name);
    totals(snapshot);
    // A removed token that still has leases may be there beside its successor of the same id, which comes
    // first.
    for (const bool draining : {false, true}) {
      for (const TokenSnapshot& token : snapshot.tokens) {
        if ((token.state == TokenState::draining) == draining) {
          add_token(token);
        }
      }
    }
    for (const AccountSnapshot& account : snapshot.accounts) {
      // No counts: they are sums over tokens, which sink when one of these goes.
      state("account", account, with(base_, "account", account.id), shared_states);
    }
    for (const EgressSnapshot& egress : snapshot.egresses) {
      const MetricLabels labels = with(base_, "egress", egress.id);
      state("egress", egress, labels, shared_states);
      work("egress", egress, labels);
    }
  }

  std::vector<prometheus::MetricFamily> take() { return book_.take(); }

 private:
  /// All states; the first `shared_states` are those of accounts and egresses, too.
  static constexpr std::size_t shared_states = 3;
  static constexpr std::array states{TokenState::available, TokenState::resting,  TokenState::probing,
                                     TokenState::ejected,   TokenState::disabled, TokenState::draining};

  static double seconds(std::chrono::duration<double> length) noexcept { return length.count(); }

  void totals(const PoolSnapshot& snapshot) {
    for (const TokenState one : states) {
      const auto count = std::count_if(snapshot.tokens.begin(), snapshot.tokens.end(),
                                       [&](const TokenSnapshot& token) { return token.state == one; });
      book_.gauge("tokenpool_tokens", "Tokens of the pool in each state.",
                  with(base_, "state", to_string(one)), static_cast<double>(count));
    }
    book_.gauge("tokenpool_waiting_calls", "Calls that wait for a token.", base_,
                static_cast<double>(snapshot.pool.waiting));
    requests("tokenpool", snapshot.pool, base_);
    const WaitTotals& waits = snapshot.pool.waits;
    summary("tokenpool_wait_seconds", "Time that calls waited in the queue for a token.", base_, waits.count,
            waits.total);
  }

  void add_token(const TokenSnapshot& token) {
    const MetricLabels labels = with(base_, "token", token.id);
    book_.gauge("tokenpool_token_info", "1, with what describes the token as labels.",
                with(labels, "account", token.account), 1);
    if (state("token", token, labels, states.size())) {
      work("token", token, labels);
    }
  }

  /// What tokens, accounts and egresses have in common, but for counts; false when it is there already.
  bool state(const std::string& kind, const UsageSnapshot& one, const MetricLabels& labels,
             std::size_t possible_states) {
    const std::string prefix = "tokenpool_" + kind;
    for (const TokenState each : std::span(states).first(possible_states)) {
      auto* metric = book_.add(prefix + "_state", "1 for the state that it is in, 0 for the others.",
                               prometheus::MetricType::Gauge, with(labels, "state", to_string(each)));
      if (metric == nullptr) {
        return false;
      }
      metric->gauge.value = one.state == each ? 1 : 0;
    }
    if (one.rest) {
      book_.gauge(prefix + "_rest_seconds",
                  "What is left of a rest; absent when there is none, or none whose end is known.", labels,
                  seconds(*one.rest));
    }
    book_.gauge(prefix + "_in_flight", "Requests under way.", labels, static_cast<double>(one.in_flight));
    limits(one.limits, labels);
    return true;
  }

  /// Of several limits of the same kind the strictest is shown.
  void limits(std::vector<LimitUse> limits, const MetricLabels& place) {
    std::sort(limits.begin(), limits.end(),
              [](const LimitUse& left, const LimitUse& right) { return left.amount < right.amount; });
    for (const LimitUse& limit : limits) {
      // A limit of the whole pool is reported by each egress, and is the same everywhere.
      MetricLabels labels = with(limit.scope == to_string(Scope::pool) ? base_ : place, "scope", limit.scope);
      labels = with(std::move(labels), "unit", to_string(limit.unit));
      labels = with(std::move(labels), "window", window_text(limit));
      auto* used = book_.add("tokenpool_limit_used", "How much of a limit is used.",
                             prometheus::MetricType::Gauge, labels);
      if (used != nullptr) {
        used->gauge.value = static_cast<double>(limit.used);
        book_.gauge("tokenpool_limit_amount", "What a limit allows in its window.", std::move(labels),
                    static_cast<double>(limit.amount));
      }
    }
  }

  /// In seconds, such as "86400s" or "0.5s"; nothing for a limit that has no window.
  static std::string window_text(const LimitUse& limit) {
    if (limit.unit == Unit::in_flight) {
      return {};
    }
    std::string text = std::to_string(limit.window.count() / 1000);
    if (const auto rest = limit.window.count() % 1000; rest != 0) {
      text += '.' + std::to_string(1000 + rest).substr(1);
      text.erase(text.find_last_not_of('0') + 1);
    }
    return text + 's';
  }

  /// What it has done so far.
  void work(const std::string& kind, const UsageSnapshot& one, const MetricLabels& labels) {
    requests("tokenpool_" + kind, one, labels);
    auto* latency = summary("tokenpool_" + kind + "_latency_seconds",
                            "Time to an answer that accepted; the quantiles are of the last 256 of them.",
                            labels, one.successes, one.latency_total);
    if (latency != nullptr && one.p99.count() != 0) {
      latency->summary.quantile = {
          {0.5, seconds(one.p50)}, {0.95, seconds(one.p95)}, {0.99, seconds(one.p99)}};
    }
  }

  template <class Counts>
  void requests(const std::string& prefix, const Counts& one, const MetricLabels& labels) {
    const auto count = [&](const char* outcome, std::uint64_t value) {
      const std::string name = prefix + "_requests_total";
      auto* metric = book_.add(name, "Requests that ended, by what the pool made of their end.",
                               prometheus::MetricType::Counter, with(labels, "outcome", outcome));
      if (metric != nullptr) {
        metric->counter.value = static_cast<double>(counts_.shown(series_name(name, metric->label), value));
      }
    };
    count("success", one.successes);
    count("rate_limited", one.rate_limited);
    count("failure", one.failures);
  }

  prometheus::ClientMetric* summary(const std::string& name, const char* help, const MetricLabels& labels,
                                    std::uint64_t count, std::chrono::microseconds sum) {
    auto* metric = book_.add(name, help, prometheus::MetricType::Summary, labels);
    if (metric != nullptr) {
      const std::string series = series_name(name, labels);
      metric->summary.sample_count = counts_.shown(series, count);
      metric->summary.sample_sum = seconds(
          std::chrono::microseconds(counts_.shown(series + " sum", static_cast<std::uint64_t>(sum.count()))));
    }
    return metric;
  }

  LastingCounts& counts_;
  FamilyBook book_;
  MetricLabels base_;
};

}  // namespace tokenpool::detail
