#include "tokenpool/pool/outbox.hpp"

#include <string>
#include <vector>

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using detail::Outbox;
using Kind = LedgerNews::Kind;

namespace {

const SteadyTime start{1h};

LedgerNews news(Kind kind, std::string subject) {
  LedgerNews made;
  made.kind = kind;
  made.subject = std::move(subject);
  return made;
}

/// Adds each of them, then says which kinds are told.
std::vector<Kind> told(std::initializer_list<LedgerNews> said) {
  Outbox outbox;
  for (const LedgerNews& one : said) outbox.add(one, start);
  std::vector<Kind> kinds;
  for (const LedgerNews& one : outbox.take(start)) kinds.push_back(one.kind);
  CHECK(outbox.empty());
  return kinds;
}

}  // namespace

TEST_CASE("of one token the last word on its rest is all that others hear") {
  CHECK(told({news(Kind::rest, "token=a"), news(Kind::rest, "token=a")}) == std::vector{Kind::rest});
  CHECK(told({news(Kind::rest, "token=a"), news(Kind::ended, "token=a")}) == std::vector{Kind::ended});
  CHECK(told({news(Kind::ended, "token=a"), news(Kind::rest, "token=a")}) == std::vector{Kind::rest});
  CHECK(told({news(Kind::rest, "token=a"), news(Kind::rest, "token=b")}).size() == 2);
}

TEST_CASE("an ejection and a rest of one token are both told") {
  CHECK(told({news(Kind::rest, "token=a"), news(Kind::ejected, "token=a")}) ==
        std::vector{Kind::rest, Kind::ejected});
  CHECK(told({news(Kind::ejected, "token=a"), news(Kind::ended, "token=a")}) ==
        std::vector{Kind::ejected, Kind::ended});
}

TEST_CASE("what a person has put back is not called ejected any more") {
  CHECK(told({news(Kind::rest, "token=a"), news(Kind::ejected, "token=a"), news(Kind::enabled, "token=a")}) ==
        std::vector{Kind::enabled});
  CHECK(told({news(Kind::enabled, "token=a"), news(Kind::ejected, "token=a")}) ==
        std::vector{Kind::enabled, Kind::ejected});
}

TEST_CASE("news that could not be told come before later ones and have less time left") {
  Outbox outbox;
  outbox.add(news(Kind::rest, "token=a"), start + 10s);
  outbox.add(news(Kind::rest, "token=b"), start + 500us);
  const auto lost = outbox.take(start);
  REQUIRE(lost.size() == 2);
  CHECK(lost[0].left == 10s);
  CHECK(lost[1].left == 1ms);  // never told to end too early
  outbox.add(news(Kind::rest, "token=c"), start + 20s);
  outbox.add(news(Kind::ended, "token=b"), start);
  outbox.put_back(lost, start);
  const auto told = outbox.take(start + 4s);
  REQUIRE(told.size() == 3);
  CHECK((told[0].subject == "token=a" && told[0].left == 6s));
  CHECK((told[1].subject == "token=c" && told[1].left == 16s));
  CHECK((told[2].kind == Kind::ended && told[2].left == 0ms));
}
