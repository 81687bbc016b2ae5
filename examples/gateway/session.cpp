#include "session.hpp"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <string_view>
#include <utility>

namespace gateway {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Progress = RequestReader::Progress;

/// What a client may send ahead while its request is being answered.
constexpr std::size_t most_ahead = std::size_t{64} * 1024;
/// After the last word the client is listened to for a while: a reset would take the word away from it.
constexpr std::chrono::seconds linger_time{2};
constexpr std::size_t most_discarded = std::size_t{1} << 20U;

Reply busy_reply() {
  Reply reply = error_reply(503, "the gateway holds as many bytes of requests as it may: try again shortly",
                            "server_error", "gateway_busy");
  reply.headers.add("Retry-After", "1");
  return reply;
}

}  // namespace

Session::Session(Socket socket, Front& front, Crowd& crowd, Budget& budget)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), front_(front), body_(budget) {
  place_.emplace(crowd, *this);
}

void Session::start() {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  expire_in(front_.bounds().header);
  listen();
}

/// Waits for bytes without a buffer, which is what 10,000 idle connections would cost most.
void Session::listen() {
  if (listening_ || stage_ == Stage::closed) return;
  listening_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
    self->listening_ = false;
    if (!error && self->stage_ != Stage::closed) self->receive();
  });
}

void Session::receive() {
  static thread_local std::array<char, std::size_t{64} * 1024> scratch;
  error_code error;
  const std::size_t count = socket_.read_some(asio::buffer(scratch), error);
  if (error == asio::error::would_block) return listen();
  if (error) return expel();
  switch (stage_) {
    case Stage::reading: unread_.append(scratch.data(), count); return read_request();
    case Stage::answering:
      unread_.append(scratch.data(), count);
      if (unread_.size() < most_ahead) listen();
      return;
    case Stage::lingering: discarded_ += count; return discarded_ > most_discarded ? expel() : listen();
    case Stage::closed: return;
  }
}

void Session::read_request() {
  while (stage_ == Stage::reading && !unread_.empty()) {
    const Bounds& bounds = front_.bounds();
    if (!reader_) {
      reader_ = std::make_unique<RequestReader>(bounds.max_header_bytes, bounds.max_body_bytes);
      expire_in(bounds.header);
    }
    std::string_view bytes = unread_;
    const Progress progress = reader_->read(bytes);
    unread_.erase(0, unread_.size() - bytes.size());
    switch (progress) {
      case Progress::refused:
        return refuse(error_reply(reader_->refusal().status, reader_->refusal().reason,
                                  "invalid_request_error", "unreadable_request"));
      case Progress::head: take_head(); break;
      case Progress::complete: return begin_answer();
      case Progress::more:
        if (!body_.grow_to(reader_->body_bytes())) return refuse(busy_reply());
        return listen();
    }
  }
  if (stage_ == Stage::reading) listen();
}

/// The header is there: the body is read only for who is let in.
void Session::take_head() {
  if (std::optional<Reply> objection = front_.objection(reader_->request())) return refuse(*objection);
  if (!body_.grow_to(reader_->body_bytes())) return refuse(busy_reply());
  place_->set_busy(true);
  expire_in(front_.bounds().body);
  if (reader_->expects_continue() && unread_.empty()) {
    error_code ignored;  // a few bytes on a connection that has nothing else to send
    socket_.write_some(asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), ignored);
  }
  std::string_view nothing;
  if (reader_->read(nothing) == Progress::complete) begin_answer();
}

void Session::begin_answer() {
  Inbound request = std::move(reader_->request());
  reader_.reset();
  http_1_0_ = request.http_1_0;
  stage_ = Stage::answering;
  ++timer_number_;
  const bool keep_alive = request.keep_alive && !front_.draining();
  const auto wake = [weak = weak_from_this(), executor = socket_.get_executor()] {
    asio::post(executor, [weak] {
      if (const auto self = weak.lock()) self->pump();
    });
  };
  source_ = front_.answer(std::move(request), keep_alive, wake);
  if (unread_.size() < most_ahead) listen();
  pump();
}

/// Says no to a request of which nothing more is read.
void Session::refuse(const Reply& reply) {
  stage_ = Stage::answering;
  source_ = std::make_shared<Whole>(reply_text(reply, reader_->request(), false), false);
  reader_.reset();
  place_->set_busy(true);
  pump();
}

void Session::pump() {
  if (writing_ || !source_ || stage_ != Stage::answering) return;
  Output output = source_->next();
  then_ = output.then;
  if (!output.bytes.empty()) return write(std::move(output.bytes));
  if (then_ != Output::Then::more) wrote();
}

void Session::write(std::string bytes) {
  outgoing_ = std::move(bytes);
  writing_ = true;
  expire_in(front_.bounds().send);
  asio::async_write(socket_, asio::buffer(outgoing_),
                    [self = shared_from_this()](error_code error, std::size_t) {
                      self->writing_ = false;
                      if (self->stage_ != Stage::answering) return;
                      if (error) return self->expel();
                      ++self->timer_number_;
                      self->wrote();
                    });
}

void Session::wrote() {
  switch (then_) {
    case Output::Then::more: return pump();
    case Output::Then::end: return finish_answer();
    case Output::Then::close: return linger();
    case Output::Then::cut: return cut();
  }
}

void Session::finish_answer() {
  source_.reset();
  body_.give_back();
  std::string().swap(outgoing_);
  if (unread_.empty()) std::string().swap(unread_);
  stage_ = Stage::reading;
  place_->set_busy(false);
  expire_in(front_.bounds().keep_alive);
  read_request();
}

void Session::linger() {
  source_.reset();
  body_.give_back();
  std::string().swap(unread_);
  stage_ = Stage::lingering;
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  place_->set_busy(false);
  expire_in(linger_time);
  listen();
}

/// The client has to see that its answer is not whole. Without chunks or a length only a reset says so.
void Session::cut() noexcept {
  if (http_1_0_) {
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  }
  expel();
}

void Session::expel() noexcept {
  if (stage_ == Stage::closed) return;
  stage_ = Stage::closed;
  ++timer_number_;
  timer_.cancel();
  if (const auto source = std::exchange(source_, nullptr)) source->hang_up();
  body_.give_back();
  error_code ignored;
  socket_.close(ignored);
  place_.reset();
}

void Session::expire_in(std::chrono::milliseconds time) {
  const unsigned number = ++timer_number_;
  timer_.expires_after(time);
  timer_.async_wait([weak = weak_from_this(), number](error_code error) {
    const auto self = error ? nullptr : weak.lock();
    if (self && self->timer_number_ == number) self->expired();
  });
}

void Session::expired() {
  const bool half_a_request = stage_ == Stage::reading && reader_;
  if (!half_a_request) return stage_ == Stage::answering ? cut() : expel();
  refuse(error_reply(408, "the rest of the request did not come in time", "invalid_request_error",
                     "request_timeout"));
}

}  // namespace gateway
