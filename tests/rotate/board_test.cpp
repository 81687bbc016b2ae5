#include "board.hpp"

#include <sstream>
#include <vector>

#include "catch_compat.hpp"

using rotate::final_table;
using rotate::Progress;
using rotate::progress_lines;
using rotate::words_for;
using test::ContainsSubstring;
using tokenpool::PoolSnapshot;
using tokenpool::TokenSnapshot;
using tokenpool::TokenState;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::size_t widest(const std::string& text) {
  std::size_t width = 0;
  for (const std::string& line : lines_of(text)) width = (std::max)(width, line.size());
  return width;
}

TokenSnapshot token(const std::string& id, TokenState state) {
  TokenSnapshot token;
  token.id = id;
  token.state = state;
  token.successes = 7;
  return token;
}

PoolSnapshot pool_of(std::size_t tokens) {
  PoolSnapshot pool;
  for (std::size_t i = 0; i < tokens; ++i) {
    pool.tokens.push_back(token(std::to_string(1000 + i) + "aaaabbbbcccc", TokenState::available));
  }
  return pool;
}

}  // namespace

TEST_CASE("a length of time is said in its two largest units") {
  CHECK(words_for(0ms) == "0s");
  CHECK(words_for(1ms) == "1s");
  CHECK(words_for(59s) == "59s");
  CHECK(words_for(60s) == "1m");
  CHECK(words_for(200s) == "3m 20s");
  CHECK(words_for(24h - 1s) == "23h 59m");
  CHECK(words_for(26h) == "1d 2h");
}

TEST_CASE("the progress says how far how fast and for how long") {
  const Progress half{50, 100, 3, 1, 10s};
  CHECK(lines_of(progress_lines(half, pool_of(1), 99)).at(0) ==
        "[############............] 50/100  5.0/s  3 retries  1 failed  10s left");
}

TEST_CASE("a finished run has no time left") {
  CHECK_THAT(progress_lines({99, 100, 0, 1, 1s}, pool_of(1), 99), !ContainsSubstring("left"));
}

TEST_CASE("a run that has just begun claims no rate and no end") {
  CHECK(lines_of(progress_lines({0, 100, 0, 0, 0s}, pool_of(1), 99)).at(0) ==
        "[........................] 0/100  0.0/s  0 retries  0 failed");
}

TEST_CASE("the progress marks the tokens that rest and those that are out") {
  PoolSnapshot pool;
  pool.tokens = {token("aaaa1", TokenState::available), token("bbbb1", TokenState::resting),
                 token("cccc1", TokenState::ejected)};
  CHECK(lines_of(progress_lines({}, pool, 99)).at(1) == "aaaa 7  bbbb~7  cccc!7");
}

TEST_CASE("of several limits the one that is nearest to its end is shown") {
  PoolSnapshot pool = pool_of(1);
  pool.tokens[0].limits.resize(2);
  pool.tokens[0].limits[0].amount = 100;
  pool.tokens[0].limits[0].used = 10;
  pool.tokens[0].limits[1].amount = 6;
  pool.tokens[0].limits[1].used = 5;
  CHECK_THAT(progress_lines({}, pool, 99), test::EndsWith("1000 5/6"));
}

TEST_CASE("the progress fits the width whatever the number of tokens") {
  const std::size_t width = GENERATE(20u, 40u, 80u, 99u);
  const std::size_t tokens = GENERATE(1u, 5u, 12u, 1000u);
  CHECK(widest(progress_lines({500, 500, 0, 0, 1s}, pool_of(tokens), width)) <= width);
}

TEST_CASE("tokens without room are counted") {
  CHECK_THAT(progress_lines({}, pool_of(1000), 40), test::EndsWith("1000 7  1001 7  1002 7  and 997 more"));
}

TEST_CASE("the final table keeps its columns in line and fits the width") {
  PoolSnapshot pool = pool_of(2);
  pool.tokens[0].id = "a-name-of-a-token-longer-than-any-column";
  pool.tokens[1].rate_limited = 123;
  pool.tokens[1].state = TokenState::resting;
  pool.tokens[1].rest = 90s;
  pool.tokens[1].cause = std::string(200, 'x');
  pool.egresses.emplace_back().id = "default";
  const std::string table = final_table(pool);
  CHECK(widest(table) <= 99);
  const std::vector<std::string> lines = lines_of(table);
  REQUIRE(lines.size() == 7);
  const std::size_t column = lines[0].find("state");
  CHECK(lines[1].substr(column) == "available");
  CHECK(lines[2].substr(column, 14) == "resting 1m 30s");
  CHECK(lines[4].substr(column) == "available");
  CHECK_THAT(lines[6], test::StartsWith(pool.tokens[1].id + ": xxx"));
}

TEST_CASE("the final table says how long answers took") {
  PoolSnapshot pool = pool_of(2);
  pool.tokens[0].p50 = 850us;
  pool.tokens[0].p95 = 420ms;
  pool.tokens[0].p99 = 12'400ms;
  const std::vector<std::string> lines = lines_of(final_table(pool));
  CHECK_THAT(lines[0], ContainsSubstring("   p50   p95   p99  state"));
  CHECK_THAT(lines[1], test::EndsWith(" 850us 420ms   12s  available"));
  CHECK_THAT(lines[2], test::EndsWith("     -     -     -  available"));
}

TEST_CASE("the final table says of a token that is out what went wrong last") {
  PoolSnapshot pool = pool_of(1);
  pool.tokens[0].last_error = {tokenpool::Verdict::server_error, 503, "overloaded", 2s};
  CHECK_THAT(final_table(pool), !ContainsSubstring("503"));
  pool.tokens[0].state = TokenState::ejected;
  pool.tokens[0].cause = "the key is unknown";
  pool.tokens[0].last_error = {tokenpool::Verdict::token_invalid, 401, "the key is unknown", 90s};
  CHECK(lines_of(final_table(pool)).back() ==
        pool.tokens[0].id + ": the key is unknown; last error 1m 30s ago: token_invalid, status 401");
  pool.tokens[0].last_error = {tokenpool::Verdict::ambiguous, 0, "connection lost", 1s};
  CHECK_THAT(final_table(pool),
             ContainsSubstring("; last error 1s ago: ambiguous, no answer, connection lost"));
}
