#include "tokenpool/pool/available.hpp"

#include <set>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/base/random.hpp"

using tokenpool::Candidate;
using tokenpool::Candidates;
using tokenpool::PickContext;
using tokenpool::Settled;
using tokenpool::SlotNumber;
using tokenpool::detail::AvailableSet;
using tokenpool::detail::PolicyPort;

namespace {

/// Remembers who is available by what it hears.
struct Listener final : PolicyPort {
  std::set<SlotNumber> known;
  std::size_t pick(const Candidates&, PickContext&) override { return 0; }
  void reserve(std::size_t) override {}
  void on_available(const Candidate& candidate) noexcept override { known.insert(candidate.slot); }
  void on_unavailable(SlotNumber slot) noexcept override { known.erase(slot); }
  void on_granted(const Candidate&) noexcept override {}
  void on_settled(const Candidate&, const Settled&) noexcept override {}
};

struct Set {
  Listener policy;
  std::vector<Candidate> faces;
  AvailableSet available{policy};

  explicit Set(SlotNumber count) {
    available.reserve(count);
    for (SlotNumber slot = 0; slot < count; ++slot) {
      faces.push_back({.slot = slot});
    }
  }
  std::vector<SlotNumber> order() {
    std::vector<SlotNumber> slots;
    for (std::size_t i = 0; i < available.size(); ++i) {
      slots.push_back(available[i].slot);
    }
    return slots;
  }
};

}  // namespace

TEST_CASE("who comes twice is there once and who leaves twice is gone once") {
  Set set(3);
  set.available.insert(set.faces[1]);
  set.available.insert(set.faces[1]);
  CHECK(set.available.size() == 1);
  set.available.erase(1);
  set.available.erase(1);
  CHECK(set.available.size() == 0);
  CHECK(set.policy.known.empty());
}

TEST_CASE("a slot's index is known while it is visible") {
  Set set(4);
  for (const Candidate& face : set.faces) {
    set.available.insert(face);
  }
  set.available.erase(1);
  const Candidates candidates = set.available.candidates();
  REQUIRE(candidates.size() == 3);
  for (const SlotNumber slot : {0U, 2U, 3U}) {
    REQUIRE(candidates.index_of(slot) < 3);
    CHECK(candidates[candidates.index_of(slot)].slot == slot);
  }
  CHECK(candidates.index_of(1) >= 3);
  CHECK(candidates.index_of(77) >= 3);
}

TEST_CASE("hidden ones are out of sight and come back to where they were") {
  constexpr std::uint64_t seed = 5;
  CAPTURE(seed);
  tokenpool::SplitMix64 random(seed);
  for (int round = 0; round < 300; ++round) {
    Set set(12);
    for (const Candidate& face : set.faces) {
      set.available.insert(face);
    }
    for (int gone = 0; gone < 3; ++gone) {
      set.available.erase(random.below(12));
    }
    const std::vector<SlotNumber> before = set.order();
    const std::set<SlotNumber> known = set.policy.known;
    const std::uint32_t hidden = random.below(static_cast<std::uint32_t>(before.size()) + 1);
    for (std::uint32_t i = 0; i < hidden; ++i) {
      const std::size_t index = random.below(static_cast<std::uint32_t>(set.available.size()));
      const SlotNumber slot = set.available[index].slot;
      set.available.hide(index);
      REQUIRE(set.available.candidates().index_of(slot) >= set.available.size());
      REQUIRE(set.policy.known.count(slot) == 0);
    }
    REQUIRE(set.available.size() == before.size() - hidden);
    set.available.unhide();
    REQUIRE(set.order() == before);
    REQUIRE(set.policy.known == known);
  }
}
