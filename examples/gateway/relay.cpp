#include "relay.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "forwarding.hpp"
#include "refusal.hpp"
#include "tokenpool/base/numbers.hpp"
#include "tokenpool/quota/attempt.hpp"

namespace gateway {

using tokenpool::BodyAction;
using tokenpool::Response;
using tokenpool::Result;

Relay::~Relay() { tell_end(); }

void Relay::start(Upstream& upstream, tokenpool::Request request) {
  const std::weak_ptr<Relay> weak = weak_from_this();
  request.cancel = cancel_.token();
  request.gate = gate_;
  request.on_head = [weak](const tokenpool::AnswerHead& head) {
    if (const auto self = weak.lock()) self->show_head(head);
  };
  request.on_body = [weak](std::string_view bytes) {
    const auto self = weak.lock();
    return self ? self->take(bytes) : BodyAction::stop;
  };
  upstream.send(std::move(request), [weak](Result<Response> result) {
    if (const auto self = weak.lock()) self->finish(std::move(result));
  });
}

// The transport's thread.

void Relay::show_head(const tokenpool::AnswerHead& head) {
  {
    const std::lock_guard lock(mutex_);
    arrived_.head.emplace(head.status, answer_headers(head.headers, head.token_id, head.attempts));
  }
  options_.wake();
}

BodyAction Relay::take(std::string_view bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (arrived_.bytes.size() >= most_kept) {
      paused_ = true;
      return BodyAction::pause;
    }
    arrived_.bytes.append(bytes);
    if (arrived_.bytes.size() > bytes.size()) return BodyAction::take;  // it was told of those before
  }
  options_.wake();
  return BodyAction::take;
}

void Relay::finish(Result<Response> result) {
  {
    const std::lock_guard lock(mutex_);
    arrived_.result.emplace(std::move(result));
  }
  options_.wake();
}

// The gateway's thread.

Relay::Arrived Relay::take_arrived() {
  bool resume = false;
  Arrived arrived;
  {
    const std::lock_guard lock(mutex_);
    arrived = std::exchange(arrived_, {});
    resume = std::exchange(paused_, false);
  }
  if (resume) gate_->resume();
  return arrived;
}

Output Relay::next() {
  if (over_) return {};
  Arrived arrived = take_arrived();
  std::string bytes;
  if (arrived.head) {
    bytes = begin(arrived.head->first, arrived.head->second);
  }
  bytes += framed(std::move(arrived.bytes));
  if (is_whole()) return end(std::move(bytes));
  if (arrived.result) return conclude(*arrived.result, std::move(bytes));
  return {std::move(bytes), Output::Then::more};
}

std::string Relay::begin(int status, const tokenpool::Headers& headers) {
  const bool bodiless = options_.head_only || status == 204 || status == 304;
  const auto length = tokenpool::parse_whole<std::uint64_t>(headers.get("Content-Length").value_or(""));
  framing_ = bodiless || length ? Framing::length : options_.http_1_0 ? Framing::close : Framing::chunked;
  left_ = bodiless ? 0 : length.value_or(0);
  options_.keep_alive = options_.keep_alive && framing_ != Framing::close;
  begun_ = true;
  end_.status = status;
  end_.token_id = headers.get("x-tokenpool-token").value_or("");
  end_.attempts =
      tokenpool::parse_whole<std::size_t>(headers.get("x-tokenpool-attempts").value_or("")).value_or(0);
  return head_text(status, headers, framing_, options_.keep_alive);
}

std::string Relay::framed(std::string bytes) {
  left_ -= (std::min)(left_, std::uint64_t{bytes.size()});
  return framing_ == Framing::chunked ? chunk_text(bytes) : std::move(bytes);
}

Output Relay::conclude(const Result<Response>& result, std::string bytes) {
  end_.attempts = result ? result->attempts.size() : result.error().attempts().size();
  if (!result) end_.error = to_string(result.error().code());
  if (!begun_ && result) {
    return whole(
        {result->status, answer_headers(result->headers, result->token_id, end_.attempts), result->body});
  }
  if (!begun_) return whole(refusal(result.error(), std::chrono::system_clock::now()));
  if (result && framing_ != Framing::length) return end(std::move(bytes));
  over_ = true;
  end_.cut = true;
  tell_end();
  return {std::move(bytes), Output::Then::cut};
}

Output Relay::end(std::string bytes) {
  over_ = true;
  tell_end();
  if (framing_ == Framing::chunked) bytes += last_chunk;
  return {std::move(bytes), options_.keep_alive ? Output::Then::end : Output::Then::close};
}

/// An answer that the library had collected.
Output Relay::whole(const Reply& reply) {
  over_ = true;
  end_.status = reply.status;
  if (const auto token = reply.headers.get("x-tokenpool-token")) end_.token_id = *token;
  tell_end();
  Inbound request;
  if (options_.head_only) request.method = "HEAD";
  return {reply_text(reply, request, options_.keep_alive),
          options_.keep_alive ? Output::Then::end : Output::Then::close};
}

void Relay::hang_up() noexcept {
  if (over_) return;
  over_ = true;
  end_.cut = true;
  cancel_.cancel();
  gate_->resume();  // a call that is paused looks at its cancellation then
}

void Relay::tell_end() {
  if (const auto on_end = std::exchange(options_.on_end, nullptr)) on_end(end_);
}

}  // namespace gateway
