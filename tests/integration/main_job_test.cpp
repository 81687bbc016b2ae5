// The main job over real sockets, seen from the server's side: its log tells what each request met.

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "catch_compat.hpp"
#include "support/client.hpp"
#include "support/quota_server.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::QuotaServer;

namespace {

std::string token_list(int count) {
  std::string list;
  for (int i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + ("sk-canary-000" + std::to_string(i));
  return list;
}

ClientOptions options_for(const QuotaServer& server, int tokens, std::vector<Limit> limits = {}) {
  return {.base_url = server.base_url(),
          .tokens = parse_tokens(token_list(tokens)),
          .limits = std::move(limits),
          .egress = {{.id = "here"}},
          .retry = {.max_wait = 100ms, .backoff = {.first = 1ms, .max = 5ms}}};
}

/// How often the server answered each status.
std::map<int, int> statuses(const QuotaServer& server) {
  std::map<int, int> counts;
  for (const nlohmann::json& line : server.log()) ++counts[line["status"].get<int>()];
  return counts;
}

/// How often each token was answered 200, by its last four characters.
std::map<std::string, int> successes(const QuotaServer& server) {
  std::map<std::string, int> counts;
  for (const nlohmann::json& line : server.log()) {
    if (line["status"] == 200) ++counts[line["token"].get<std::string>()];
  }
  return counts;
}

template <class Client>
Result<Response> chat(Client& client) {
  return client.try_send(
      {.method = "POST",
       .path = "/chat/completions",
       .body = nlohmann::json{{"model", "m"}, {"messages", {{{"role", "user"}, {"content", "Hi"}}}}}.dump()});
}

/// Sends `calls` requests from `threads` threads; returns how many were answered 200.
template <class Client>
int send_all(Client& client, int calls, int threads = 1) {
  std::atomic<int> left{calls};
  std::atomic<int> answered{0};
  const auto work = [&] {
    while (left.fetch_sub(1) > 0) {
      const Result<Response> result = chat(client);
      answered += result && result->ok() ? 1 : 0;
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  return answered;
}

const std::map<std::string, int> hundred_each{
    {"0000", 100}, {"0001", 100}, {"0002", 100}, {"0003", 100}, {"0004", 100}};

}  // namespace

TEST_CASE("500 calls over 5 tokens of 100 meet no 429 when the limit is known") {
  QuotaServer server({"--tokens", token_list(5), "--limit", "100"});
  Client<> client(options_for(server, 5, {Limit::per_token(100, 24h)}));
  CHECK(send_all(client, 500) == 500);
  CHECK(statuses(server) == std::map<int, int>{{200, 500}});
  CHECK(successes(server) == hundred_each);

  const Result<Response> next = chat(client);
  CHECK(next.error().code() == ErrorCode::exhausted);
  CHECK(server.log().size() == 500);
}

TEST_CASE("500 calls of 8 threads meet no 429 when the limit is known") {
  QuotaServer server({"--tokens", token_list(5), "--limit", "100"});
  Client<> client(options_for(server, 5, {Limit::per_token(100, 24h)}));
  CHECK(send_all(client, 500, 8) == 500);
  CHECK(statuses(server) == std::map<int, int>{{200, 500}});
  CHECK(successes(server) == hundred_each);
}

TEST_CASE("500 calls of one caller meet at most 5 times 429 when the limit is not known") {
  QuotaServer server({"--tokens", token_list(5), "--limit", "100"});
  Client<> client(options_for(server, 5));
  CHECK(send_all(client, 500) == 500);
  CHECK(statuses(server)[429] <= 5);
  CHECK(successes(server) == hundred_each);
}

TEST_CASE("500 calls of 8 threads lose nothing when the limit is not known") {
  QuotaServer server({"--tokens", token_list(5), "--limit", "100"});
  Client<> client(options_for(server, 5));
  CHECK(send_all(client, 500, 8) == 500);
  // Each token may meet it once, and once for each of the other seven requests that were under way then.
  CHECK(statuses(server)[429] <= 5 * 8);
  CHECK(successes(server) == hundred_each);
}

TEST_CASE("every policy brings 500 calls through without a 429") {
  for (const char* name :
       {"random", "round-robin", "least-used", "weighted-random", "weighted-round-robin", "least-in-flight",
        "power-of-two-choices", "lowest-latency", "most-headroom", "failover", "sticky"}) {
    INFO(name);
    QuotaServer server({"--tokens", token_list(5), "--limit", "100"});
    Client<AnyPolicy> client(options_for(server, 5, {Limit::per_token(100, 24h)}), AnyPolicy(name));
    CHECK(send_all(client, 500, 2) == 500);
    CHECK(statuses(server) == std::map<int, int>{{200, 500}});
    CHECK(successes(server) == hundred_each);
  }
}

TEST_CASE("150 calls from one address and then a clear end when the limits are known") {
  QuotaServer server({"--tokens", token_list(3), "--rule", "token-and-ip", "--limit", "150"});
  Client<> client(options_for(server, 3, {Limit::per_token(150, 24h), Limit::per_egress(150, 24h)}));
  CHECK(send_all(client, 200) == 150);
  CHECK(statuses(server) == std::map<int, int>{{200, 150}});
  const Result<Response> next = chat(client);
  CHECK(next.error().code() == ErrorCode::exhausted);
  CHECK(next.error().retry_at().has_value());
  CHECK_THAT(next.error().what(), ContainsSubstring("egress here exhausted until"));
}

TEST_CASE("150 calls from one address and at most three 429s when the limits are not known") {
  for (const char* scope : {"", "--scope-header"}) {
    std::vector<std::string> arguments{"--tokens", token_list(3), "--rule", "token-and-ip", "--limit", "150"};
    if (*scope != '\0') arguments.emplace_back(scope);
    QuotaServer server(arguments);
    Client<> client(options_for(server, 3));
    CHECK(send_all(client, 200) == 150);
    CHECK(statuses(server)[200] == 150);
    CHECK(statuses(server)[429] <= 3);
    const Result<Response> next = chat(client);
    CHECK(next.error().code() == ErrorCode::exhausted);
    CHECK_THAT(next.error().what(), ContainsSubstring("egress here exhausted until"));
  }
}

TEST_CASE("a token that dies in the middle costs one request and is told once") {
  QuotaServer server({"--tokens", token_list(5), "--limit", "200", "--kill", "2:40"});
  std::vector<std::string> told;
  ClientOptions options = options_for(server, 5);
  options.observer.on_ejected = [&](const EjectedEvent& event) { told.push_back(event.token_id); };
  const std::string dead = token_id(Secret("sk-canary-0002"));
  Client<> client(std::move(options));
  CHECK(send_all(client, 500) == 500);
  CHECK(statuses(server) == std::map<int, int>{{200, 500}, {401, 1}});
  CHECK(told == std::vector<std::string>{dead});
}

TEST_CASE("a server that fails now and then loses no call") {
  QuotaServer server({"--tokens", token_list(5), "--limit", "1000", "--fail-rate", "0.05"});
  Client<> client(options_for(server, 5));
  CHECK(send_all(client, 300) == 300);
  CHECK(statuses(server)[500] > 0);
}

TEST_CASE("windows of every kind are kept over several of them") {
  for (const char* kind : {"fixed", "rolling", "first-request"}) {
    INFO(kind);
    QuotaServer server(
        {"--tokens", token_list(2), "--limit", "10", "--window", "500ms", "--window-kind", kind});
    ClientOptions options = options_for(server, 2, {Limit::per_token(10, 500ms)});
    options.retry.max_wait = 10s;
    Client<> client(std::move(options));
    CHECK(send_all(client, 100, 4) == 100);
    CHECK(statuses(server) == std::map<int, int>{{200, 100}});
  }
}

TEST_CASE("the client says nothing of a secret in all that it does") {
  QuotaServer server({"--tokens", token_list(1) + "-but-another", "--limit", "1"});
  ClientOptions options = options_for(server, 1);
  std::string words;
  options.observer.on_ejected = [&](const EjectedEvent& event) { words += event.token_id + event.reason; };
  Client<> client(std::move(options));
  const Result<Response> refused = chat(client);
  REQUIRE_FALSE(refused);
  words += refused.error().what() + to_json(client.stats()).dump();
  for (const Attempt& attempt : refused.error().attempts()) words += attempt.token_id + attempt.reason;
  CHECK_THAT(words, !ContainsSubstring("canary"));
}
