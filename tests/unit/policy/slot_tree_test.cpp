#include "tokenpool/policy/slot_tree.hpp"

#include <functional>

#include "catch_compat.hpp"

using Sums = tokenpool::detail::SlotTree<double, std::plus<>>;

TEST_CASE("the root is made of all values") {
  Sums sums(0);
  sums.reserve(5);
  for (tokenpool::SlotNumber slot = 0; slot < 5; ++slot) {
    sums.set(slot, slot + 1.0);
  }
  CHECK(sums.root() == 15);
  sums.erase(2);
  CHECK(sums.root() == 12);
  CHECK_FALSE(sums.contains(2));
}

TEST_CASE("a tree that grows keeps its values") {
  Sums sums(0);
  sums.reserve(1);
  sums.set(0, 7);
  sums.reserve(3);
  sums.reserve(2);
  CHECK(sums.leaves() == 4);
  CHECK(sums.root() == 7);
}

TEST_CASE("a sum does not drift by values that come and go") {
  Sums sums(0);
  sums.reserve(4);
  sums.set(0, 0.1);
  sums.set(3, 0.2);
  const double before = sums.root();
  for (int i = 0; i < 1000; ++i) {
    sums.set(1, 1e15 / (i + 1));
    sums.erase(1);
  }
  CHECK(sums.root() == before);
}
