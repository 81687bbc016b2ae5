// Server-sent events. Properties: the events are those of a plain reading of the standard's rules over the
// whole text, however the bytes are split; with a bound the parser gives up at the same event, however they
// are split; an event that is unfinished is never handed over.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "tokenpool/http/sse.hpp"

using fuzz::holds;
using tokenpool::ServerSentEvent;
using tokenpool::SseParser;
using tokenpool::SseStatus;

namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' && text[i] != '\n') {
      line += text[i];
      continue;
    }
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    lines.push_back(line);
    line.clear();
  }
  return lines;
}

/// WHATWG HTML 9.2.6, step by step.
std::vector<ServerSentEvent> expected(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<ServerSentEvent> events;
  std::string data;
  std::string type;
  std::string last_id;
  std::optional<std::chrono::milliseconds> retry;
  for (const std::string& line : lines_of(text)) {
    if (line.empty()) {
      if (!data.empty())
        events.push_back({type.empty() ? "message" : type, data.substr(0, data.size() - 1), last_id, retry});
      data.clear();
      type.clear();
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string field = line.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (!value.empty() && value[0] == ' ') value.erase(0, 1);
    if (field == "event") type = value;
    if (field == "data") data += value + "\n";
    if (field == "id" && value.find('\0') == std::string::npos) last_id = value;
    if (field == "retry" && !value.empty() && value.find_first_not_of("0123456789") == std::string::npos) {
      const std::size_t zeros = (std::min)(value.find_first_not_of('0'), value.size() - 1);
      const std::string digits = value.substr(zeros);
      const bool fits = digits.size() < 19 || (digits.size() == 19 && digits <= "9223372036854775807");
      if (fits) retry = std::chrono::milliseconds(std::stoll(digits));
    }
  }
  return events;
}

struct Fed {
  std::vector<ServerSentEvent> events;
  SseStatus status = SseStatus::more;
  friend bool operator==(const Fed&, const Fed&) = default;
};

/// Fed in pieces whose lengths are drawn from `splits`, over and over.
Fed fed(std::string_view text, std::string_view splits, std::size_t bound) {
  SseParser parser(bound);
  Fed fed;
  for (std::size_t i = 0; !text.empty(); ++i) {
    const std::size_t length =
        splits.empty() ? text.size() : static_cast<unsigned char>(splits[i % splits.size()]) % 16;
    const std::string piece(text.substr(0, length));  // a copy of its own: reading beyond it would be seen
    text.remove_prefix(piece.size());
    fed.status = parser.feed(piece, [&](const ServerSentEvent& event) { fed.events.push_back(event); });
    if (splits.empty() || (i % splits.size() == 0 && length == 0))
      splits = splits.substr(splits.empty() ? 0 : 1);
  }
  return fed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const std::size_t bound = input.ConsumeIntegralInRange<std::size_t>(1, 256);
  const std::size_t count = input.ConsumeIntegralInRange<std::size_t>(0, 8);
  std::string splits;
  for (std::size_t i = 0; i < count; ++i) splits += static_cast<char>(input.ConsumeIntegral<std::uint8_t>());
  const std::string text = fuzz::rest(input);
  const Fed whole = fed(text, "", SseParser::default_max_event_bytes);
  holds(whole.events == expected(text), "the events are those of the standard");
  holds(fed(text, "\x01", SseParser::default_max_event_bytes) == whole,
        "bytes one by one give the same events");
  holds(fed(text, splits, SseParser::default_max_event_bytes) == whole,
        "bytes split anywhere give the same events");
  const Fed bounded = fed(text, "", bound);
  holds(fed(text, splits, bound) == bounded, "a bound is met at the same event however the bytes are split");
  holds(bounded.status == SseStatus::too_large || bounded.events == whole.events,
        "a bound that is not met changes nothing");
  return 0;
}
