#pragma once
// A call as something to co_await.

#include <coroutine>
#include <functional>
#include <optional>
#include <utility>

#include "tokenpool/base/result.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/quota/attempt.hpp"

namespace tokenpool::detail {

/// Made by Client::co_send, awaited once. The client must live until the coroutine goes on.
template <class Client>
class SendAwaitable {
 public:
  using Resume = std::function<void(std::function<void()>)>;

  SendAwaitable(Client& client, Request request, Resume resume)
      : client_(client), request_(std::move(request)), resume_(std::move(resume)) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }

  void await_suspend(std::coroutine_handle<> coroutine) {
    client_.send_async(std::move(request_), [this, coroutine](Result<Response> result) {
      result_.emplace(std::move(result));
      resume_ ? resume_([coroutine] { coroutine.resume(); }) : coroutine.resume();
    });
  }

  /// Throws the Error.
  Response await_resume() { return std::move(*result_).value(); }

 private:
  Client& client_;
  Request request_;
  Resume resume_;
  std::optional<Result<Response>> result_;
};

}  // namespace tokenpool::detail
