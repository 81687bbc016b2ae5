#include "tokenpool/base/indexed_heap.hpp"

#include <algorithm>
#include <map>

#include "catch_compat.hpp"
#include "tokenpool/base/random.hpp"

using tokenpool::detail::IndexedHeap;

TEST_CASE("equal keys leave by the smaller number") {
  IndexedHeap<int> heap;
  heap.reserve(3);
  heap.set(2, 5);
  heap.set(0, 5);
  heap.set(1, 5);
  CHECK(heap.top() == 0);
  heap.erase(0);
  CHECK(heap.top() == 1);
}

TEST_CASE("a member that is not in is erased without harm") {
  IndexedHeap<int> heap;
  heap.reserve(2);
  heap.erase(1);
  heap.erase(7);
  CHECK(heap.empty());
  CHECK_FALSE(heap.contains(7));
}

TEST_CASE("space once made stays when less is asked for") {
  IndexedHeap<int> heap;
  heap.reserve(4);
  heap.set(3, 1);
  heap.reserve(2);
  CHECK(heap.contains(3));
}

TEST_CASE("any order of changes leaves the smallest on top") {
  constexpr std::uint64_t seed = 20240611;
  CAPTURE(seed);
  tokenpool::SplitMix64 random(seed);
  constexpr std::uint32_t members = 40;
  IndexedHeap<std::uint32_t> heap;
  heap.reserve(members);
  std::map<std::uint32_t, std::uint32_t> oracle;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint32_t member = random.below(members);
    if (random.below(3) == 0) {
      heap.erase(member);
      oracle.erase(member);
    } else {
      const std::uint32_t key = random.below(10);
      heap.set(member, key);
      oracle[member] = key;
    }
    REQUIRE(heap.size() == oracle.size());
    REQUIRE(heap.contains(member) == (oracle.count(member) != 0));
    if (!oracle.empty()) {
      const auto least = std::min_element(oracle.begin(), oracle.end(),
                                          [](const auto& a, const auto& b) { return a.second < b.second; });
      REQUIRE(heap.top() == least->first);
      REQUIRE(heap.top_key() == least->second);
      REQUIRE(heap.key(oracle.begin()->first) == oracle.begin()->second);
    }
  }
}
