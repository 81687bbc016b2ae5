#include "tokenpool/pool/id_index.hpp"

#include <deque>
#include <map>
#include <string>

#include "catch_compat.hpp"
#include "tokenpool/base/random.hpp"

using tokenpool::SlotNumber;
using tokenpool::detail::IdIndex;
using tokenpool::detail::Slots;

TEST_CASE("an empty index finds nobody") {
  const Slots slots;
  CHECK(IdIndex(slots).find("a") == IdIndex::nobody);
}

TEST_CASE("ids that come and go in any order are found as in a map") {
  constexpr std::uint64_t seed = 99;
  CAPTURE(seed);
  constexpr SlotNumber count = 60;
  std::deque<std::string> ids;
  Slots slots;
  for (SlotNumber i = 0; i < count; ++i) {
    ids.push_back("id-" + std::to_string(i));
    slots.grow().face.id = ids.back();
  }
  IdIndex index(slots);
  std::map<std::string, SlotNumber> oracle;
  tokenpool::SplitMix64 random(seed);
  for (int step = 0; step < 20'000; ++step) {
    const SlotNumber slot = random.below(count);
    if (oracle.erase(ids[slot]) != 0) {
      index.erase(slot);
    } else {
      index.reserve(oracle.size() + 1);
      index.insert(slot);
      oracle[ids[slot]] = slot;
    }
    const std::string& asked = ids[random.below(count)];
    const auto known = oracle.find(asked);
    REQUIRE(index.find(asked) == (known == oracle.end() ? IdIndex::nobody : known->second));
  }
  for (const auto& [id, slot] : oracle) {
    REQUIRE(index.find(id) == slot);
  }
}
