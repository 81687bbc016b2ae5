// Streams and cancelling over real sockets: events as they come, back-pressure, and every way in which a call
// may have to end early, blocking and asynchronous.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catch_compat.hpp"
#include "support/calls.hpp"
#include "support/client.hpp"
#include "support/full_port.hpp"
#include "support/gzip.hpp"
#include "support/quota_server.hpp"
#include "support/scripted_server.hpp"
#include "tokenpool/openai.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::ContainsSubstring;
using test::each_way;
using test::failure;
using test::How;
using test::http;
using test::options_for;
using test::post;
using test::ScriptedServer;
using test::Turn;
using Then = Turn::Then;

namespace {

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string last_chunk = "0\r\n\r\n";

std::string chunk(const std::string& bytes) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}
std::string event(const std::string& data) { return chunk("data: " + data + "\n\n"); }
const std::string done = event("[DONE]");

/// Waits for what another thread does; a minute is what a hang costs.
template <class Condition>
bool comes_true(Condition&& condition) {
  const auto patience = std::chrono::steady_clock::now() + 60s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > patience) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

/// A stream in either way, under one name.
template <class OnEvent>
std::future<Result<Response>> listen(Client<>& client, How how, Request request, OnEvent on_event) {
  if (how == How::blocking) {
    return std::async(std::launch::async,
                      [&client, request = std::move(request),
                       on_event = std::move(on_event)]() mutable -> Result<Response> {
                        try {
                          return client.stream(std::move(request), on_event);
                        } catch (const Error& error) {
                          return Unexpected(error);
                        }
                      });
  }
  auto promise = std::make_shared<std::promise<Result<Response>>>();
  client.stream_async(std::move(request), std::move(on_event),
                      [promise](Result<Response> result) { promise->set_value(std::move(result)); });
  return promise->get_future();
}

/// A server that writes events as fast as it is let.
struct Flood {
  static constexpr std::size_t total = 50'000'000;  ///< bytes of data

  /// Waits until the server is stopped, and returns how much it had written then.
  std::size_t at_rest() const {
    std::size_t before = 0;
    while (before != written) {
      before = written;
      std::this_thread::sleep_for(400ms);
    }
    return before;
  }

  bool pour(int connection) {
    const std::string data(50'000, 'x');
    while (written < total && ScriptedServer::send_all(connection, event(data))) written += data.size();
    return ScriptedServer::send_all(connection, done + last_chunk);
  }

  std::atomic<std::size_t> written{0};
  ScriptedServer server{
      {{.bytes = stream_head, .more = [this](int connection) { return pour(connection); }}}};
};

}  // namespace

TEST_CASE("the first event is handed over before the server sends the second") {
  for (const How how : each_way) {
    std::promise<void> seen;
    ScriptedServer server({{.bytes = stream_head + event("first"), .more = [&](int connection) {
                              seen.get_future().wait_for(60s);
                              return ScriptedServer::send_all(connection,
                                                              event("second") + done + last_chunk);
                            }}});
    Client<> client(options_for(server));
    std::vector<std::string> events;
    const auto result = listen(client, how, post(), [&](const ServerSentEvent& e) {
                          events.push_back(e.data);
                          if (events.size() == 1) seen.set_value();
                        }).get();
    REQUIRE(result);
    CHECK(events == std::vector<std::string>{"first", "second"});
    CHECK(result->body == "data: first\n\ndata: second\n\ndata: [DONE]\n\n");
  }
}

TEST_CASE("a stream that was read to its end leaves its connection to the next call") {
  for (const How how : each_way) {
    const Turn whole{.bytes = stream_head + event("a") + done, .more = [](int connection) {
                       std::this_thread::sleep_for(5ms);
                       return ScriptedServer::send_all(connection, last_chunk);
                     }};
    ScriptedServer server({whole, whole, whole});
    Client<> client(options_for(server));
    for (int call = 0; call < 3; ++call) {
      REQUIRE(listen(client, how, post(), [](const ServerSentEvent&) {}).get());
    }
    CHECK(server.accepted() == 1);
  }
}

TEST_CASE("DONE ends a stream though the server leaves it open") {
  for (const How how : each_way) {
    ScriptedServer server({{stream_head + event("a") + done, Then::stall}});
    Client<> client(options_for(server));
    const auto began = std::chrono::steady_clock::now();
    REQUIRE(listen(client, how, post(), [](const ServerSentEvent&) {}).get());
    CHECK(std::chrono::steady_clock::now() - began < 30s);
  }
}

TEST_CASE("a consumer that has enough hangs up") {
  for (const How how : each_way) {
    std::promise<bool> hung_up;
    ScriptedServer server({{.bytes = stream_head, .more = [&](int connection) {
                              while (ScriptedServer::send_all(connection, event("more"))) {
                                std::this_thread::sleep_for(1ms);
                              }
                              hung_up.set_value(true);
                              return false;
                            }}});
    Client<> client(options_for(server));
    int events = 0;
    REQUIRE(listen(client, how, post(), [&](const ServerSentEvent&) { return ++events < 3; }).get());
    CHECK(events == 3);
    CHECK(hung_up.get_future().get());
    CHECK(client.stats().tokens[0].in_flight == 0);
  }
}

TEST_CASE("a stream that breaks off is an error that carries what came") {
  const std::string chat = R"({"choices":[]})";
  const std::vector<Turn> breaks{{stream_head + event(chat) + event(chat), Then::close},
                                 {stream_head + event(chat) + event(chat) + "5\r\nda", Then::close},
                                 {stream_head + event(chat) + event(chat) + last_chunk}};
  for (const How how : each_way) {
    for (const Turn& turn : breaks) {
      ScriptedServer server({turn});
      Client<> client(options_for(server));
      int events = 0;
      const Error error =
          failure(listen(client, how, post(), [&](const ServerSentEvent&) { ++events; }).get());
      CHECK(error.code() == ErrorCode::network);
      CHECK(events == 2);
      REQUIRE(error.response());
      CHECK_THAT(error.response()->body, ContainsSubstring(chat));
      CHECK(error.attempts().size() == 1);
      CHECK(server.requests().size() == 1);
    }
  }
}

TEST_CASE("an error before the first event moves to another token") {
  const std::string error = R"({"error":{"message":"slow down","code":"rate_limit_exceeded"}})";
  for (const How how : each_way) {
    ScriptedServer server({{stream_head + event(error) + last_chunk},
                           {http(200, error, "Content-Type: application/json\r\n")},
                           {stream_head + event("a") + done + last_chunk}});
    Client<> client(options_for(server));
    int events = 0;
    const auto result = listen(client, how, post(), [&](const ServerSentEvent&) { ++events; }).get();
    REQUIRE(result);
    CHECK(result->attempts.size() == 3);
    CHECK(events == 1);
  }
}

TEST_CASE("a consumer that stops taking stops the server") {
  for (const How how : each_way) {
    Flood flood;
    ClientOptions options = options_for(flood.server);
    options.timeouts.idle = 300ms;  // shorter than the pause, which is no silence
    Client<> client(std::move(options));
    Request request = post();
    request.gate = std::make_shared<BodyGate>();
    std::atomic<bool> paused{false};
    std::atomic<bool> room{false};
    std::size_t received = 0;
    auto result = listen(client, how, request, [&](const ServerSentEvent& e) {
      if (!room) {
        paused = true;
        return BodyAction::pause;
      }
      received += e.data.size();
      return BodyAction::take;
    });
    REQUIRE(comes_true([&] { return paused.load(); }));
    CHECK(flood.at_rest() < Flood::total / 2);
    room = true;
    request.gate->resume();
    CHECK(result.get());
    CHECK(received >= Flood::total);
  }
}

TEST_CASE("a consumer that blocks in a blocking call stops the server") {
  Flood flood;
  Client<> client(options_for(flood.server));
  std::size_t at_rest = 0;
  client.stream(post(), [&](const ServerSentEvent&) {
    if (at_rest == 0) at_rest = flood.at_rest();
  });
  CHECK(at_rest < Flood::total / 2);
}

TEST_CASE("the head of an answer is shown while the server still thinks about its body") {
  for (const How how : each_way) {
    std::promise<int> shown;
    auto status = shown.get_future();
    ScriptedServer server({{.bytes = http(503)},
                           {.bytes = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + stream_head,
                            .more = [&](int connection) {
                              // The test would end here with what a hang costs if the body came first.
                              const bool seen = status.wait_for(60s) == std::future_status::ready;
                              return seen && ScriptedServer::send_all(connection, chunk("late") + last_chunk);
                            }}});
    Client<> client(options_for(server));
    std::string body;
    Request request = post();
    request.on_body = [&](std::string_view bytes) { return body += bytes, BodyAction::take; };
    request.on_head = [&](const AnswerHead& head) {
      CHECK(head.headers.get("Content-Type") == "text/event-stream");
      CHECK_FALSE(head.headers.get("Link"));
      CHECK(head.attempts == 2);
      shown.set_value(head.status);
    };
    const auto answer = begin(client, request, how).get();
    REQUIRE(answer);
    CHECK(status.get() == 200);
    CHECK(body == "late");
  }
}

TEST_CASE("a raw body that pauses without a gate is offered again") {
  const std::string body(100'000, 'b');
  for (const bool async : {false, true}) {
    ScriptedServer server({{http(200, body)}});
    Client<> client(options_for(server));
    std::string bytes;
    int calls = 0;
    const OnBody slow = [&](std::string_view piece) {
      if (++calls % 2 == 1) return BodyAction::pause;
      bytes += piece;
      return BodyAction::take;
    };
    const Request request{.path = "/x", .on_body = slow};
    const Response response = async ? client.send_async(request).get() : client.send(request);
    CHECK(response.body.empty());
    CHECK(bytes == body);
  }
}

TEST_CASE("a gate that is opened at any moment misses no event") {
  constexpr int total = 5000;
  for (const How how : each_way) {
    std::string body = stream_head;
    for (int i = 0; i < total; ++i) body += event(std::to_string(i));
    ScriptedServer server({{body + done + last_chunk}});
    Client<> client(options_for(server));
    Request request = post();
    request.gate = std::make_shared<BodyGate>();
    std::atomic<int> waiting{0};  // a queue of three places between the stream and its reader
    std::atomic<bool> over{false};
    std::thread reader([&] {
      while (!over) {
        if (waiting == 0) {
          std::this_thread::yield();
        } else {
          --waiting;
          request.gate->resume();
        }
      }
    });
    int next = 0;
    bool in_order = true;
    auto result = listen(client, how, request, [&](const ServerSentEvent& e) {
      if (waiting == 3) return BodyAction::pause;
      ++waiting;
      in_order = in_order && e.data == std::to_string(next++);
      return BodyAction::take;
    });
    CHECK(result.get());
    over = true;
    reader.join();
    CHECK(in_order);
    CHECK(next == total);
  }
}

TEST_CASE("a packed stream is unpacked and may pause anywhere") {
  constexpr int total = 20'000;
  const std::string packed = test::gzipped("for i in $(seq 1 20000); do printf 'data: %d\\n\\n' $i; done");
  const std::string head = "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n";
  for (const How how : each_way) {
    ScriptedServer server({{http(200, packed, head)}});
    Client<> client(options_for(server));
    Request request = post();
    request.gate = std::make_shared<BodyGate>();
    int last = 0;
    int offers = 0;
    const auto result = listen(client, how, request, [&](const ServerSentEvent& e) {
                          if (++offers % 7 == 0) {
                            request.gate->resume();
                            return BodyAction::pause;
                          }
                          if (e.data == std::to_string(last + 1)) ++last;
                          return BodyAction::take;
                        }).get();
    REQUIRE(result);
    CHECK(last == total);
    CHECK(offers == total + (offers / 7));
  }
}

TEST_CASE("silence in a stream ends it after the idle time") {
  for (const How how : each_way) {
    ScriptedServer server({{stream_head + event("a"), Then::stall}});
    Client<> client(options_for(server, {.timeouts = {.idle = 100ms}}));
    const Error error = failure(listen(client, how, post(), [](const ServerSentEvent&) {}).get());
    CHECK(error.code() == ErrorCode::network);
    CHECK_THAT(error.what(), ContainsSubstring("timeouts.idle"));
  }
}

TEST_CASE("the time that a consumer takes is no silence of the server") {
  std::promise<void> seen;
  ScriptedServer server({{.bytes = stream_head + event("first"), .more = [&](int connection) {
                            seen.get_future().wait_for(60s);
                            return ScriptedServer::send_all(connection, event("second") + done + last_chunk);
                          }}});
  Client<> client(options_for(server, {.timeouts = {.idle = 1s}}));
  const auto slow = [&](const ServerSentEvent& e) {
    if (e.data != "first") return;
    std::this_thread::sleep_for(1300ms);
    seen.set_value();
  };
  CHECK_NOTHROW(client.stream(post(), slow));
}

TEST_CASE("what a consumer throws reaches the caller and leaves the client usable") {
  ScriptedServer server({{stream_head + event("a"), Then::stall},
                         {stream_head + event("a"), Then::stall},
                         {http(200, "body")},
                         {stream_head + event("a") + done + last_chunk}});
  Client<> client(options_for(server));
  const auto full = [](const ServerSentEvent&) -> bool { throw std::runtime_error("the disk is full"); };
  CHECK_THROWS_WITH(client.stream(post(), full), "the disk is full");
  const Error error = failure(listen(client, How::asynchronous, post(), full).get());
  CHECK(error.code() == ErrorCode::invalid_request);
  CHECK_THAT(error.what(), ContainsSubstring("the disk is full"));
  const OnBody fail = [](std::string_view) -> BodyAction { throw std::runtime_error("full"); };
  CHECK_THROWS_WITH(client.send({.path = "/x", .on_body = fail}), "full");
  CHECK(client.stream(post(), [](const ServerSentEvent&) {}).ok());
  CHECK(client.stats().egresses[0].in_flight == 0);
}

namespace {

/// A call that has come to where it would stay for a long time.
struct Stuck {
  explicit Stuck(const std::string& where) : phase(where) {
    const bool streams = phase == "silent" || phase == "paused";
    std::vector<Turn> script{{streams ? stream_head + event("a") : "", Then::stall}};
    if (phase == "sending") {
      script[0] = {.then = Then::stall, .read = Turn::Read::head, .more = [this](int) {
                     while (!over) std::this_thread::sleep_for(1ms);
                     return false;
                   }};
    }
    if (phase == "waiting") script[0] = {http(200)};
    if (phase == "backing off") script[0] = {http(503)};
    server = std::make_unique<ScriptedServer>(script);
    ClientOptions options = options_for(*server);
    if (phase == "connecting") {
      options.base_url = unreachable.origin();
      options.timeouts.connect = 0ms;
    }
    if (phase == "waiting") {
      options.limits = {Limit::per_pool(1, 1h)};
      options.retry.max_wait = 2h;
      options.timeouts.total = 0ms;
    }
    options.retry.backoff = {.first = 50s, .max = 50s};
    options.retry.max_wait = 2h;
    options.observer.on_retry = [this](const RetryEvent&) { retries = true; };
    client = std::make_unique<Client<>>(std::move(options));
    if (phase == "waiting") client->get("/x");
  }
  ~Stuck() {
    over = true;
    client.reset();
  }

  std::future<Result<Response>> begin(How how) {
    Request request = post();
    request.cancel = source.token();
    request.deadline = deadline;
    request.gate = std::make_shared<BodyGate>();
    if (phase == "sending") request.body = std::string(50'000'000, 'x');
    return listen(*client, how, std::move(request), [this](const ServerSentEvent&) {
      heard = true;
      return phase == "paused" ? BodyAction::pause : BodyAction::take;
    });
  }

  bool is_there() {
    if (phase == "waiting") return client->stats().pool.waiting == 1;
    if (phase == "backing off") return retries.load();
    if (phase == "silent" || phase == "paused") return heard.load();
    if (phase == "connecting") return client->stats().egresses[0].in_flight == 1;
    return !server->requests().empty();
  }

  std::string phase;
  std::atomic<bool> over{false};
  std::atomic<bool> heard{false};
  std::atomic<bool> retries{false};
  test::FullPort unreachable;
  CancelSource source;
  std::optional<std::chrono::milliseconds> deadline;
  std::unique_ptr<ScriptedServer> server;
  std::unique_ptr<Client<>> client;
};

const std::vector<std::string> phases{"waiting",     "connecting", "sending", "receiving",
                                      "backing off", "silent",     "paused"};

}  // namespace

TEST_CASE("cancelling ends a call at once wherever it is") {
  for (const How how : each_way) {
    for (const std::string& phase : phases) {
      INFO(phase << (how == How::asynchronous ? " asynchronous" : " blocking"));
      Stuck call(phase);
      auto result = call.begin(how);
      REQUIRE(comes_true([&] { return call.is_there(); }));
      const auto began = std::chrono::steady_clock::now();
      call.source.cancel();
      CHECK(failure(result.get()).code() == ErrorCode::cancelled);
      const auto took = std::chrono::steady_clock::now() - began;
      INFO(std::chrono::duration_cast<std::chrono::microseconds>(took).count() << " us");
      CHECK(took < 5s);
      CHECK(call.client->stats().egresses[0].in_flight == 0);
    }
  }
}

TEST_CASE("a deadline ends a call wherever it is") {
  for (const How how : each_way) {
    for (const char* phase : {"connecting", "sending", "receiving", "silent", "paused"}) {
      INFO(phase << (how == How::asynchronous ? " asynchronous" : " blocking"));
      Stuck call(phase);
      call.deadline = 200ms;
      const auto began = std::chrono::steady_clock::now();
      CHECK(failure(call.begin(how).get()).code() == ErrorCode::deadline_exceeded);
      const auto took = std::chrono::steady_clock::now() - began;
      CHECK(took >= 200ms);
      CHECK(took < 5s);
    }
  }
}

TEST_CASE("destroying the client ends a call wherever it is") {
  for (const How how : each_way) {
    for (const std::string& phase : phases) {
      INFO(phase << (how == How::asynchronous ? " asynchronous" : " blocking"));
      Stuck call(phase);
      auto result = call.begin(how);
      REQUIRE(comes_true([&] { return call.is_there(); }));
      call.client.reset();
      CHECK(failure(result.get()).code() == ErrorCode::cancelled);
    }
  }
}

TEST_CASE("a consumer may destroy the client and is not called again") {
  for (const How how : each_way) {
    std::string events;
    for (int i = 0; i < 100; ++i) events += event("a");
    ScriptedServer server({{stream_head + events, Then::stall}});
    auto client = std::make_unique<Client<>>(options_for(server));
    int heard = 0;
    auto result = listen(*client, how, post(), [&](const ServerSentEvent&) {
      ++heard;
      client.reset();
    });
    CHECK(failure(result.get()).code() == ErrorCode::cancelled);
    CHECK(heard == 1);
  }
}

TEST_CASE("streams of the example server are whole and spend the tokens that are left") {
  test::QuotaServer server({"--tokens", "sk-a,sk-b", "--limit", "3"});
  Client<> client({.base_url = server.base_url(), .tokens = parse_tokens("sk-a,sk-b")});
  for (const How how : {How::blocking, How::asynchronous, How::blocking, How::asynchronous, How::blocking,
                        How::asynchronous}) {
    Request request{.method = "POST",
                    .path = "/chat/completions",
                    .body = R"({"stream":true,"messages":[{"role":"user","content":"one two"}]})"};
    std::string text;
    const auto result = listen(client, how, std::move(request), [&](const ServerSentEvent& e) {
                          const auto delta = nlohmann::json::parse(e.data)["choices"][0]["delta"];
                          text += delta.value("content", "");
                        }).get();
    REQUIRE(result);
    CHECK(text == "echo: one two");
    CHECK_THAT(result->body, ContainsSubstring("total_tokens") && test::EndsWith("data: [DONE]\n\n"));
  }
  CHECK(server.counts()["total"]["successes"] == 6);
}

TEST_CASE("chats with the example server are put together and cost what it counted") {
  test::QuotaServer server({"--tokens", "sk-a", "--limit", "10"});
  Client<> client({.base_url = server.base_url(),
                   .tokens = parse_tokens("sk-a"),
                   .limits = {{.amount = 1000, .window = 1h, .unit = Unit::cost}},
                   .cost_of = openai::cost_of});
  const std::vector<nlohmann::json> messages{openai::system("Echo."), openai::user("one two")};
  const openai::Completion whole = openai::completion_of(client.send(openai::chat("demo", messages)));
  openai::ChatStream stream;
  std::string text;
  client.stream(openai::chat_stream("demo", messages),
                [&](const ServerSentEvent& event) { text += stream.feed(event); });
  const openai::Completion& streamed = stream.completion();
  CHECK(text == "echo: one two");
  CHECK(streamed.content == whole.content);
  CHECK(whole.content == text);
  CHECK(streamed.finish_reason == "stop");
  REQUIRE(whole.usage);
  REQUIRE(streamed.usage);
  CHECK(whole.usage->total > 0);
  CHECK(client.stats().egresses[0].limits[0].used == whole.usage->total + streamed.usage->total);
}

TEST_CASE("streams and plain calls of many threads share a client") {
  test::QuotaServer server({"--tokens", "sk-a,sk-b,sk-c", "--limit", "1000000"});
  Client<> client({.base_url = server.base_url(), .tokens = parse_tokens("sk-a,sk-b,sk-c")});
  const char* scale = std::getenv("TOKENPOOL_TEST_CALLS");
  const int calls = scale != nullptr ? std::atoi(scale) : 24;
  std::atomic<int> answered{0};
  const auto one_call = [&](int kind) {
    const Request models{.path = "/models"};
    const Request chat{.method = "POST",
                       .path = "/chat/completions",
                       .body = R"({"stream":true,"messages":[{"role":"user","content":"a b"}]})"};
    const auto ignore = [](const ServerSentEvent&) {};
    switch (kind) {
      case 0: return client.send(models).ok();
      case 1: return client.send_async(models).get().ok();
      case 2: return listen(client, How::asynchronous, chat, ignore).get().has_value();
      default: return client.stream(chat, ignore).ok();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int call = 0; call < calls; ++call) answered += one_call((i + call) % 4) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(answered == 8 * calls);
}
