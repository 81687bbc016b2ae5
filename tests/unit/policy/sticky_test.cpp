#include "tokenpool/policy/sticky.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "unit/policy/picks.hpp"

using namespace std::chrono_literals;
using tokenpool::Sticky;

namespace {

std::string home_of(test::Picks<Sticky>& picks, const std::string& talk) {
  return picks.serve(1, {.affinity = talk});
}

std::map<std::string, std::string> homes_of(test::Picks<Sticky>& picks) {
  std::map<std::string, std::string> homes;
  for (int i = 0; i < 1000; ++i) {
    const std::string talk = "talk-" + std::to_string(i);
    homes[talk] = home_of(picks, talk);
  }
  return homes;
}

}  // namespace

TEST_CASE("sticky keeps a conversation with its token") {
  test::Picks<Sticky> picks(test::lettered_tokens(10));
  const std::string home = home_of(picks, "talk");
  picks.serve(7);
  CHECK(picks.serve(3, {.affinity = "talk"}) == home + home + home);
}

TEST_CASE("sticky moves a conversation while its token rests and brings it home after") {
  test::Picks<Sticky> picks(test::lettered_tokens(10));
  const std::string home = home_of(picks, "talk");
  picks.answer(picks.hold({.affinity = "talk"}), 1ms, tokenpool::Verdict::rate_limited);
  const std::string refuge = home_of(picks, "talk");
  CHECK(refuge != home);
  CHECK(home_of(picks, "talk") == refuge);
  picks.clock.advance(1h);
  CHECK(home_of(picks, "talk") == home);
}

TEST_CASE("sticky moves only the conversations of a token that goes") {
  test::Picks<Sticky> picks(test::lettered_tokens(10));
  const auto before = homes_of(picks);
  picks.pool.remove("d");
  for (const auto& [talk, home] : homes_of(picks)) {
    const bool stays = home == before.at(talk) || before.at(talk) == "d";
    REQUIRE(stays);
  }
}

TEST_CASE("sticky moves conversations only to a token that comes") {
  test::Picks<Sticky> picks(test::lettered_tokens(10));
  const auto before = homes_of(picks);
  picks.pool.add({.secret = "secret-of-n", .id = "n"});
  int moved = 0;
  for (const auto& [talk, home] : homes_of(picks)) {
    const bool expected = home == before.at(talk) || home == "n";
    REQUIRE(expected);
    moved += home == "n" ? 1 : 0;
  }
  CHECK(moved > 50);  // 91 of 1000 on average
  CHECK(moved < 140);
}

TEST_CASE("sticky finds the same homes whatever the order of the tokens") {
  auto reversed = test::lettered_tokens(10);
  std::reverse(reversed.begin(), reversed.end());
  test::Picks<Sticky> one(test::lettered_tokens(10));
  test::Picks<Sticky> other(reversed);
  CHECK(homes_of(one) == homes_of(other));
}

TEST_CASE("sticky spreads conversations evenly") {
  test::Picks<Sticky> picks(test::lettered_tokens(10));
  std::map<std::string, int> load;
  for (const auto& [talk, home] : homes_of(picks)) {
    ++load[home];
  }
  REQUIRE(load.size() == 10);
  for (const auto& [home, talks] : load) {
    CHECK(talks > 60);
    CHECK(talks < 140);
  }
}

TEST_CASE("sticky lets no token hold more than its bounded share") {
  test::Picks<Sticky> picks(test::lettered_tokens(4));
  std::vector<tokenpool::Lease> leases;
  std::map<std::string, double> load;
  for (int i = 1; i <= 100; ++i) {
    leases.push_back(picks.hold({.affinity = "the one hot talk"}));
    const double held = ++load[picks.id(leases.back())];
    REQUIRE(held <= std::ceil(1.25 * i / 4));
  }
}

TEST_CASE("sticky with a large balance stays whatever the load") {
  test::Picks<Sticky> picks(test::lettered_tokens(4), Sticky(1000));
  std::vector<tokenpool::Lease> leases;
  for (int i = 0; i < 20; ++i) {
    leases.push_back(picks.hold({.affinity = "talk"}));
    REQUIRE(leases.back().slot() == leases.front().slot());
  }
}

TEST_CASE("sticky without an affinity takes the least busy token") {
  test::Picks<Sticky> picks(test::lettered_tokens(3));
  const auto a = picks.hold();
  CHECK(picks.serve(4) == "bcbc");
}
