#include "tokenpool/pool/server_word.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/policy/most_headroom.hpp"
#include "tokenpool/policy/round_robin.hpp"
#include "tokenpool/pool/pool.hpp"

using namespace std::chrono_literals;
using tokenpool::LimitFact;
using tokenpool::SteadyTime;
using tokenpool::detail::ServerWord;

namespace {

constexpr SteadyTime start{1000s};
constexpr tokenpool::Duration longest = 24h;

/// Takes a lease and settles it as an answer that said `facts`; returns the id of the token.
template <class Pool>
std::string answer(Pool& pool, SteadyTime now, std::vector<LimitFact> facts, std::string_view bucket = {}) {
  tokenpool::Acquired acquired = pool.acquire({.bucket = bucket}, {now, {}});
  REQUIRE(std::holds_alternative<tokenpool::Lease>(acquired));
  tokenpool::Lease& lease = std::get<tokenpool::Lease>(acquired);
  std::string id = lease.credential().token_id;
  tokenpool::Outcome outcome;
  outcome.answered = true;
  outcome.answered_at = now;
  outcome.facts = std::move(facts);
  lease.settle(outcome, {now, {}});
  return id;
}

tokenpool::PoolOptions three_tokens() {
  return {.tokens = {
              {.secret = "sk-a", .id = "a"}, {.secret = "sk-b", .id = "b"}, {.secret = "sk-c", .id = "c"}}};
}

}  // namespace

TEST_CASE("nothing is left until the server's reset") {
  ServerWord word;
  word.heard({{"requests", 60, 0, 30s}}, 0, 1, start, longest);
  CHECK(word.opens_at(0) == start + 30s);
  CHECK(word.opens_at(7) == start + 30s);
}

TEST_CASE("what is said of a bucket holds for that bucket alone") {
  ServerWord word;
  word.heard({{"requests", 60, 0, 30s}}, 3, 1, start, longest);
  CHECK(word.opens_at(3) == start + 30s);
  CHECK(word.opens_at(4) <= start);
  CHECK(word.opens_at(0) <= start);
}

TEST_CASE("nothing left without a reset does not close a token") {
  ServerWord word;
  word.heard({{"requests", 60, 0, std::nullopt}}, 0, 1, start, longest);
  CHECK(word.opens_at(0) <= start);
  CHECK(word.headroom(start) == 0.0);
}

TEST_CASE("a newer answer replaces an older one") {
  ServerWord word;
  word.heard({{"requests", 60, 0, 30s}}, 0, 1, start, longest);
  word.heard({{"requests", 60, 12, 20s}}, 0, 2, start + 1s, longest);
  CHECK(word.opens_at(0) <= start);
  CHECK(word.headroom(start + 1s) == 0.2);
}

TEST_CASE("an answer that was overtaken counts only where it is stricter") {
  ServerWord word;
  word.heard({{"requests", 60, 10, 30s}}, 0, 5, start, longest);
  word.heard({{"requests", 60, 40, 30s}}, 0, 4, start, longest);
  CHECK(word.facts(start).at(0).remaining == 10);
  word.heard({{"requests", 60, 3, 30s}}, 0, 4, start, longest);
  CHECK(word.facts(start).at(0).remaining == 3);
}

TEST_CASE("a reset in the far future is believed for the longest rest only") {
  ServerWord word;
  word.heard({{"requests", 60, 0, std::chrono::milliseconds::max()}}, 0, 1, start, longest);
  CHECK(word.opens_at(0) == start + longest);
}

TEST_CASE("what was reset is shown no more and weighs no more") {
  ServerWord word;
  word.heard({{"requests", 60, 6, 30s}}, 0, 1, start, longest);
  CHECK(word.facts(start + 10s).at(0).reset_in == 20s);
  CHECK(word.facts(start + 30s).empty());
  CHECK(word.headroom(start + 30s) == 1.0);
}

TEST_CASE("a token of which the server says that nothing is left is not used before the reset") {
  tokenpool::TokenPool<tokenpool::RoundRobin> pool(three_tokens());
  CHECK(answer(pool, start, {{"requests", 60, 0, 30s}}) == "a");
  CHECK(answer(pool, start + 1s, {}) == "b");
  CHECK(answer(pool, start + 2s, {}) == "c");
  CHECK(answer(pool, start + 3s, {}) == "b");
  const tokenpool::PoolSnapshot snapshot = pool.snapshot({start + 10s, {}});
  CHECK(snapshot.tokens[0].state == tokenpool::TokenState::resting);
  CHECK(snapshot.tokens[0].cause == "the server says that nothing is left");
  CHECK(snapshot.tokens[0].rest == 20s);
  CHECK(snapshot.tokens[0].server.at(0).remaining == 0);
  std::vector<std::string> after;
  for (int i = 0; i < 3; ++i) {
    after.push_back(answer(pool, start + 30s, {}));
  }
  CHECK(std::count(after.begin(), after.end(), "a") == 1);
}

TEST_CASE("a person who enables a token overrules the server's word") {
  tokenpool::TokenPool<tokenpool::RoundRobin> pool({.tokens = {{.secret = "sk-a", .id = "a"}}});
  answer(pool, start, {{"requests", 60, 0, 1h}});
  CHECK_FALSE(std::holds_alternative<tokenpool::Lease>(pool.acquire({}, {start + 1s, {}})));
  CHECK(pool.enable("a"));
  CHECK(std::holds_alternative<tokenpool::Lease>(pool.acquire({}, {start + 1s, {}})));
}

TEST_CASE("the policy for most headroom follows the server's own counts") {
  tokenpool::TokenPool<tokenpool::MostHeadroom> pool(three_tokens());
  std::vector<std::string> seen;
  seen.push_back(answer(pool, start, {{"requests", 100, 10, 60s}}));
  seen.push_back(answer(pool, start, {{"requests", 100, 90, 60s}}));
  seen.push_back(answer(pool, start, {{"requests", 100, 50, 60s}}));
  CHECK(answer(pool, start, {}) == seen[1]);
}
