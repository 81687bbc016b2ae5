#include "tokenpool/policy/most_headroom.hpp"

#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/testing/scripted_random.hpp"
#include "unit/policy/picks.hpp"

using tokenpool::Candidate;
using tokenpool::MostHeadroom;

namespace {

/// Candidates without a pool: three tokens with these shares of their limits left.
struct Three {
  explicit Three(std::vector<double> headroom) {
    policy.reserve(3);
    for (tokenpool::SlotNumber slot = 0; slot < 3; ++slot) {
      tokens.push_back({.slot = slot, .headroom = headroom[slot]});
    }
    for (const Candidate& token : tokens) {
      visible.push_back(&token);
      policy.on_available(token);
    }
  }

  std::size_t pick() { return policy.pick({visible, positions, 3}, context); }

  MostHeadroom policy;
  std::vector<Candidate> tokens;
  std::vector<const Candidate*> visible;
  std::vector<std::uint32_t> positions{0, 1, 2};
  tokenpool::testing::ScriptedRandom random;
  tokenpool::PickContext context{random};
};

}  // namespace

TEST_CASE("most headroom takes the token with the largest share left") {
  Three three({0.2, 0.9, 0.5});
  CHECK(three.pick() == 1);
}

TEST_CASE("most headroom hears of a change by a grant") {
  Three three({0.2, 0.9, 0.5});
  three.tokens[1].headroom = 0.4;
  three.policy.on_granted(three.tokens[1]);
  CHECK(three.pick() == 2);
}

TEST_CASE("most headroom hears of a change by an answer") {
  Three three({0.2, 0.9, 0.5});
  three.tokens[1].headroom = 0.1;
  three.policy.on_settled(three.tokens[1], {});
  CHECK(three.pick() == 2);
}

TEST_CASE("most headroom leaves a token out that got its answer while away") {
  Three three({0.2, 0.9, 0.5});
  three.policy.on_unavailable(1);
  three.policy.on_settled(three.tokens[1], {});
  CHECK(three.pick() == 2);
}

TEST_CASE("most headroom takes tokens without limits in turn") {
  test::Picks<MostHeadroom> picks(test::lettered_tokens(3));
  CHECK(picks.serve(5) == "abcab");
}
