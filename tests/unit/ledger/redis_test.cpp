#include "tokenpool/ledger/redis.hpp"

#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include "catch_compat.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;

namespace {

/// What hiredis makes of bytes that a server sent.
detail::RedisReply reply_of(const std::string& bytes) {
  const std::unique_ptr<redisReader, void (*)(redisReader*)> reader(redisReaderCreate(), redisReaderFree);
  redisReaderFeed(reader.get(), bytes.data(), bytes.size());
  void* reply = nullptr;
  redisReaderGetReply(reader.get(), &reply);
  REQUIRE(reply != nullptr);
  return {static_cast<redisReply*>(reply), freeReplyObject};
}

std::string complaint(const RedisOptions& options) {
  try {
    RedisLedger{options};
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_request);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("unfit options of a Redis ledger are named with what they should have been") {
  CHECK(complaint({}).empty());
  CHECK_THAT(complaint({.host = ""}), ContainsSubstring("RedisOptions.host is empty"));
  CHECK_THAT(complaint({.port = 70000}), ContainsSubstring("RedisOptions.port is 70000: give 1 to 65535"));
  CHECK_THAT(complaint({.database = -1}), ContainsSubstring("RedisOptions.database is -1"));
  CHECK_THAT(complaint({.prefix = "a{b}"}), ContainsSubstring("RedisOptions.prefix is \"a{b}\""));
  CHECK_THAT(complaint({.prefix = ""}), ContainsSubstring("RedisOptions.prefix"));
  CHECK_THAT(complaint({.connect_timeout = 0ms}), ContainsSubstring("RedisOptions.connect_timeout is 0 ms"));
  CHECK_THAT(complaint({.timeout = -1ms}), ContainsSubstring("RedisOptions.timeout is -1 ms"));
  CHECK_THAT(complaint({.first_backoff = 3s}), ContainsSubstring("RedisOptions.first_backoff is 3000 ms"));
}

TEST_CASE("a command for Redis counts its words and their bytes") {
  detail::RedisCommand others;
  others.add("a\r\nb");
  detail::RedisCommand command;
  command.add("SET");
  command.add(-12);
  command.add(others);
  CHECK(command.words() == 3);
  CHECK(command.text() == "*3\r\n$3\r\nSET\r\n$3\r\n-12\r\n$4\r\na\r\nb\r\n");
}

TEST_CASE("an answer of the script is read with its news") {
  const auto read =
      detail::redis_answer(*reply_of("*11\r\n:0\r\n:1\r\n:250\r\n$20\r\n18446744073709551615\r\n:7\r\n:3\r\n"
                                     ":0\r\n$7\r\ntoken=a\r\n:60000\r\n$1\r\n2\r\n$8\r\ntoo fast\r\n"),
                           2);
  REQUIRE(read);
  CHECK_FALSE(read->answer.granted);
  CHECK(read->answer.refused_claim == 1);
  CHECK(read->answer.retry_in == 250ms);
  CHECK(read->answer.epoch == 18446744073709551615U);
  CHECK(read->answer.heard == 7);
  CHECK(read->leases == 3);
  REQUIRE(read->answer.news.size() == 1);
  const LedgerNews& news = read->answer.news.front();
  CHECK(news.kind == LedgerNews::Kind::rest);
  CHECK(news.subject == "token=a");
  CHECK(news.left == 60s);
  CHECK(news.cause == Verdict::rate_limited);
  CHECK(news.reason == "too fast");
}

TEST_CASE("a refusal of no claim in particular names the number of claims") {
  const auto read = detail::redis_answer(*reply_of("*6\r\n:0\r\n:-1\r\n:5\r\n$1\r\n9\r\n:0\r\n:0\r\n"), 3);
  REQUIRE(read);
  CHECK(read->answer.refused_claim == 3);
}

TEST_CASE("what the script cannot have answered is no answer") {
  for (const char* bytes : {"+OK\r\n", ":1\r\n", "*0\r\n", "$-1\r\n", "-ERR no\r\n",
                            "*6\r\n:1\r\n:0\r\n:0\r\n$1\r\n0\r\n:0\r\n:0\r\n",
                            "*6\r\n:1\r\n:0\r\n:0\r\n$4\r\nhaha\r\n:0\r\n:0\r\n",
                            "*7\r\n:1\r\n:0\r\n:0\r\n$1\r\n1\r\n:0\r\n:0\r\n:0\r\n"}) {
    CHECK_FALSE(detail::redis_answer(*reply_of(bytes), 1));
  }
}

TEST_CASE("news of a kind that a later version made up is passed over") {
  const auto read = detail::redis_answer(
      *reply_of(
          "*11\r\n:1\r\n:0\r\n:0\r\n$1\r\n9\r\n:1\r\n:1\r\n:77\r\n$1\r\na\r\n:0\r\n$1\r\n0\r\n$0\r\n\r\n"),
      1);
  REQUIRE(read);
  CHECK(read->answer.news.empty());
}

TEST_CASE("writing to a connection that is closed raises no signal and leaves others' alone") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  {
    const detail::WithoutSigpipe guard;
    CHECK(::write(ends[1], "x", 1) == -1);
  }
  sigset_t pipe;
  sigset_t pending;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGPIPE) == 0);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  CHECK(sigismember(&before, SIGPIPE) == 0);
  CHECK(::write(ends[1], "x", 1) == -1);
  {
    const detail::WithoutSigpipe guard;
    CHECK(::write(ends[1], "x", 1) == -1);
  }
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGPIPE) == 1);
  int taken = 0;
  sigwait(&pipe, &taken);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(ends[1]);
}
