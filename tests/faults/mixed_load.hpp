#pragma once

// Blocking, asynchronous and streaming calls at once, with deadlines and cancels at random moments, and a
// record of how each of them ended.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "faulty_server.hpp"
#include "support/client.hpp"

namespace test {

/// One call and what became of it.
struct LoadCall {
  enum class Kind { blocking, asynchronous, streaming };
  using Moment = std::chrono::steady_clock::time_point;

  int id = 0;
  Kind kind{};
  std::optional<std::chrono::milliseconds> deadline{};
  std::optional<std::chrono::milliseconds> cancelled_after{};
  tokenpool::CancelSource cancel{};
  Moment begun{};
  Moment ended{};
  std::atomic<int> ends{0};
  int events = 0;
  bool mixed_up = false;  ///< it was given something that belongs to another call, or out of turn
  std::optional<tokenpool::Result<tokenpool::Response>> result{};

  void end(tokenpool::Result<tokenpool::Response> with) {
    ended = std::chrono::steady_clock::now();
    result = std::move(with);
    ++ends;
  }

  void take(const tokenpool::ServerSentEvent& event) {
    mixed_up |= "data: " + event.data + "\n\n" != test::event(std::to_string(id), events++);
  }

  [[nodiscard]] tokenpool::Request request() const {
    const std::string path = kind == Kind::streaming ? "/stream" : "/plain";
    return {.method = id % 3 == 0 ? "GET" : "POST",
            .path = path + "?id=" + std::to_string(id),
            .body = id % 3 == 0 ? "" : std::string(static_cast<std::size_t>(id), 'x'),
            .deadline = deadline,
            .cancel = cancel.token()};
  }
};

using LoadCalls = std::vector<std::unique_ptr<LoadCall>>;

/// `count` calls, a third of each kind, half of them with a deadline and a quarter of them to be cancelled.
inline LoadCalls draw_calls(int count, std::mt19937& random) {
  LoadCalls calls;
  const auto milliseconds = [&] { return std::chrono::milliseconds(random() % 400); };
  for (int id = 1; id <= count; ++id) {
    auto call = std::make_unique<LoadCall>();
    call->id = id;
    call->kind = static_cast<LoadCall::Kind>(random() % 3);
    if (random() % 2 == 0) call->deadline = milliseconds();
    if (random() % 4 == 0) call->cancelled_after = milliseconds();
    calls.push_back(std::move(call));
  }
  return calls;
}

/// Makes `call` and waits for its end.
inline void make(tokenpool::Client<>& client, LoadCall& call) {
  call.begun = std::chrono::steady_clock::now();
  std::promise<void> over;
  const auto end = [&](tokenpool::Result<tokenpool::Response> result) {
    call.end(std::move(result));
    if (call.ends == 1) over.set_value();
  };
  const auto take = [&](const tokenpool::ServerSentEvent& event) { call.take(event); };
  const auto cancels = [&] {
    if (over.get_future().wait_for(*call.cancelled_after) == std::future_status::timeout)
      call.cancel.cancel();
  };
  switch (call.kind) {
    case LoadCall::Kind::blocking: {
      std::optional<std::jthread> canceller;
      if (call.cancelled_after) canceller.emplace(cancels);
      end(client.try_send(call.request()));
      return;
    }
    case LoadCall::Kind::asynchronous: client.send_async(call.request(), end); break;
    case LoadCall::Kind::streaming: client.stream_async(call.request(), take, end); break;
  }
  std::future<void> ended = over.get_future();
  if (call.cancelled_after && ended.wait_for(*call.cancelled_after) == std::future_status::timeout) {
    call.cancel.cancel();
  }
  ended.wait();
}

/// Makes all calls, `together` at a time.
inline void make_all(tokenpool::Client<>& client, LoadCalls& calls, int together) {
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < together; ++caller) {
    callers.emplace_back([&] {
      for (std::size_t at = next++; at < calls.size(); at = next++) make(client, *calls[at]);
    });
  }
}

}  // namespace test
