#include "listener.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <utility>

#include "session.hpp"

namespace gateway {

namespace asio = boost::asio;
using boost::system::error_code;

Listener::Listener(asio::io_context& context, const std::string& address, std::uint16_t port, Front& front,
                   Crowd& crowd, Budget& budget)
    : acceptor_(context), pause_(context), front_(front), crowd_(crowd), budget_(budget) {
  try {
    const Tcp::endpoint endpoint(asio::ip::make_address(address), port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(Tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error("listen: cannot listen on " + address + " port " + std::to_string(port) + " (" +
                             error.code().message() + "): give an address of this machine and a free port");
  }
}

void Listener::stop() {
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void Listener::accept() {
  acceptor_.async_accept([this](error_code error, Tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (!error) {
      admit(std::move(socket));
      return accept();
    }
    // Most likely there is no descriptor left; asking again at once would only heat the room.
    pause_.expires_after(std::chrono::milliseconds(50));
    pause_.async_wait([this](error_code stopped) {
      if (!stopped) accept();
    });
  });
}

void Listener::admit(Tcp::socket socket) {
  if (crowd_.make_room(front_.bounds().max_connections)) {
    return std::make_shared<Session>(std::move(socket), front_, crowd_, budget_)->start();
  }
  Reply reply = error_reply(503, "the gateway has as many connections as it may: try again shortly",
                            "server_error", "too_many_connections");
  reply.headers.add("Retry-After", "1");
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(reply_text(reply, {}, false)), ignored);
  socket.shutdown(Tcp::socket::shutdown_send, ignored);
}

}  // namespace gateway
