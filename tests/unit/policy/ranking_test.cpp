#include "tokenpool/policy/ranking.hpp"

#include <map>

#include "catch_compat.hpp"
#include "tokenpool/base/random.hpp"

using tokenpool::SlotNumber;
using tokenpool::detail::Ranking;

namespace {

/// The definition, without the tree.
SlotNumber next_of(const std::map<SlotNumber, int>& ranks, SlotNumber last) {
  SlotNumber best = ranks.begin()->first;
  const auto place = [last](SlotNumber slot) { return std::pair(slot <= last, slot); };
  for (const auto& [slot, rank] : ranks) {
    const int lowest = ranks.at(best);
    if (rank < lowest || (rank == lowest && place(slot) < place(best))) {
      best = slot;
    }
  }
  return best;
}

}  // namespace

TEST_CASE("the ranking agrees with a scan after any changes") {
  for (const std::uint32_t size : {1U, 2U, 3U, 7U, 8U, 33U}) {
    tokenpool::SplitMix64 dice(size);
    Ranking<int> ranking;
    ranking.reserve(size);
    std::map<SlotNumber, int> oracle;
    SlotNumber last = 63;  // before the first grant the turn is with slot 0
    for (int i = 0; i < 3000; ++i) {
      const SlotNumber slot = dice.below(size);
      const int rank = static_cast<int>(dice.below(3));
      if (dice.below(3) == 0) {
        ranking.erase(slot);
        oracle.erase(slot);
      } else if (oracle.count(slot) != 0 && dice.below(3) == 0) {
        ranking.granted(slot, rank);
        oracle[slot] = rank;
        last = slot;
      } else {
        ranking.set(slot, rank);
        oracle[slot] = rank;
      }
      REQUIRE(ranking.contains(slot) == (oracle.count(slot) != 0));
      if (!oracle.empty()) {
        REQUIRE(ranking.next() == next_of(oracle, last));
      }
    }
  }
}

TEST_CASE("the ranking keeps its members when it grows") {
  Ranking<int> ranking;
  ranking.reserve(2);
  ranking.set(0, 5);
  ranking.set(1, 4);
  ranking.reserve(100);
  CHECK(ranking.next() == 1);
  ranking.set(99, 3);
  CHECK(ranking.next() == 99);
  CHECK(ranking.lowest() == 3);
  CHECK_FALSE(ranking.contains(50));
  CHECK_FALSE(ranking.contains(1000));
}
