#include "reply.hpp"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

namespace gateway {
namespace {

/// Nobody reads the phrase (RFC 9112 4), but people look at it.
std::string_view phrase_of(int status) {
  static constexpr std::array<std::pair<int, std::string_view>, 26> phrases{{
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {304, "Not Modified"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {413, "Content Too Large"},
      {415, "Unsupported Media Type"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  }};
  for (const auto& [known, phrase] : phrases) {
    if (known == status) return phrase;
  }
  return "Status";
}

}  // namespace

Reply json_reply(int status, std::string body) {
  return {status, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}, std::move(body)};
}

Reply error_reply(int status, std::string_view message, std::string_view type, std::string_view code) {
  const nlohmann::json body{{"error", {{"message", message}, {"type", type}, {"code", code}}}};
  return json_reply(status, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string head_text(int status, const tokenpool::Headers& headers, Framing framing, bool keep_alive) {
  std::string text = "HTTP/1.1 " + std::to_string(status) + ' ';
  text.append(phrase_of(status)).append("\r\n");
  for (const auto& [name, value] : headers) {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  if (framing == Framing::chunked) text += "Transfer-Encoding: chunked\r\n";
  if (!keep_alive) text += "Connection: close\r\n";
  return text += "\r\n";
}

std::string reply_text(const Reply& reply, const Inbound& request, bool keep_alive) {
  tokenpool::Headers headers = reply.headers;
  const bool bodiless = reply.status == 204 || reply.status == 304;
  if (!bodiless) headers.set("Content-Length", std::to_string(reply.body.size()));
  std::string text = head_text(reply.status, headers, Framing::length, keep_alive);
  if (!bodiless && request.method != "HEAD") text += reply.body;
  return text;
}

std::string chunk_text(std::string_view bytes) {
  if (bytes.empty()) return {};
  std::array<char, 20> size{};
  const int digits = std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
  std::string text;
  text.reserve(bytes.size() + size.size());
  return text.append(size.data(), static_cast<std::size_t>(digits)).append(bytes).append("\r\n");
}

}  // namespace gateway
