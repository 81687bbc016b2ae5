#pragma once

// Counts in this process alone. Not thread-safe: its gate calls it under a lock.

#include <map>
#include <memory>

#include "store.hpp"

namespace quota_server {

class MemoryStore : public Store {
 public:
  explicit MemoryStore(const Quota& quota) : quota_(quota) {}

  Decision take(const std::vector<Key>& keys, Time now) override {
    Decision decision{.admitted = true};
    for (const Key& key : keys) {
      Window& window = window_of(key);
      if (window.used(now) < quota_.amount) continue;
      const Time free_at = window.free_at(now);
      if (decision.admitted || free_at > decision.free_at) decision = {false, key.scope, free_at};
    }
    if (decision.admitted || quota_.count_refused) {
      for (const Key& key : keys) window_of(key).count(now);
    }
    return decision;
  }

  std::size_t used(const Key& key, Time now) override {
    const auto found = windows_.find(key);
    return found == windows_.end() ? 0 : found->second->used(now);
  }

 private:
  Window& window_of(const Key& key) {
    std::unique_ptr<Window>& window = windows_[key];
    if (!window) window = make_window(quota_.kind, quota_.window, quota_.amount);
    return *window;
  }

  Quota quota_;
  std::map<Key, std::unique_ptr<Window>> windows_;
};

}  // namespace quota_server
