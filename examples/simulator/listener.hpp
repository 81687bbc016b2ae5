#pragma once
// Who wants to know what happens in a simulation: oracles, statistics, a trace.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "service.hpp"
#include "time.hpp"
#include "tokenpool/base/error.hpp"
#include "world.hpp"

namespace simulator {

/// How a call ended: with an answer, or with an error's code.
struct Ending {
  int status = 0;  ///< 0: no answer
  std::optional<tokenpool::ErrorCode> error{};
};

/// One search of a call for a lease.
struct Search {
  std::size_t call = 0;
  const CallPlan* plan = nullptr;
  std::string needs{};       ///< equal for calls that need the same
  std::uint64_t number = 0;  ///< grows with each search
};

/// A lease as it was granted.
struct Granted {
  Search search{};
  Knock knock{};
  std::uint64_t ticket = 0;  ///< grows with each lease of the pool
  Instant at{};              ///< when the pool granted it; its call hears of it a little later
  Length waited{};           ///< from the search to hearing of it
};

/// How a lease ended for the pool.
struct Settlement {
  Granted granted{};
  bool sent = true;
  bool answered = false;
  int status = 0;
  std::optional<Length> word{};  ///< of a refusal: how long it promised
  tokenpool::Scope scope{};      ///< of a refusal: whose limit it was, if the service says so
  bool names_scope = false;
  Instant over{};  ///< when the pool may take it for counted at the latest
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual void began(std::size_t /*call*/, Instant /*at*/) {}
  virtual void waits(const Search& /*search*/, Instant /*at*/) {}
  virtual void gave_up_waiting(const Search& /*search*/, Instant /*at*/) {}
  virtual void granted(const Granted& /*granted*/) {}
  virtual void decided(const Knock& /*knock*/, const Decision& /*decision*/, Instant /*at*/) {}
  virtual void settled(const Settlement& /*settlement*/, Instant /*at*/) {}
  virtual void ended(std::size_t /*call*/, const Ending& /*ending*/, Instant /*at*/) {}
  /// After each event: nothing else happens at this instant unless it is planned.
  virtual void rests(Instant /*at*/) {}

 protected:
  Listener() = default;
  Listener(const Listener&) = default;
  Listener& operator=(const Listener&) = default;
};

}  // namespace simulator
