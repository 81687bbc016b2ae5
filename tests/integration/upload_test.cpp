// Bodies on their way to a server: texts, producers, forms, and what becomes of them when they have to go out
// once more.

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch_compat.hpp"
#include "support/calls.hpp"

using namespace tokenpool;
using namespace std::chrono_literals;
using test::body_in;
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
using Read = Turn::Read;

namespace {

/// A producer of `text` in pieces of at most `piece` bytes; counts how often it was rewound.
struct Pieces {
  std::size_t read(char* buffer, std::size_t capacity) {
    const std::size_t count = text.copy(buffer, (std::min)(capacity, piece), at);
    at += count;
    return count;
  }

  std::string text;
  std::size_t piece = 3;
  std::size_t at = 0;
  int rewinds = 0;
};

Body body_of(Pieces& pieces, std::optional<std::uint64_t> size, bool rewinds) {
  const auto rewind = [&pieces] {
    pieces.at = 0;
    ++pieces.rewinds;
    return true;
  };
  return Body::from([&pieces](char* buffer, std::size_t capacity) { return pieces.read(buffer, capacity); },
                    size, rewinds ? Body::Rewind(rewind) : Body::Rewind());
}

/// The parts of a form as they were sent, without the boundary, which is another each time.
std::string form_in(const std::string& request) {
  const std::string mark = "boundary=";
  const std::size_t at = request.find(mark) + mark.size();
  const std::string boundary = "--" + request.substr(at, request.find("\r\n", at) - at);
  std::string form = body_in(request);
  for (std::size_t found = 0; (found = form.find(boundary)) != std::string::npos;) {
    form.replace(found, boundary.size(), "<>");
  }
  return form;
}

}  // namespace

TEST_CASE("a body with zeros in it and a body of many megabytes arrive as they are") {
  ScriptedServer server;
  Client<> client(options_for(server));
  const std::string zeros("a\0b\0", 4);
  client.send(post(zeros));
  CHECK(body_in(server.requests().back()) == zeros);
  const std::string large(5'000'000, 'x');
  client.send(post(large));
  CHECK(body_in(server.requests().back()) == large);
  CHECK_THAT(server.requests().back().substr(0, 500), !ContainsSubstring("Expect"));
}

TEST_CASE("a produced body of known size goes out with its length") {
  ScriptedServer server;
  Client<> client(options_for(server));
  Pieces pieces{.text = "hello world"};
  Request request = post();
  request.body = body_of(pieces, 11, false);
  CHECK(client.send(request).ok());
  CHECK_THAT(server.requests().back(),
             test::StartsWith("POST ") && ContainsSubstring("Content-Length: 11\r\n"));
  CHECK(body_in(server.requests().back()) == "hello world");
}

TEST_CASE("a produced body of unknown size goes out in chunks") {
  ScriptedServer server;
  Client<> client(options_for(server));
  Pieces pieces{.text = "hello world", .piece = 6};
  Request request = post();
  request.method = "PUT";
  request.body = body_of(pieces, {}, false);
  CHECK(client.send(request).ok());
  CHECK_THAT(server.requests().back(), test::StartsWith("PUT ") && ContainsSubstring("chunked\r\n"));
  CHECK(body_in(server.requests().back()) == "6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n");
}

TEST_CASE("a produced body that rewinds is sent again from its beginning") {
  ScriptedServer server({{http(429, "{}", "Retry-After: 60\r\n")}});
  Client<> client(options_for(server));
  Pieces pieces{.text = "hello world"};
  Request request = post();
  request.body = body_of(pieces, 11, true);
  CHECK(client.send(request).ok());
  CHECK(pieces.rewinds == 1);
  CHECK(body_in(server.requests()[0]) == "hello world");
  CHECK(body_in(server.requests()[1]) == "hello world");
}

TEST_CASE("a produced body that does not rewind is sent once") {
  ScriptedServer server({{http(429, "{}", "Retry-After: 60\r\n")}});
  Client<> client(options_for(server));
  Pieces pieces{.text = "hello world"};
  Request request = post();
  request.body = body_of(pieces, 11, false);
  const Error error = failure(client.try_send(request));
  CHECK(error.code() == ErrorCode::http_status);
  CHECK(error.response()->status == 429);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a produced body that ends early ends the call instead of hanging") {
  ScriptedServer server;
  Pieces pieces{.text = "hello"};
  Request request = post();
  request.body = body_of(pieces, 11, true);
  const Error error = failure(Client<>(options_for(server)).try_send(request));
  CHECK(error.code() == ErrorCode::invalid_request);
  CHECK_THAT(error.what(), ContainsSubstring("the body ended after 5 of 11 bytes"));
}

TEST_CASE("a produced body with more than its size is cut to it") {
  ScriptedServer server;
  Pieces pieces{.text = "hello world", .piece = 100};
  Request request = post();
  request.body = body_of(pieces, 5, false);
  CHECK(Client<>(options_for(server)).send(request).ok());
  CHECK(body_in(server.requests().back()) == "hello");
}

TEST_CASE("a producer that throws reaches the caller and leaves the client usable") {
  ScriptedServer server;
  Client<> client(options_for(server));
  Request request = post();
  request.body = Body::from([](char*, std::size_t) -> std::size_t { throw std::domain_error("mine"); }, 5);
  CHECK_THROWS_AS(client.try_send(request), std::domain_error);
  CHECK(client.send(post()).ok());
  CHECK(client.stats().tokens[0].in_flight == 0);
}

TEST_CASE("a producer that throws ends an asynchronous call in an error with its words") {
  ScriptedServer server;
  Client<> client(options_for(server));
  const Body body = Body::from([](char*, std::size_t) -> std::size_t { throw std::domain_error("mine"); }, 5);
  const Error error = failure(test::begin(client, post(body), How::asynchronous).get());
  CHECK(error.code() == ErrorCode::invalid_request);
  CHECK_THAT(error.what(), ContainsSubstring("mine"));
  CHECK(client.send(post()).ok());
}

TEST_CASE("a rewind that fails or throws ends the call before anything is sent again") {
  for (const bool throws : {false, true}) {
    ScriptedServer server({{http(429, "{}", "Retry-After: 60\r\n")}});
    Client<> client(options_for(server));
    Pieces pieces{.text = "hello world"};
    Request request =
        post(Body::from([&](char* buffer, std::size_t capacity) { return pieces.read(buffer, capacity); }, 11,
                        [&]() -> bool {
                          if (throws) throw std::domain_error("mine");
                          return false;
                        }));
    if (throws) {
      CHECK_THROWS_AS(client.try_send(request), std::domain_error);
    } else {
      CHECK(failure(client.try_send(request)).code() == ErrorCode::invalid_request);
    }
    CHECK(server.requests().size() == 1);
    CHECK(client.send(post()).ok());
  }
}

TEST_CASE("a large body goes out with the same bytes after each kind of refusal") {
  std::string large;
  for (int line = 0; large.size() < 3'000'000; ++line) large += std::to_string(line) + '\n';
  for (const How how : each_way) {
    for (const std::optional<std::uint64_t> size : {std::optional<std::uint64_t>(large.size()), {}}) {
      ScriptedServer server({{http(429, "{}", "Retry-After: 60\r\n")}, {http(503, "{}")}});
      Client<> client(options_for(server));
      Pieces pieces{.text = large, .piece = 50'000};
      const Body body = size ? Body(large) : body_of(pieces, size, true);
      CHECK(test::begin(client, post(body), how).get()->ok());
      REQUIRE(server.requests().size() == 3);
      const std::string first = body_in(server.requests()[0]);
      CHECK((size ? first == large : first.size() > large.size()));
      CHECK(body_in(server.requests()[1]) == first);
      CHECK(body_in(server.requests()[2]) == first);
    }
  }
}

TEST_CASE("an answer that comes before the body has gone out is delivered and ends the upload") {
  for (const How how : each_way) {
    ScriptedServer server({{http(413, "too much"), Then::stall, Read::head}});
    Client<> client(options_for(server));
    const auto result = test::begin(client, post(std::string(50'000'000, 'x')), how).get();
    REQUIRE(result);
    CHECK(result->status == 413);
    CHECK(result->body == "too much");
  }
}

TEST_CASE("a body that is announced by Expect goes out after 100 Continue") {
  ScriptedServer server({{"HTTP/1.1 100 Continue\r\n\r\n", Then::go_on, Read::head},
                         {http(200, "taken"), Then::go_on, Read::nothing}});
  Request request = post("the body");
  request.headers.add("Expect", "100-continue");
  CHECK(Client<>(options_for(server)).send(request).body == "taken");
  CHECK_THAT(server.requests().at(0), ContainsSubstring("Expect: 100-continue\r\n"));
}

TEST_CASE("a body that is announced by Expect stays here when the token is refused first") {
  ScriptedServer server({{http(429, "{}", "Retry-After: 60\r\n"), Then::close, Read::head},
                         {"HTTP/1.1 100 Continue\r\n\r\n", Then::go_on, Read::head},
                         {http(200, "taken"), Then::go_on, Read::nothing}});
  Pieces pieces{.text = "hello world"};
  Request request = post(body_of(pieces, 11, false));
  request.headers.add("Expect", "100-continue");
  // It cannot be rewound, and need not be.
  CHECK(Client<>(options_for(server)).send(request).body == "taken");
  CHECK(pieces.at == 11);
}

TEST_CASE("a server that does not know Expect is asked again without it and the attempt shows it") {
  ScriptedServer server({{http(417), Then::go_on, Read::head}});
  Request request = post("the body");
  request.headers.add("Expect", "100-continue");
  const Response response = Client<>(options_for(server)).send(request);
  CHECK(response.status == 200);
  CHECK(body_in(server.requests().back()) == "the body");
  CHECK(response.attempts.at(0).resent);
}

TEST_CASE("a form arrives as its parts and again after a refusal") {
  const test::TemporaryFolder folder;
  const std::string file = folder.write("input.jsonl", "{\"a\": 1}\n");
  for (const How how : each_way) {
    for (const char* method : {"POST", "PUT"}) {
      ScriptedServer server({{http(429, "{}", "Retry-After: 60\r\n")}});
      Client<> client(options_for(server));
      const Request request{.method = method,
                            .path = "/files",
                            .body = Body::multipart({{.name = "purpose", .content = "batch"},
                                                     {.name = "file", .file = file},
                                                     {.name = "zeros",
                                                      .content = std::string("a\0b", 3),
                                                      .filename = "x \"y\".bin",
                                                      .content_type = "application/x-own"}})};
      CHECK(test::begin(client, request, how).get()->ok());
      REQUIRE(server.requests().size() == 2);
      const std::string expected =
          std::string(
              "<>\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
              "<>\r\nContent-Disposition: form-data; name=\"file\"; filename=\"input.jsonl\"\r\n"
              "Content-Type: application/octet-stream\r\n\r\n{\"a\": 1}\n\r\n"
              "<>\r\nContent-Disposition: form-data; name=\"zeros\"; filename=\"x %22y%22.bin\"\r\n"
              "Content-Type: application/x-own\r\n\r\na") +
          '\0' + "b\r\n<>--\r\n";
      for (const std::string& sent : server.requests()) {
        CHECK_THAT(sent, test::StartsWith(std::string(method) + " /v1/files HTTP/1.1\r\n") &&
                             ContainsSubstring("Content-Type: multipart/form-data; boundary=") &&
                             ContainsSubstring("Content-Length: ") && !ContainsSubstring("Expect"));
        CHECK(form_in(sent) == expected);
      }
      // The handle that sent a form sends what comes next as it is.
      CHECK(client.send(post()).ok());
      CHECK(body_in(server.requests().back()) == "hello");
    }
  }
}

TEST_CASE("a form with a file that is not there or with a line end in a name sends nothing") {
  ScriptedServer server;
  Client<> client(options_for(server));
  const Error unreadable =
      failure(client.try_send(post(Body::multipart({{.name = "f", .file = "/no/such/file"}}))));
  CHECK(unreadable.code() == ErrorCode::invalid_request);
  CHECK_THAT(unreadable.what(), ContainsSubstring("/no/such/file"));
  for (const Part& part :
       {Part{.name = "a\r\nX: 1"}, Part{.name = "a", .filename = "b\r\nX: 1"},
        Part{.name = "a", .content_type = "text/plain\r\nX: 1"}, Part{.name = std::string("a\0b", 3)}}) {
    CHECK(failure(client.try_send(post(Body::multipart({part})))).code() == ErrorCode::invalid_request);
  }
  CHECK(server.accepted() == 0);
  CHECK(client.send(post()).ok());
}
