#pragma once
// A person at work on the pool while it runs: adds, removes, disables, enables, re-weights, rotates,
// replaces.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "queue_oracle.hpp"
#include "rest_oracle.hpp"
#include "simulation.hpp"

namespace simulation {

class PoolChanges {
 public:
  PoolChanges(simulator::Simulation& simulation, QueueOracle& queue, RestOracle& rests, simulator::Dice dice)
      : simulation_(simulation),
        queue_(queue),
        rests_(rests),
        dice_(dice),
        tokens_(simulation.stage().world.tokens) {
    for (const tokenpool::Token& token : tokens_) {
      tell(token.id, true);
    }
  }

  /// Plans so many changes, one each `every`.
  void plan(std::int64_t changes, simulator::Length every) {
    for (std::int64_t i = 1; i <= changes; ++i) {
      simulation_.at(i * every, [this] { change(); });
    }
  }

 private:
  void change() {
    if (tokens_.empty()) {
      return add();
    }
    const std::size_t index = dice_.index(tokens_.size());
    const std::string id = tokens_[index].id;
    simulator::Pool& pool = simulation_.pool();
    switch (dice_.between(0, 6)) {
      case 0: return add();
      case 1:
        pool.remove(id);
        tell(id, false);
        tokens_.erase(tokens_.begin() + static_cast<std::ptrdiff_t>(index));
        return;
      case 2:
        pool.disable(id);
        tell(id, false);
        disabled_.insert(id);
        return;
      case 3:
        pool.enable(id);
        rests_.forgive(simulation_.stage().account_of(id));
        if (disabled_.erase(id) != 0) {
          tell(id, true);
        }
        return;
      case 4: pool.set_weight(id, static_cast<double>(dice_.between(1, 9))); return;
      case 5: pool.set_secret(id, tokenpool::Secret("rotated-secret-" + std::to_string(++made_))); return;
      default: return replace();
    }
  }

  tokenpool::Token fresh() {
    const std::string id = "n" + std::to_string(++made_);
    tokenpool::Token token{.secret = tokenpool::Secret("secret-of-" + id), .id = id};
    simulation_.stage().know(token);
    return token;
  }

  void add() {
    tokens_.push_back(fresh());
    simulation_.pool().add(tokens_.back());
    tell(tokens_.back().id, true);
  }

  /// Half of them stay, one is new. The secrets are those of the beginning again.
  void replace() {
    std::vector<tokenpool::Token> staying;
    for (const tokenpool::Token& token : tokens_) {
      if (dice_.chance(0.5)) {
        staying.push_back(token);
      } else {
        tell(token.id, false);
      }
    }
    staying.push_back(fresh());
    tokens_ = staying;
    simulation_.pool().replace(tokens_);
    tell(tokens_.back().id, true);
  }

  void tell(const std::string& id, bool usable) {
    queue_.token_is({.token = id, .account = simulation_.stage().account_of(id)}, usable,
                    simulation_.stage().loop.now());
  }

  simulator::Simulation& simulation_;
  QueueOracle& queue_;
  RestOracle& rests_;
  simulator::Dice dice_;
  std::vector<tokenpool::Token> tokens_;
  std::set<std::string> disabled_;
  std::uint64_t made_ = 0;
};

}  // namespace simulation
