#pragma once
// Everything that happens in a schedule, a line each, for whoever has to find out what went wrong.

#include <ostream>

#include "listener.hpp"

namespace simulation {

class Log final : public simulator::Listener {
 public:
  explicit Log(std::ostream& out) : out_(out) { out_.precision(12); }

  void waits(const simulator::Search& search, simulator::Instant at) override {
    line(at, "waits", search) << '\n';
  }
  void gave_up_waiting(const simulator::Search& search, simulator::Instant at) override {
    line(at, "leaves", search) << '\n';
  }
  void granted(const simulator::Granted& granted) override {
    line(granted.at, "granted", granted.search) << " lease " << granted.ticket << ": " << granted.knock.token
                                                << " by e" << granted.knock.egress << '\n';
  }
  void settled(const simulator::Settlement& settlement, simulator::Instant at) override {
    line(at, settlement.sent ? "settled" : "given back", settlement.granted.search)
        << " lease " << settlement.granted.ticket << ": " << settlement.status << " cost "
        << settlement.granted.knock.cost << '\n';
  }
  void ended(std::size_t call, const simulator::Ending& ending, simulator::Instant at) override {
    out_ << seconds(at) << " call " << call << " ends with "
         << (ending.error ? to_string(*ending.error) : std::string_view("an answer")) << '\n';
  }

 private:
  static double seconds(simulator::Instant at) { return static_cast<double>(at.count()) / 1e9; }

  std::ostream& line(simulator::Instant at, const char* what, const simulator::Search& search) {
    return out_ << seconds(at) << " call " << search.call << ' ' << what << " (" << search.needs << ')';
  }

  std::ostream& out_;
};

}  // namespace simulation
