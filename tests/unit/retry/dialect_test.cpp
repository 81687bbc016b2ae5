#include "tokenpool/retry/dialect.hpp"

#include "catch_compat.hpp"
#include "tokenpool/retry/classify.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;

namespace {

const std::chrono::system_clock::time_point now{std::chrono::seconds{1750000000}};
const Answer unheard_of{400, {}, R"({"error":{"code":"GO_AWAY_A_WHILE"}})"};

}  // namespace

TEST_CASE("a user adds a dialect in one row") {
  CHECK(classify(unheard_of, now).verdict == Verdict::caller_error);

  DialectTable table = default_dialects();
  table.add({"acme", {{.word = "go_away_a_while", .meaning = Meaning::too_fast, .rest = 30s}}});
  const auto meaning = classify(unheard_of, now, table);
  CHECK(meaning.verdict == Verdict::rate_limited);
  CHECK(meaning.rest == 30s);
}

TEST_CASE("an added dialect is asked before the known ones") {
  DialectTable table = default_dialects();
  table.add({"acme", {{.word = "insufficient_quota", .meaning = Meaning::busy}}});
  const Answer answer{429, {}, R"({"error":{"code":"insufficient_quota"}})"};
  CHECK(classify(answer, now).verdict == Verdict::quota_exhausted);
  CHECK(classify(answer, now, table).verdict == Verdict::overloaded);
}

TEST_CASE("a dialect of a known name takes its place") {
  DialectTable table = default_dialects();
  const auto count = table.dialects.size();
  table.add({"openai", {}});
  CHECK(table.dialects.size() == count);
  CHECK(classify(Answer{401, {}, R"({"error":{"code":"account_deactivated"}})"}, now, table).eject == false);
}

TEST_CASE("a user adds a place where codes are kept") {
  DialectTable table = default_dialects();
  table.code_paths.push_back("fault.kind");
  CHECK(classify(Answer{400, {}, R"({"fault":{"kind":"insufficient_quota"}})"}, now, table).eject);
}

TEST_CASE("an empty table judges by status alone") {
  const DialectTable none;
  CHECK(classify(Answer{429, {}, R"({"error":{"code":"insufficient_quota"}})"}, now, none).verdict ==
        Verdict::rate_limited);
  CHECK(classify(Answer{200, {}, R"({"code":-2002})"}, now, none).verdict == Verdict::success);
}

TEST_CASE("all signs of a row must be there") {
  DialectTable table;
  table.add({"acme",
             {{.text = "busy",
               .header = "x-acme",
               .header_value = "a*",
               .statuses = {400, 418},
               .meaning = Meaning::busy}}});
  const auto verdict = [&](int status, const char* value, const char* body) {
    return classify(Answer{status, {{"X-Acme", value}}, body}, now, table).verdict;
  };
  CHECK(verdict(418, "abc", "Busy!") == Verdict::overloaded);
  CHECK(verdict(417, "abc", "Busy!") == Verdict::caller_error);
  CHECK(verdict(418, "bcd", "Busy!") == Verdict::caller_error);
  CHECK(verdict(418, "abc", "Idle!") == Verdict::caller_error);
}
