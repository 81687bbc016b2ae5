// What quota_server is given: its command line, its lists of tokens, credentials and chat requests.
// Properties: a command line gives options within their bounds or ends with a sentence and an exit code, and
// no sentence shows a token; durations are printed as they are read; of a credential no more than four
// characters are shown; a chat request is refused with a sentence or answered in valid JSON with the prompt,
// streamed and whole alike.

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "answers.hpp"
#include "fields.hpp"
#include "fuzz.hpp"
#include "options.hpp"
#include "tokens.hpp"

using fuzz::holds;
using nlohmann::json;

namespace {

constexpr std::string_view canary = "sk-canary-7x9";

void check_options(const quota_server::Options& options) {
  holds(options.port >= 0 && options.port <= 65535, "a port is one");
  holds(!options.tokens.empty(), "a server has tokens");
  holds(options.quota.amount >= 1 && options.quota.window.count() >= 1,
        "a quota admits something in some time");
  holds(options.faults.fail_rate >= 0 && options.faults.fail_rate <= 1 && options.faults.drop_rate >= 0 &&
            options.faults.drop_rate <= 1,
        "a share is from 0 to 1");
  holds(options.faults.delay.count() >= 0 && options.faults.jitter.count() >= 0 &&
            options.keep_alive.count() >= 1,
        "no time is negative");
  for (const auto& [index, served] : options.deaths)
    holds(index < options.tokens.size(), "who dies is a token");
}

void check_command_line(const std::string& text) {
  std::vector<std::string> words{"quota_server", "--tokens", std::string(canary)};
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = (std::min)(text.find('\n', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
    // It would read any file of this machine.
    if (words.back().starts_with("--token-file") || words.back().find('\0') != std::string::npos) return;
  }
  std::vector<const char*> pointers;
  for (const std::string& word : words) pointers.push_back(word.c_str());
  try {
    check_options(quota_server::parse_options(static_cast<int>(pointers.size()), pointers.data()));
  } catch (const quota_server::CommandLineEnd& end) {
    holds(end.exit_code == 0 || end.exit_code == 2, "a command line ends in help or in a refusal");
    holds(!end.text.empty(), "whoever is refused is told why");
    holds(end.text.find(canary) == std::string::npos || text.find(canary) != std::string::npos,
          "no sentence shows a token");
  }
}

void check_durations(const std::string& text) {
  using std::chrono::milliseconds;
  try {
    const milliseconds duration = quota_server::parse_duration(text, milliseconds(0));
    holds(quota_server::parse_duration(quota_server::to_text(duration), milliseconds(0)) == duration,
          "a duration is printed as it is read");
    holds(duration <= std::chrono::hours(24'000), "a duration is a thousand days at most");
  } catch (const std::invalid_argument& refused) {
    holds(*refused.what() != '\0', "whoever is refused is told why");
  }
}

void check_credential(const std::string& text) {
  quota_server::Tokens tokens({"sk-a", "sk-b", std::string(canary)}, {{1, 5}}, 1);
  const quota_server::Credential credential = tokens.pick("Bearer " + text);
  const auto offered = quota_server::split_tokens(text);
  holds(credential.tail.size() <= 4, "four characters of a token are shown at most");
  if (credential.token) {
    holds(std::find(offered.begin(), offered.end(), tokens.value(*credential.token)) != offered.end(),
          "a known token was offered");
  } else if (offered.size() == 1) {
    holds(offered[0] != "sk-a" && offered[0] != canary, "a token that is offered alone is known");
  }
}

std::string streamed(const std::vector<std::string>& events) {
  std::string text;
  holds(events.back() == "data: [DONE]\n\n", "a stream ends by saying so");
  for (auto event = events.begin(); event + 1 != events.end(); ++event) {
    holds(event->starts_with("data: ") && event->ends_with("\n\n") && event->find('\n') == event->size() - 2,
          "an event is one line");
    text += json::parse(event->substr(6))["choices"][0]["delta"].value("content", "");
  }
  return text;
}

void check_chat(const std::string& text) {
  try {
    const quota_server::Chat chat = quota_server::parse_chat(text);
    const std::string content =
        json::parse(quota_server::completion(chat))["choices"][0]["message"]["content"];
    holds(content == "echo: " + chat.prompt, "the answer is the prompt");
    holds(streamed(quota_server::completion_events(chat)) == content,
          "the pieces of a stream are the whole answer");
  } catch (const std::invalid_argument& refused) {
    holds(*refused.what() != '\0', "whoever is refused is told why");
  }
  const json error = json::parse(quota_server::error_body(text, "type", text));
  holds(error["error"]["code"].is_null() == text.empty(), "an error has its code");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const bool command_line = input.ConsumeBool();
  const std::string text = fuzz::rest(input);
  if (command_line) {
    check_command_line(text);
  } else {
    check_chat(text);
    check_credential(text);
    check_durations(text);
  }
  return 0;
}
