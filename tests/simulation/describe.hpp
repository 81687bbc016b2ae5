#pragma once
// A schedule in words, for whoever has to find out what went wrong in it.

#include <chrono>
#include <sstream>
#include <string>

#include "world.hpp"

namespace simulation {

inline std::string describe(const tokenpool::Limit& limit) {
  return std::to_string(limit.amount) + " " + std::string(to_string(limit.unit)) + " in " +
         std::to_string(limit.window.count()) + " ms per " + to_string(limit.scope);
}

inline std::string describe(const simulator::World& world) {
  static constexpr const char* kinds[] = {"fixed", "rolling", "first request", "token bucket"};
  static constexpr const char* counted[] = {"on arrival", "on answer", "between"};
  static constexpr const char* words[] = {"without a word", "in seconds", "in milliseconds", "by a date"};
  std::ostringstream text;
  text << world.tokens.size() << " tokens, " << world.egress.size() << " egresses, "
       << (world.tokens.front().account.empty() ? "own accounts" : "shared accounts") << ", " << world.policy
       << "\n  the service counts " << counted[static_cast<int>(world.service.counted_at)] << ", refuses "
       << words[static_cast<int>(world.service.word)]
       << (world.service.names_scope ? " and says whose limit it was:" : ":");
  for (const simulator::Rule& rule : world.service.rules) {
    text << "\n    " << describe(rule.limit) << ", " << kinds[static_cast<int>(rule.kind)];
  }
  text << "\n  the client knows:";
  for (const tokenpool::Limit& limit : world.limits) {
    text << "\n    " << describe(limit) << ", counted "
         << (limit.counted == tokenpool::Counted::on_arrival  ? "on arrival"
             : limit.counted == tokenpool::Counted::on_answer ? "on answer"
                                                              : "some time");
  }
  text << "\n  " << world.load.calls << " calls, " << world.load.workers << " workers or "
       << world.load.per_second << " a second, an answer within "
       << std::chrono::duration_cast<std::chrono::milliseconds>(world.network.longest()).count() << " ms, "
       << (world.network.lost_before > 0 ? "faults" : "no faults") << ", max_wait "
       << world.retry.max_wait.count() << " ms";
  return text.str();
}

}  // namespace simulation
