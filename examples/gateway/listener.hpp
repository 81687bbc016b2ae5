#pragma once
// Takes connections in. One that finds no place hears so in a few bytes.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <string>

#include "budget.hpp"
#include "crowd.hpp"
#include "front.hpp"

namespace gateway {

/// A listening socket. Used on the gateway's thread.
class Listener {
 public:
  /// Throws std::runtime_error when the address cannot be had.
  Listener(boost::asio::io_context& context, const std::string& address, std::uint16_t port, Front& front,
           Crowd& crowd, Budget& budget);

  void start() { accept(); }
  void stop();
  /// The port that it listens on, which is another than was asked for if that was 0.
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  using Tcp = boost::asio::ip::tcp;

  void accept();
  void admit(Tcp::socket socket);

  Tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  Front& front_;
  Crowd& crowd_;
  Budget& budget_;
};

}  // namespace gateway
