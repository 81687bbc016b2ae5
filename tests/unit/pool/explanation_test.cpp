#include "tokenpool/pool/explanation.hpp"

#include <string>
#include <vector>

#include "rig.hpp"

using namespace test;

namespace {

/// Grants a lease, which is given back; returns "id reason" of each token that was passed over.
template <class R>
std::vector<std::string> passed_over(R& rig, LeaseRequest request = {}) {
  std::vector<Skipped> skipped;
  request.skipped = &skipped;
  rig.lease(request);
  std::vector<std::string> told;
  for (const Skipped& one : skipped) told.push_back(one.token_id + " " + one.reason);
  return told;
}

}  // namespace

TEST_CASE("a token that is out is passed over for the reason that was noted") {
  Rig rig({.tokens = tokens(5)});
  CHECK(rig.once(invalid()) == "t0");
  rig.pool().disable("t1", "by hand");
  rig.pool().disable("t2", "");
  CHECK(rig.once(limited(1min)) == "t3");
  CHECK(passed_over(rig) ==
        std::vector<std::string>{"t0 ejected: revoked", "t1 disabled: by hand", "t2 disabled", "t3 rests"});
}

TEST_CASE("a token of which the server says that nothing is left is passed over for that") {
  Rig rig({.tokens = tokens(2)});
  Lease lease = rig.lease();
  lease.settle({.answered = true,
                .answered_at = rig.now().steady,
                .facts = {{.name = "requests", .limit = 5, .remaining = 0, .reset_in = 1min}}},
               rig.now());
  CHECK(passed_over(rig) == std::vector<std::string>{"t0 the server says that nothing is left"});
}

TEST_CASE("what others have used up is told apart from what rests with others") {
  std::vector<Token> list = tokens(5);
  list[0].account = list[1].account = "shared";
  list[2].account = list[3].account = "small";
  Rig rig({.tokens = list, .limits = {Limit::per_account(1, 1min)}});
  CHECK(rig.once(limited(1min, LimitScope::account)) == "t0");
  CHECK(rig.once() == "t2");
  CHECK(passed_over(rig) == std::vector<std::string>{"t0 rests with others of its account or bucket",
                                                     "t1 rests with others of its account or bucket",
                                                     "t2 limit reached", "t3 limit reached"});
}

TEST_CASE("a token that was asked is passed over by a test of whose limit it was") {
  Rig rig({.tokens = tokens(5)});
  rig.times(1);
  for (int i = 0; i < 3; ++i) rig.once(limited(1s));
  rig.pass(1s);
  CHECK(passed_over(rig).back() == "t4 another tests whether the limit was its own");
}
