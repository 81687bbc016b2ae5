// Calls without a thread each: as a future, with a callback, and awaited in a coroutine. One thread of the
// client's carries them all; callbacks run on it and must not block.
//
// server: --tokens sk-alpha,sk-beta

#include <coroutine>
#include <exception>
#include <future>
#include <iostream>
#include <tokenpool/tokenpool.hpp>

/// The least that makes a function a coroutine; yours is that of Asio, cppcoro, Qt...
struct Task {
  struct promise_type {  // NOLINT(readability-identifier-naming): the language's name
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Task ask_twice(tokenpool::Client<>& client, std::promise<int>& statuses) {
  const tokenpool::Request models{.path = "/models"};  // gcc 12 destroys a {...} inside co_await twice
  const tokenpool::Response first = co_await client.co_send(models);
  const tokenpool::Response second = co_await client.co_send(models);
  statuses.set_value(first.status + second.status);
}

int main(int argc, char** argv) {
  tokenpool::Client<> client{{
      .base_url = argc > 1 ? argv[1] : "https://api.example.com/v1",
      .tokens = tokenpool::tokens_from_env("TOKENS"),
  }};

  std::future<tokenpool::Response> future = client.send_async({.path = "/models"});
  std::cout << "future: " << future.get().status << '\n';  // throws the Error, if there is one

  std::promise<int> called;
  client.send_async({.path = "/models"}, [&](tokenpool::Result<tokenpool::Response> result) {
    called.set_value(result ? result->status : 0);
  });
  std::cout << "callback: " << called.get_future().get() << '\n';

  std::promise<int> awaited;
  ask_twice(client, awaited);
  std::cout << "coroutine: 200 + 200 = " << awaited.get_future().get() << '\n';
}

// prints:
//   future: 200
//   callback: 200
//   coroutine: 200 + 200 = 400
