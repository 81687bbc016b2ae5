#pragma once

// The bodies of an OpenAI-compatible service, as text. The same request always gets the same answer, so that
// two runs can be compared.

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace quota_server {

/// A chat request, as far as it decides the answer.
struct Chat {
  std::string model{};
  std::string prompt{};  ///< the text of the last user message
  std::size_t prompt_words = 0;
  bool stream = false;
};

/// Reads the body of POST /v1/chat/completions.
/// Throws std::invalid_argument with a sentence for the client.
Chat parse_chat(std::string_view body);

/// A whole `chat.completion`; its content is "echo: " and the prompt.
std::string completion(const Chat& chat);

/// The same answer as server-sent events, a word each, ending in [DONE]. The usage comes with the finish
/// reason, asked for or not.
std::vector<std::string> completion_events(const Chat& chat);

/// The body of GET /v1/models.
std::string models();

/// OpenAI's error body; an empty code is null.
std::string error_body(std::string_view message, std::string_view type, std::string_view code);

}  // namespace quota_server
