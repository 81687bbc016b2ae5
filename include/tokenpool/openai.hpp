#pragma once
// Chat with whatever speaks OpenAI's dialect, a little shorter: a request out of messages, the text of an
// answer, a stream put together, what it cost. JSON goes through as it is, so that a field which this header
// does not know can be sent and read all the same.
//
//     using namespace tokenpool;
//     Response reply = client.send(openai::chat("gpt-4o", {openai::user("Hello")}, {{"temperature", 0}}));
//     std::cout << openai::completion_of(reply).content << '\n';
//
// Sources: https://platform.openai.com/docs/api-reference/chat and .../chat-streaming.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/base/error.hpp"
#include "tokenpool/http/message.hpp"
#include "tokenpool/http/sse.hpp"
#include "tokenpool/json/json.hpp"
#include "tokenpool/quota/attempt.hpp"

/// Chat with servers of OpenAI's kind.
namespace tokenpool::openai {

/// A message; `content` is a text or a list of parts.
inline nlohmann::json message(std::string_view role, nlohmann::json content) {
  return {{"role", role}, {"content", std::move(content)}};
}
/// What the model is to keep to.
inline nlohmann::json system(nlohmann::json content) { return message("system", std::move(content)); }
/// What is asked.
inline nlohmann::json user(nlohmann::json content) { return message("user", std::move(content)); }
/// What the model answered before.
inline nlohmann::json assistant(nlohmann::json content) { return message("assistant", std::move(content)); }

/// What a tool gave for the call `call_id`.
inline nlohmann::json tool(std::string_view call_id, nlohmann::json content) {
  nlohmann::json made = message("tool", std::move(content));
  made["tool_call_id"] = call_id;
  return made;
}

/// POST /chat/completions. `more` is an object with all other fields (temperature, tools...), which win. The
/// model is the request's bucket: servers count each by itself. Throws Error{invalid_request} for a text that
/// is no UTF-8 and for a `more` that is no object.
inline Request chat(std::string model, std::vector<nlohmann::json> messages,
                    const nlohmann::json& more = nlohmann::json::object()) {
  nlohmann::json body{{"model", model}, {"messages", std::move(messages)}};
  if (!more.is_object()) {
    throw Error(ErrorCode::invalid_request, "more is no JSON object: give the further fields by name");
  }
  body.update(more);
  return {.method = "POST",
          .path = "/chat/completions",
          .body = tokenpool::detail::JsonLibrary<void>::text(body),
          .bucket = std::move(model)};
}

/// The same for Client::stream, with its usage at the end.
inline Request chat_stream(std::string model, std::vector<nlohmann::json> messages,
                           const nlohmann::json& more = nlohmann::json::object()) {
  nlohmann::json fields{{"stream", true}, {"stream_options", {{"include_usage", true}}}};
  if (more.is_object()) {
    fields.update(more);
  }
  return chat(std::move(model), std::move(messages), more.is_object() ? fields : more);
}

/// Model tokens, as the server counted them.
struct Usage {
  std::int64_t prompt{};      ///< of what was sent
  std::int64_t completion{};  ///< of what was answered
  std::int64_t total{};       ///< at least both together
};

/// A function that the model wants called.
struct ToolCall {
  std::string id{};         ///< what the tool's message has to name
  std::string name{};       ///< which function
  std::string arguments{};  ///< JSON, if the model kept to it
};

/// The first choice of an answer; what the server did not say is empty.
struct Completion {
  std::string content{};               ///< the text
  std::string reasoning{};             ///< what some models think aloud (`reasoning_content`)
  std::string refusal{};               ///< why the model does not answer, in its words
  std::vector<ToolCall> tool_calls{};  ///< in the order of their coming
  std::string finish_reason{};         ///< "stop", "length", "tool_calls"...
  std::optional<Usage> usage{};        ///< absent where the server does not tell
};

namespace detail {

inline const nlohmann::json& nothing() {
  static const nlohmann::json null;
  return null;
}

/// The member `name`; null if there is none.
inline const nlohmann::json& member(const nlohmann::json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found == object.end() ? nothing() : *found;
}

/// A text, or the texts of a list of parts; empty for anything else.
inline std::string text(const nlohmann::json& value) {
  std::string joined;
  if (value.is_string()) {
    joined = value.get_ref<const std::string&>();
  } else if (value.is_array()) {
    for (const nlohmann::json& part : value) {
      const nlohmann::json& words = member(part, "text");
      joined += words.is_string() ? words.get_ref<const std::string&>() : std::string();
    }
  }
  return joined;
}

/// A count by its name or by that of the newer interface; 0 for what is none.
inline std::int64_t count(const nlohmann::json& usage, const char* name, const char* newer_name) {
  constexpr std::int64_t most = 1'000'000'000'000'000;
  const nlohmann::json& old = member(usage, name);
  const nlohmann::json& value = old.is_number_integer() ? old : member(usage, newer_name);
  if (!value.is_number_integer()) {
    return 0;
  }
  return value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(most)
             ? most
             : (std::max)(value.get<std::int64_t>(), std::int64_t{0});
}

/// Of an answer or of one of its choices: some servers say it there.
inline std::optional<Usage> usage_in(const nlohmann::json& holder) {
  const nlohmann::json& usage = member(holder, "usage");
  if (!usage.is_object()) {
    return std::nullopt;
  }
  Usage read{count(usage, "prompt_tokens", "input_tokens"),
             count(usage, "completion_tokens", "output_tokens"),
             count(usage, "total_tokens", "total_tokens")};
  read.total = (std::max)(read.total, read.prompt + read.completion);
  return read;
}

/// The choice of index 0, or that without an index; null where there is none: the first event of a stream by
/// Azure and the last one with the usage have no choices.
inline const nlohmann::json& first_choice(const nlohmann::json& answer) {
  for (const nlohmann::json& choice : member(answer, "choices")) {
    const nlohmann::json& index = member(choice, "index");
    if (choice.is_object() && (!index.is_number() || index == 0)) {
      return choice;
    }
  }
  return nothing();
}

inline std::optional<Usage> usage_of(const nlohmann::json& answer) {
  std::optional<Usage> usage = usage_in(answer);
  return usage ? usage : usage_in(first_choice(answer));
}

/// Puts a message together: a whole one, or one that comes in fragments.
class Gathering {
 public:
  /// Returns what that adds to the content.
  std::string add(const nlohmann::json& message) {
    made.reasoning += text(member(message, "reasoning_content"));
    made.refusal += text(member(message, "refusal"));
    for (const nlohmann::json& fragment : member(message, "tool_calls")) {
      if (fragment.is_object()) {
        add_to(call_of(fragment), fragment);
      }
    }
    std::string added = text(member(message, "content"));
    made.content += added;
    return added;
  }

  Completion made;  ///< what came so far

 private:
  /// The call of which this is a fragment: of the same index, and without one a new id begins a new call.
  ToolCall& call_of(const nlohmann::json& fragment) {
    const nlohmann::json& index = member(fragment, "index");
    const bool begins = !text(member(fragment, "id")).empty();
    std::size_t place = made.tool_calls.size();
    if (index.is_number()) {
      place = static_cast<std::size_t>(std::find(indexes_.begin(), indexes_.end(), index) - indexes_.begin());
    } else if (place != 0 && !begins) {
      --place;
    }
    if (place == made.tool_calls.size()) {
      indexes_.push_back(index.is_number() ? index : nothing());
      made.tool_calls.emplace_back();
    }
    return made.tool_calls[place];
  }

  /// Id and name come once, though some servers repeat them; the arguments come in pieces.
  static void add_to(ToolCall& call, const nlohmann::json& fragment) {
    const nlohmann::json& function = member(fragment, "function");
    if (call.id.empty()) {
      call.id = text(member(fragment, "id"));
    }
    if (call.name.empty()) {
      call.name = text(member(function, "name"));
    }
    call.arguments += text(member(function, "arguments"));
  }

  std::vector<nlohmann::json> indexes_;  ///< of the calls, null for none
};

}  // namespace detail

/// Puts a stream together, event by event. Used by one thread at a time.
///
///     openai::ChatStream chat;
///     client.stream(openai::chat_stream("gpt-4o", {openai::user("Hello")}),
///                   [&](const ServerSentEvent& event) { std::cout << chat.feed(event) << std::flush; });
class ChatStream {
 public:
  /// Returns what the event adds to the content, often nothing. Events of other kinds are passed over. Throws
  /// Error{protocol} when its data is not JSON.
  std::string feed(const ServerSentEvent& event) {
    if (event.event != "message" && !event.event.empty()) {
      return {};
    }
    const nlohmann::json chunk = nlohmann::json::parse(event.data, nullptr, false);
    if (chunk.is_discarded()) {
      throw Error(ErrorCode::protocol,
                  "an event of the stream (" + std::to_string(event.data.size()) + " bytes) is not JSON");
    }
    const nlohmann::json& choice = detail::first_choice(chunk);
    if (std::optional<Usage> usage = detail::usage_of(chunk)) {
      gathering_.made.usage = usage;
    }
    if (std::string reason = detail::text(detail::member(choice, "finish_reason")); !reason.empty()) {
      gathering_.made.finish_reason = std::move(reason);
    }
    return gathering_.add(detail::member(choice, "delta"));
  }

  /// All that came; whole when the stream has ended.
  [[nodiscard]] const Completion& completion() const noexcept { return gathering_.made; }

 private:
  detail::Gathering gathering_;
};

/// What a whole answer says. Throws Error{http_status} if its status is not 2xx, Error{protocol} if it is no
/// chat completion.
inline Completion completion_of(const Response& response) {
  const nlohmann::json answer = response.or_throw().json();
  const nlohmann::json& choice = detail::first_choice(answer);
  const nlohmann::json& message = detail::member(choice, "message");
  if (!message.is_object()) {
    throw Error(ErrorCode::protocol,
                "the answer (" + std::to_string(response.body.size()) +
                    " bytes) has no choice with a message: is base_url that of a chat API?",
                std::make_shared<ErrorDetails>(ErrorDetails{{}, response.attempts, response}));
  }
  detail::Gathering whole;
  whole.add(message);
  Completion read = std::move(whole.made);
  read.finish_reason = detail::text(detail::member(choice, "finish_reason"));
  read.usage = detail::usage_of(answer);
  return read;
}

/// The model tokens that an answer took in all, for ClientOptions::cost_of: of a plain answer, and of a
/// stream whose end tells the usage. Nothing where it does not say. Never throws for what a server sent.
inline std::optional<std::int64_t> cost_of(const Response& response) {
  const auto total = [](const nlohmann::json& answer) -> std::optional<std::int64_t> {
    const std::optional<Usage> usage = detail::usage_of(answer);
    return usage ? std::optional(usage->total) : std::nullopt;
  };
  if (const nlohmann::json plain = nlohmann::json::parse(response.body, nullptr, false); plain.is_object()) {
    return total(plain);
  }
  for (std::string_view rest = response.body; !rest.empty();) {
    const std::size_t begin = rest.find_last_of("\r\n") + 1;
    const std::string_view line = rest.substr(begin);
    rest = rest.substr(0, begin == 0 ? 0 : begin - 1);
    constexpr std::string_view field = "data:";
    if (line.starts_with(field) && line.find("\"usage\"") != std::string_view::npos) {
      const nlohmann::json event = nlohmann::json::parse(line.substr(field.size()), nullptr, false);
      if (const std::optional<std::int64_t> cost = total(event)) {
        return cost;
      }
    }
  }
  return std::nullopt;
}

}  // namespace tokenpool::openai
