#include "answers.hpp"

#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

namespace quota_server {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> parts;
  for (std::string word; stream >> word;) parts.push_back(word);
  return parts;
}

/// A message's content is a text or a list of parts, of which the text ones are read.
std::string content_of(const Json& message) {
  const auto content = message.find("content");
  if (content == message.end()) return {};
  if (content->is_string()) return content->get<std::string>();
  std::string text;
  for (const Json& part : *content) {
    if (part.is_object() && part.value("type", "") == "text") text += part.value("text", "");
  }
  return text;
}

std::string reply_to(const Chat& chat) { return "echo: " + chat.prompt; }

/// Words stand in for model tokens: countable by eye, and the same everywhere.
Json usage(const Chat& chat) {
  const std::size_t reply_words = words(reply_to(chat)).size();
  return {{"prompt_tokens", chat.prompt_words},
          {"completion_tokens", reply_words},
          {"total_tokens", chat.prompt_words + reply_words}};
}

Json envelope(const Chat& chat, const char* object) {
  return {{"id", "chatcmpl-echo"}, {"object", object}, {"created", 0}, {"model", chat.model}};
}

std::string chunk(const Chat& chat, Json delta, Json finish_reason) {
  Json body = envelope(chat, "chat.completion.chunk");
  const bool last = !finish_reason.is_null();
  body["choices"] =
      Json::array({{{"index", 0}, {"delta", std::move(delta)}, {"finish_reason", std::move(finish_reason)}}});
  if (last) body["usage"] = usage(chat);
  return "data: " + dump(body) + "\n\n";
}

Chat read_chat(const Json& request) {
  Chat chat;
  chat.model = request.value("model", "echo");
  chat.stream = request.value("stream", false);
  for (const Json& message : request.at("messages")) {
    const std::string text = content_of(message);
    chat.prompt_words += words(text).size();
    if (message.at("role") == "user") chat.prompt = text;
  }
  return chat;
}

}  // namespace

Chat parse_chat(std::string_view body) {
  const Json request = Json::parse(body, nullptr, false);
  if (request.is_discarded()) throw std::invalid_argument("The body is not valid JSON.");
  if (!request.is_object() || !request.contains("messages") || !request["messages"].is_array()) {
    throw std::invalid_argument("The body must be an object with a list named 'messages'.");
  }
  try {
    return read_chat(request);
  } catch (const Json::exception&) {
    throw std::invalid_argument("'messages' must hold objects with a 'role' and a 'content'.");
  }
}

std::string completion(const Chat& chat) {
  Json body = envelope(chat, "chat.completion");
  body["choices"] = Json::array({{{"index", 0},
                                  {"message", {{"role", "assistant"}, {"content", reply_to(chat)}}},
                                  {"finish_reason", "stop"}}});
  body["usage"] = usage(chat);
  return dump(body);
}

std::vector<std::string> completion_events(const Chat& chat) {
  std::vector<std::string> events{chunk(chat, {{"role", "assistant"}, {"content", ""}}, nullptr)};
  const std::string reply = reply_to(chat);
  // Cut before each blank, so that the pieces joined are the reply to the letter.
  for (std::size_t begin = 0; begin < reply.size();) {
    const std::size_t end = (std::min)(reply.find(' ', begin + 1), reply.size());
    events.push_back(chunk(chat, {{"content", reply.substr(begin, end - begin)}}, nullptr));
    begin = end;
  }
  events.push_back(chunk(chat, Json::object(), "stop"));
  events.push_back("data: [DONE]\n\n");
  return events;
}

std::string models() {
  return dump(
      {{"object", "list"},
       {"data",
        Json::array({{{"id", "echo"}, {"object", "model"}, {"created", 0}, {"owned_by", "quota_server"}}})}});
}

std::string error_body(std::string_view message, std::string_view type, std::string_view code) {
  return dump({{"error",
                {{"message", message},
                 {"type", type},
                 {"param", nullptr},
                 {"code", code.empty() ? Json(nullptr) : Json(code)}}}});
}

}  // namespace quota_server
