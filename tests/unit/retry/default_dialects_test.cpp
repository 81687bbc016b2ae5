#include "tokenpool/retry/default_dialects.hpp"

#include <algorithm>
#include <vector>

#include "catch_compat.hpp"
#include "tokenpool/retry/classify.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

/// 2025-06-15 15:06:40 UTC
const std::chrono::system_clock::time_point now{std::chrono::seconds{1750000000}};

}  // namespace

TEST_CASE("an allowance's own time counts before its calendar") {
  const Answer answer{
      429, {{"Retry-After", "120"}}, R"({"error":{"code":"organization_spend_limit_exceeded"}})"};
  CHECK(classify(answer, now).rest == 2min);
}

TEST_CASE("the calendar is that of the server's Date") {
  const Answer answer{429,
                      {{"Date", "Mon, 30 Jun 2025 23:59:00 GMT"}},
                      R"({"error":{"code":"project_spend_limit_exceeded"}})"};
  CHECK(classify(answer, now).rest == 60s);
}

TEST_CASE("a dialect's name is unique and every row has a sign") {
  const auto& dialects = default_dialects().dialects;
  for (const Dialect& dialect : dialects) {
    INFO(dialect.name);
    CHECK(std::count_if(dialects.begin(), dialects.end(),
                        [&](const Dialect& d) { return d.name == dialect.name; }) == 1);
    CHECK_FALSE(dialect.rows.empty());
    for (const DialectRow& row : dialect.rows) {
      CHECK_FALSE((row.word.empty() && row.text.empty() && row.header.empty()));
      CHECK(std::none_of(row.text.begin(), row.text.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
      CHECK((row.path.empty() || !row.word.empty()));
    }
  }
}
