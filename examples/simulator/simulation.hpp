#pragma once
// Runs one world from its first call to the end of its last.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "call.hpp"
#include "stage.hpp"

namespace simulator {

class Simulation {
 public:
  Simulation(const World& world, std::uint64_t seed) : Simulation(world, Dice(seed), Dice(seed ^ 0x10adU)) {}
  /// `dice` decide what happens to requests, `load` who calls when.
  Simulation(const World& world, Dice dice, Dice load) : stage_(world, dice), load_dice_(load) {}

  [[nodiscard]] Pool& pool() noexcept { return stage_.pool; }
  [[nodiscard]] Stage& stage() noexcept { return stage_; }
  void add(Listener& listener) { stage_.add(listener); }

  /// Plans something that a person does while the simulation runs.
  void at(Instant when, std::function<void()> action) { stage_.loop.at(when, std::move(action)); }

  /// Lets everything happen until no event is left; false when that takes more than `most_events`.
  bool run(std::uint64_t most_events = UINT64_MAX) {
    start();
    for (std::uint64_t events = 0; stage_.loop.step(); ++events) {
      if (events >= most_events) {
        return false;
      }
      stage_.tell([&](Listener& listener) { listener.rests(stage_.loop.now()); });
    }
    return true;
  }

  [[nodiscard]] std::size_t calls() const noexcept { return begun_; }

 private:
  void start() {
    const Load& load = stage_.world.load;
    for (std::size_t worker = 0; worker < load.workers; ++worker) {
      begin_call([this] { begin_another(); });
    }
    if (load.per_second > 0) {
      arrive();
    }
  }

  [[nodiscard]] bool more() const {
    return begun_ < stage_.world.load.calls && stage_.loop.now() <= stage_.world.load.until;
  }

  /// A worker takes a moment, so that one whose calls fail at once does not hold up time.
  void begin_another() {
    stage_.loop.after(std::chrono::milliseconds(1), [this] { begin_call([this] { begin_another(); }); });
  }

  /// Calls come independently of each other: the gaps are exponential.
  void arrive() {
    const double gap = -std::log(1 - load_dice_.unit()) / stage_.world.load.per_second;
    stage_.loop.after(Length(static_cast<std::int64_t>(gap * 1e9)), [this] {
      if (begin_call({})) {
        arrive();
      }
    });
  }

  bool begin_call(std::function<void()> on_end) {
    if (!more()) {
      return false;
    }
    const auto& plan = stage_.world.load.plan;
    std::make_shared<Call>(stage_, begun_++, plan ? plan(load_dice_) : CallPlan{}, std::move(on_end))
        ->begin();
    return true;
  }

  Stage stage_;
  Dice load_dice_;
  std::size_t begun_ = 0;
};

}  // namespace simulator
