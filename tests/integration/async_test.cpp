// Calls without a thread of their own, over real sockets.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <coroutine>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "catch_compat.hpp"
#include "support/client.hpp"
#include "support/quota_server.hpp"

using namespace std::chrono_literals;
using namespace tokenpool;

namespace {

const std::vector<std::string> three_tokens{"--tokens", "sk-a,sk-b,sk-c"};

test::QuotaServer server(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = three_tokens;
  arguments.insert(arguments.end(), more.begin(), more.end());
  return test::QuotaServer(std::move(arguments));
}

ClientOptions options(const test::QuotaServer& at) {
  return {.base_url = at.base_url(), .tokens = parse_tokens("sk-a,sk-b,sk-c")};
}

Request models() { return {.path = "/models"}; }

std::size_t threads_of_this_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

/// A coroutine that nobody waits for.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Detached ask(Client<>& client, std::promise<int>& status, std::function<void(std::function<void()>)> resume) {
  try {
    const Response reply = co_await client.co_send(models(), std::move(resume));
    status.set_value(reply.status);
  } catch (...) {
    status.set_exception(std::current_exception());
  }
}

}  // namespace

TEST_CASE("a future holds the response of an asynchronous call") {
  const auto at = server();
  Client<> client(options(at));
  CHECK(client.send_async(models()).get().status == 200);
}

TEST_CASE("a future throws the error of an asynchronous call") {
  const auto at = server();
  Client<> client(options(at));
  std::future<Response> reply = client.send_async({.path = "bad path"});
  try {
    reply.get();
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_request);
  }
}

TEST_CASE("a callback is called once with the result") {
  const auto at = server();
  Client<> client(options(at));
  std::promise<int> status;
  std::atomic<int> calls{0};
  client.send_async(models(), [&](Result<Response> result) {
    ++calls;
    status.set_value(result ? result->status : 0);
  });
  CHECK(status.get_future().get() == 200);
  CHECK(calls == 1);
}

TEST_CASE("a coroutine goes on with the response where the caller wants") {
  const auto at = server();
  Client<> client(options(at));
  std::promise<int> status;
  std::promise<std::function<void()>> handed_over;
  ask(client, status, [&](std::function<void()> go_on) { handed_over.set_value(std::move(go_on)); });
  handed_over.get_future().get()();
  CHECK(status.get_future().get() == 200);
}

TEST_CASE("asynchronous calls move to another token after a refusal and spend every token") {
  const auto at = server({"--limit", "20"});
  Client<> client(options(at));
  const std::vector<Request> requests(60, models());
  const auto results = client.send_all(requests, {.concurrency = 1});
  CHECK(
      std::all_of(results.begin(), results.end(), [](const auto& result) { return result && result->ok(); }));
  CHECK(at.counts()["total"]["successes"] == 60);
}

TEST_CASE("asynchronous calls keep known limits over windows without a refusal") {
  const auto at = server({"--limit", "25", "--window", "400ms", "--window-kind", "rolling"});
  ClientOptions limited = options(at);
  limited.limits = {Limit::per_token(25, 400ms)};
  Client<> client(std::move(limited));
  const std::vector<Request> requests(200, models());
  const auto results = client.send_all(requests, {.concurrency = 200});
  CHECK(
      std::all_of(results.begin(), results.end(), [](const auto& result) { return result && result->ok(); }));
  CHECK(at.counts()["total"]["refused"] == 0);
}

TEST_CASE("a thousand calls that wait for a token occupy no threads") {
  const auto at = server();
  ClientOptions limited = options(at);
  limited.limits = {Limit::per_pool(1, 1h)};
  limited.retry.max_wait = 2h;
  limited.timeouts.total = 0ms;
  Client<> client(std::move(limited));
  REQUIRE(client.send_async(models()).get().ok());
  const std::size_t before = threads_of_this_process();
  CancelSource source;
  std::vector<std::future<Response>> waiting;
  for (int i = 0; i < 1000; ++i) {
    Request request = models();
    request.cancel = source.token();
    waiting.push_back(client.send_async(std::move(request)));
  }
  while (client.stats().pool.waiting != 1000) {
    std::this_thread::yield();
  }
  CHECK(threads_of_this_process() <= before + 2);
  source.cancel();
  for (auto& reply : waiting) {
    CHECK_THROWS_AS(reply.get(), Error);
  }
  CHECK(client.stats().pool.waiting == 0);
}

TEST_CASE("a deadline ends an asynchronous call whose server is silent") {
  const auto at = server({"--delay", "30s"});
  Client<> client(options(at));
  Request request = models();
  request.deadline = 100ms;
  try {
    client.send_async(std::move(request)).get();
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::deadline_exceeded);
  }
}

TEST_CASE("cancelling ends an asynchronous call that is being answered") {
  const auto at = server({"--delay", "30s"});
  Client<> client(options(at));
  CancelSource source;
  Request request = models();
  request.cancel = source.token();
  std::future<Response> reply = client.send_async(std::move(request));
  while (client.stats().egresses[0].in_flight == 0) {
    std::this_thread::yield();
  }
  source.cancel();
  try {
    reply.get();
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::cancelled);
  }
  CHECK(client.stats().egresses[0].in_flight == 0);
}

TEST_CASE("destroying a client ends its asynchronous calls as cancelled") {
  const auto at = server({"--delay", "30s"});
  std::vector<std::future<Response>> replies;
  {
    Client<> client(options(at));
    for (int i = 0; i < 50; ++i) {
      replies.push_back(client.send_async(models()));
    }
  }
  for (auto& reply : replies) {
    try {
      reply.get();
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::cancelled);
    }
  }
}

TEST_CASE("a client may be destroyed by one of its own asynchronous callbacks") {
  const auto at = server({"--jitter", "300ms"});
  auto client = std::make_unique<Client<>>(options(at));
  std::promise<void> all_done;
  std::atomic<int> done{0};
  std::atomic<int> cancelled{0};
  constexpr int calls = 10;
  for (int i = 0; i < calls; ++i) {
    client->send_async(models(), [&](Result<Response> result) {
      client.reset();
      cancelled += result ? 0 : 1;
      if (++done == calls) {
        all_done.set_value();
      }
    });
  }
  all_done.get_future().get();
  CHECK(done == calls);
  CHECK(cancelled >= 1);
}

TEST_CASE("a batch keeps the order of its requests and reports its progress") {
  const auto at = server({"--jitter", "5ms"});
  Client<> client(options(at));
  std::vector<Request> requests;
  for (int i = 0; i < 40; ++i) {
    requests.push_back({.method = "POST",
                        .path = "/chat/completions",
                        .body = R"({"messages":[{"role":"user","content":")" + std::to_string(i) + "\"}]}"});
  }
  std::vector<std::size_t> done;
  std::size_t reported = 0;
  const auto results =
      client.send_all(requests, {.concurrency = 8,
                                 .on_progress =
                                     [&](const BatchProgress& progress) {
                                       done.push_back(progress.done);
                                       CHECK(progress.in_flight < 8);
                                       CHECK(progress.total == 40U);
                                     },
                                 .on_result = [&](std::size_t, const auto&) { ++reported; }});
  REQUIRE(results.size() == 40);
  for (std::size_t i = 0; i < results.size(); ++i) {
    REQUIRE(results[i]);
    CHECK(results[i]->json()["choices"][0]["message"]["content"] == "echo: " + std::to_string(i));
  }
  CHECK(reported == 40);
  CHECK(std::is_sorted(done.begin(), done.end()));
  CHECK(done.back() == 40);
}

TEST_CASE("a batch that is cancelled begins no further request and returns what there is") {
  const auto at = server();
  Client<> client(options(at));
  CancelSource source;
  const std::vector<Request> requests(1000, models());
  std::size_t seen = 0;
  const auto results = client.send_all(requests, {.concurrency = 4,
                                                  .on_result =
                                                      [&](std::size_t, const auto&) {
                                                        if (++seen == 20) {
                                                          source.cancel();
                                                        }
                                                      },
                                                  .cancel = source.token()});
  CHECK(results.size() >= 20);
  CHECK(results.size() < 1000);
}

TEST_CASE("what a batch's own function throws reaches the caller once nothing is under way") {
  const auto at = server();
  Client<> client(options(at));
  const std::vector<Request> requests(50, models());
  CHECK_THROWS_AS(client.send_all(requests, {.on_result =
                                                 [](std::size_t index, const auto&) {
                                                   if (index == 7) {
                                                     throw std::runtime_error("enough");
                                                   }
                                                 }}),
                  std::runtime_error);
  CHECK(client.stats().egresses[0].in_flight == 0);
}

TEST_CASE("blocking and asynchronous calls share a client from many threads") {
  const auto at = server();
  Client<> client(options(at));
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int call = 0; call < 25; ++call) {
        const bool ok = i % 2 == 0 ? client.send(models()).ok() : client.send_async(models()).get().ok();
        answered += ok ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(answered == 100);
  CHECK(at.counts()["total"]["successes"] == 100);
}

TEST_CASE("a thousand calls to dead servers stay within the budget and the first call after it succeeds") {
  auto at = std::make_unique<test::QuotaServer>(three_tokens);
  const std::string port = at->origin().substr(at->origin().rfind(':') + 1);
  ClientOptions impatient = options(*at);
  impatient.retry.backoff = {.first = 1ms, .max = 4ms};
  impatient.retry.max_wait = 5s;
  Client<> client(std::move(impatient));
  at.reset();
  std::vector<std::future<Response>> replies;
  for (int i = 0; i < 1000; ++i) {
    Request request = models();
    request.deadline = 200ms;
    replies.push_back(client.send_async(std::move(request)));
  }
  std::size_t attempts = 0;
  for (auto& reply : replies) {
    try {
      reply.get();
      FAIL("an answer from nobody");
    } catch (const Error& error) {
      attempts += error.attempts().size();
    }
  }
  CHECK(attempts <= 1210);

  std::vector<std::string> again = three_tokens;
  again.insert(again.end(), {"--port", port});
  const test::QuotaServer back(again);
  CHECK(client.send_async(models()).get().ok());
}
