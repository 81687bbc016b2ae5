#pragma once
// One connection of a client: reads a request, hands it to the front, writes what its source gives, and
// again. While it answers it goes on reading, so that a client that hangs up is noticed at once.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "budget.hpp"
#include "crowd.hpp"
#include "front.hpp"
#include "request_reader.hpp"

namespace gateway {

/// A connection. Lives as long as something is awaited for it; everything happens on the gateway's thread.
class Session final : public Member, public std::enable_shared_from_this<Session> {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  Session(Socket socket, Front& front, Crowd& crowd, Budget& budget);

  void start();
  void expel() noexcept override;

 private:
  enum class Stage { reading, answering, lingering, closed };

  void listen();
  void receive();
  void read_request();
  void take_head();
  void begin_answer();
  void refuse(const Reply& reply);
  void pump();
  void write(std::string bytes);
  void wrote();
  void finish_answer();
  void linger();
  void cut() noexcept;
  void expire_in(std::chrono::milliseconds time);
  void expired();

  Socket socket_;
  boost::asio::steady_timer timer_;
  Front& front_;
  Budget::Share body_;
  std::optional<Crowd::Place> place_;
  Stage stage_ = Stage::reading;
  std::unique_ptr<RequestReader> reader_;  ///< while a request comes in
  std::string unread_;
  std::shared_ptr<Source> source_;
  std::string outgoing_;
  Output::Then then_ = Output::Then::more;
  std::size_t discarded_ = 0;
  unsigned timer_number_ = 0;
  bool listening_ = false;
  bool writing_ = false;
  bool http_1_0_ = false;
};

}  // namespace gateway
