#include "tokenpool/testing/ledger_suite.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/testing/manual_clock.hpp"
#include "tokenpool/testing/memory_ledger.hpp"
#include "tokenpool/testing/wrong_ledgers.hpp"

using namespace tokenpool;
using namespace tokenpool::testing;
using namespace std::chrono_literals;

namespace {

using Violations = std::vector<std::string>;

/// A stand in which time passes only when the suite lets it.
LedgerStand on_paper(ManualClock clock) {
  LedgerStand stand;
  stand.now = [clock] {
    return std::chrono::floor<std::chrono::milliseconds>(clock.now().steady.time_since_epoch());
  };
  stand.pass = [clock = std::move(clock)](std::chrono::milliseconds length) mutable {
    clock.advance(length);
  };
  return stand;
}

template <class Wrong>
Violations violations_of() {
  const ManualClock clock;
  const auto store = std::make_shared<WrongStore>();
  LedgerStand stand = on_paper(clock);
  stand.connect = [clock, store](std::chrono::milliseconds skew) {
    const auto wrong_by = std::is_same_v<Wrong, ClientsClockLedger> ? skew : 0ms;
    return std::make_shared<Wrong>(store, [clock, wrong_by] { return clock.now().steady + wrong_by; });
  };
  return check_ledger(stand);
}

/// Whether a violation was found in the scenario `when`.
bool caught(const Violations& violations, std::string_view when) {
  return std::any_of(violations.begin(), violations.end(),
                     [&](const std::string& sentence) { return sentence.find(when) == 0; });
}

}  // namespace

TEST_CASE("the ledger in memory keeps all that a ledger must") {
  const ManualClock clock;
  const auto ledger = std::make_shared<MemoryLedger>([clock] { return clock.now().steady; });
  LedgerStand stand = on_paper(clock);
  stand.connect = [ledger](std::chrono::milliseconds) { return ledger; };
  stand.empty = [ledger] { ledger->empty(); };
  CHECK(check_ledger(stand) == Violations{});
}

TEST_CASE("a ledger that counts in fixed windows is refused") {
  CHECK(caught(violations_of<FixedWindowLedger>(), "in any window:"));
}

TEST_CASE("a ledger that looks first and takes afterwards is refused") {
  CHECK(caught(violations_of<CheckThenAddLedger>(), "when many ask at once:"));
}

TEST_CASE("a ledger that believes the clock of whoever asks is refused") {
  CHECK(
      caught(violations_of<ClientsClockLedger>(), "when clocks disagree: a clock that is wrong let a third"));
}

TEST_CASE("a ledger that cannot be asked is refused") {
  struct Broken final : Ledger {
    LedgerAnswer ask(const LedgerQuestion&) override { throw std::runtime_error("gone"); }
    std::vector<LedgerCount> read(std::span<const Claim>) override { throw std::runtime_error("gone"); }
  };
  LedgerStand stand = on_paper(ManualClock());
  stand.connect = [](std::chrono::milliseconds) { return std::make_shared<Broken>(); };
  CHECK(caught(check_ledger(stand), "up to the amount: gone"));
}
