// Two clients that count as one: in a file for the processes of one machine, on a Redis server for those of
// several. Here both live in one program; they know nothing of each other but the ledger.
//
// server: --tokens sk-alpha,sk-beta --limit 4 --window 24h
// needs: redis-server

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <tokenpool/ledger/redis.hpp>
#include <tokenpool/ledger/sqlite.hpp>
#include <tokenpool/tokenpool.hpp>

using namespace std::chrono_literals;

/// Asks until neither client may send any more.
void spend_the_day(const std::string& name, const std::string& url,
                   std::shared_ptr<tokenpool::Ledger> ledger) {
  const tokenpool::ClientOptions options{
      .base_url = url,
      .tokens = tokenpool::tokens_from_env("TOKENS"),
      .limits = {tokenpool::Limit::per_token(2, 24h)},
      .ledger = std::move(ledger),
  };
  tokenpool::Client<> one{options};
  tokenpool::Client<> other{options};

  int answered_one = 0;
  int answered_other = 0;
  while (one.try_send({.path = "/models"})) {
    ++answered_one;
    if (other.try_send({.path = "/models"})) ++answered_other;
  }
  std::cout << name << ": " << answered_one << " and " << answered_other << " of 2 tokens, 2 a day each\n";
}

int main(int argc, char** argv) {
  const std::string url = argc > 1 ? argv[1] : "https://api.example.com/v1";
  const auto file = std::filesystem::temp_directory_path() / "tokenpool-tutorial.db";
  std::filesystem::remove(file);
  spend_the_day("a file", url,
                std::make_shared<tokenpool::SqliteLedger>(tokenpool::SqliteOptions{.path = file.string()}));
  std::filesystem::remove(file);

  const char* host = std::getenv("REDIS_HOST");
  spend_the_day("Redis", url,
                std::make_shared<tokenpool::RedisLedger>(
                    tokenpool::RedisOptions{.host = host == nullptr ? "127.0.0.1" : host}));
}

// prints:
//   a file: 2 and 2 of 2 tokens, 2 a day each
//   Redis: 2 and 2 of 2 tokens, 2 a day each
