#pragma once

// A server that answers most requests and does to the others what servers, proxies and networks do. Each
// answer names the request that it belongs to, so that a mix-up shows.

#include <chrono>
#include <random>
#include <string>
#include <thread>

#include "support/scripted_server.hpp"

namespace test {

inline constexpr int events_of_a_stream = 20;

/// What stands behind "id=" in a request, up to the next character that is no digit.
inline std::string id_in(const std::string& text) {
  const std::size_t begin = text.find("id=");
  if (begin == std::string::npos) return {};
  return text.substr(begin + 3, text.find_first_not_of("0123456789", begin + 3) - begin - 3);
}

inline std::string event(const std::string& id, int number) {
  return "data: id=" + id + " n=" + std::to_string(number) + "\n\n";
}

/// The right answer: the request's id, or events that have it, up to `events` of them.
inline std::string right_answer(const std::string& request, int events = events_of_a_stream) {
  const std::string id = id_in(request);
  if (request.find("/stream") == std::string::npos) return http(200, "id=" + id);
  std::string body;
  for (int number = 0; number < events; ++number) body += event(id, number);
  body += events == events_of_a_stream ? "data: [DONE]\n\n" : "";
  // A stream that is cut promises more than it sends.
  const std::size_t promised = body.size() + (events == events_of_a_stream ? 0 : 100);
  return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " + std::to_string(promised) +
         "\r\n\r\n" + body;
}

/// A turn drawn from `random`; three in five are right answers.
inline Turn faulty_turn(std::mt19937& random) {
  using Then = Turn::Then;
  using namespace std::chrono_literals;
  const auto draw = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
  const auto cut = [](const std::string& request) {
    const std::string whole = right_answer(request, events_of_a_stream / 2);
    return request.find("/stream") == std::string::npos ? whole.substr(0, whole.size() - 1) : whole;
  };
  const auto right = [](const std::string& request) { return right_answer(request); };
  switch (draw(40)) {
    case 0: return {.then = Then::reset};
    case 1: return {.then = Then::close};
    case 2: return {.then = Then::reset, .read = Turn::Read::nothing};
    case 3: return {.bytes = "HTTP/1.1 200 OK\r\nX-Cut", .then = Then::close};
    case 4: return {.then = Then::reset, .bytes_for = cut};
    case 5: return {.then = Then::close, .bytes_for = cut};
    case 6: return {.then = Then::stall, .bytes_for = cut};
    case 7: return {.then = Then::stall};
    case 8: return {.bytes = http(503)};
    case 9: return {.bytes = http(500), .then = Then::close};
    case 10: return {.bytes = http(429, "{}", "Retry-After-Ms: 20\r\n")};
    case 11: return {.bytes = "220 smtp.example.com ready\r\n\r\n", .then = Then::close};
    case 12: return {.then = Then::close, .bytes_for = right};
    case 13:
      return {.bytes_for = [](const std::string& request) {
        return "HTTP/1.1 103 Early Hints\r\n\r\n" + right_answer(request);
      }};
    case 14:
    case 15:
      return {.bytes_for = [pause = 1ms * draw(200)](const std::string& request) {
        std::this_thread::sleep_for(pause);
        return right_answer(request);
      }};
    default: return {.bytes_for = right};
  }
}

}  // namespace test
