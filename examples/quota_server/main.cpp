// A server that does what services with a free allowance do: it counts requests per token, or per token and
// IP, and refuses with 429 what is above. It shares no code with tokenpool, whose tests it judges.

#include <httplib.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "connections.hpp"
#include "lifetime.hpp"
#include "memory_store.hpp"
#include "options.hpp"
#include "service.hpp"
#ifdef QUOTA_SERVER_HAS_REDIS
#include "redis_store.hpp"
#endif

namespace {

using namespace quota_server;

int bind(httplib::Server& server, const Options& options) {
  // The library's own choice of options lets two servers share a port in silence.
  socket_t listener = INVALID_SOCKET;
  server.set_socket_options([&listener](socket_t socket) {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    listener = socket;
  });
  int port = options.port;
  if (port == 0) {
    port = server.bind_to_any_port(options.listen);
  } else if (!server.bind_to_port(options.listen, port)) {
    port = -1;
  }
  if (port < 0) {
    throw std::runtime_error("--listen: cannot listen on " + options.listen + " port " +
                             std::to_string(options.port) +
                             "; choose an address of this machine and a free port");
  }
  // The library queues five connections; a client that opens hundreds at once would wait for retransmissions.
  ::listen(listener, SOMAXCONN);
  return port;
}

void set_up(httplib::Server& server, const Options& options) {
  server.new_task_queue = [] { return new ThreadPerConnection; };
  server.set_tcp_nodelay(true);
  server.set_keep_alive_max_count(1'000'000'000);
  server.set_keep_alive_timeout(std::chrono::ceil<std::chrono::seconds>(options.keep_alive).count());
}

std::string url(const std::string& host, int port) {
  const bool v6 = host.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::unique_ptr<Store> make_store(const Options& options) {
  if (!options.store) return std::make_unique<MemoryStore>(options.quota);
#ifdef QUOTA_SERVER_HAS_REDIS
  return std::make_unique<RedisStore>(*options.store, options.quota);
#else
  throw std::runtime_error("--store: built without hiredis; install libhiredis-dev and build again");
#endif
}

void serve(const Options& options) {
  const Lifetime lifetime(options.exit_with_parent);
  Service service(options, make_store(options), steady_wall_clock());
  httplib::Server server;
  set_up(server, options);
  service.attach(server);
  const int port = bind(server, options);
  std::thread listening([&server] { server.listen_after_bind(); });
  // A stop before the library runs would be lost.
  while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::cout << "listening on " << url(options.listen, port) << std::endl;
  lifetime.wait();
  service.hurry();
  server.stop();
  listening.join();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    serve(parse_options(argc, argv));
    return 0;
  } catch (const CommandLineEnd& end) {
    (end.exit_code == 0 ? std::cout : std::cerr << "quota_server: ") << end.text << '\n';
    return end.exit_code;
  } catch (const std::exception& error) {
    std::cerr << "quota_server: " << error.what() << '\n';
    return 2;
  }
}
