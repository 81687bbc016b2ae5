// What strangers send to the gateway. Properties: the requests are the same wherever their bytes are split;
// what is taken for a request has one framing, on which a plain reading of its bytes agrees, and keeps the
// limits; what goes on to the server is read there as the same request, without what is between two
// connections.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forwarding.hpp"
#include "fuzz.hpp"
#include "request_reader.hpp"
#include "tokenpool/base/numbers.hpp"
#include "tokenpool/http/text_reader.hpp"

using fuzz::holds;
using gateway::Inbound;
using gateway::RequestReader;
using tokenpool::equal_ignoring_case;
using tokenpool::detail::trimmed;
using Progress = RequestReader::Progress;

namespace {

constexpr std::size_t max_header = 512;
constexpr std::size_t max_body = 200;

/// A request and the bytes that it was made of.
struct Taken {
  Inbound request{};
  std::string bytes{};
};

/// Reads as the gateway's connections do: what has come is kept until it is read.
class Connection {
 public:
  std::vector<Taken> taken{};
  bool refused = false;

  void receive(std::string_view bytes) {
    unread_ += bytes;
    while (!refused && !unread_.empty() && step() != Progress::more) {
    }
  }

 private:
  Progress step() {
    std::string_view rest = unread_;
    Progress progress = reader_.read(rest);
    read_.append(unread_, 0, unread_.size() - rest.size());
    unread_.erase(0, unread_.size() - rest.size());
    holds(reader_.body_bytes() <= max_body || progress == Progress::refused, "a body is not too large");
    if (progress == Progress::head) {
      std::string_view nothing;
      if (reader_.read(nothing) == Progress::complete) progress = Progress::complete;
    }
    refused = progress == Progress::refused;
    if (refused) {
      const auto& [status, reason] = reader_.refusal();
      holds(status >= 400 && status < 600 && !reason.empty(), "who is refused is told why");
    }
    if (progress == Progress::complete) {
      taken.push_back({std::move(reader_.request()), std::exchange(read_, {})});
      reader_ = RequestReader(max_header, max_body);
    }
    return progress;
  }

  RequestReader reader_{max_header, max_body};
  std::string unread_;
  std::string read_;  // of the request that is being read
};

/// Takes what stands before the next line end off the front of `text`.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  holds(end != std::string_view::npos, "lines end");
  const std::string_view line = text.substr(0, end);
  holds(line.find_first_of("\r\n") == std::string_view::npos, "no line ends in another way");
  text.remove_prefix(end + 2);
  return line;
}

/// A header as it stands there, line by line.
struct Plain {
  std::string_view start{};
  std::vector<std::pair<std::string_view, std::string_view>> fields{};

  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const auto& [one, value] : fields) {
      if (equal_ignoring_case(one, name)) values.push_back(value);
    }
    return values;
  }
};

Plain take_header(std::string_view& text) {
  Plain header{.start = take_line(text)};
  for (std::string_view line = take_line(text); !line.empty(); line = take_line(text)) {
    const std::size_t colon = (std::min)(line.find(':'), line.size());
    const std::string_view name = line.substr(0, colon);
    holds(colon > 0 && colon < line.size() && name.find_first_of(" \t") == std::string_view::npos,
          "a field has a name with nothing around it");
    header.fields.emplace_back(name, trimmed(line.substr(colon + 1)));
  }
  return header;
}

/// The chunks of `text` put together.
std::string take_chunks(std::string_view& text) {
  std::string body;
  for (;;) {
    const std::string_view line = take_line(text);
    const std::size_t digits = (std::min)(line.find_first_not_of("0123456789abcdefABCDEF"), line.size());
    holds(digits > 0 && digits < 16, "a chunk has a length");
    const std::size_t length = std::stoul(std::string(line.substr(0, digits)), nullptr, 16);
    if (length == 0) break;
    holds(length <= text.size(), "a chunk is there");
    body += text.substr(0, length);
    text.remove_prefix(length);
    holds(take_line(text).empty(), "a chunk ends in a line end");
  }
  while (!take_line(text).empty()) {  // what a trailer says is nobody's header
  }
  return body;
}

void check_framing(const Taken& taken) {
  const Inbound& request = taken.request;
  std::string_view rest = taken.bytes;
  const Plain header = take_header(rest);
  const std::size_t header_bytes = taken.bytes.size() - rest.size();
  holds(header_bytes <= max_header, "a header keeps the limit");
  holds(
      header.start == request.method + " " + request.target + (request.http_1_0 ? " HTTP/1.0" : " HTTP/1.1"),
      "the first line is method and target and version");
  holds(request.target.starts_with('/'), "a target is a path of this host");
  holds(header.fields.size() == request.headers.size(), "each field is there");
  auto field = header.fields.begin();
  for (const auto& [name, value] : request.headers) {
    holds(name == field->first && value == field->second, "a field is what was sent");
    ++field;
  }
  const auto lengths = header.all("Content-Length");
  const auto codings = header.all("Transfer-Encoding");
  holds(lengths.size() + codings.size() <= 1, "a request has one framing at most");
  holds(header.all("Host").size() == 1 || (request.http_1_0 && header.all("Host").empty()),
        "it has one host");
  std::string body;
  if (!codings.empty()) {
    holds(equal_ignoring_case(codings[0], "chunked") && !request.http_1_0, "the one coding is chunked");
    body = take_chunks(rest);
  } else if (!lengths.empty()) {
    const auto length = tokenpool::parse_whole<std::size_t>(lengths[0]);
    holds(length && *length <= rest.size(), "a length is a number");
    body = rest.substr(0, *length);
    rest.remove_prefix(*length);
  }
  holds(rest.empty(), "a request ends where its framing says");
  holds(body == request.body && body.size() <= max_body, "a body is what was sent and keeps the limit");
}

void check_forwarding(const Inbound& request) {
  const tokenpool::Request out = gateway::outbound(request, {"X-Session", "user"});
  for (const char* name :
       {"Connection", "Keep-Alive", "Proxy-Authorization", "TE", "Trailer", "Upgrade", "Host",
        "Transfer-Encoding", "Content-Length", "Authorization", "X-Api-Key", "Expect"}) {
    holds(!out.headers.get(name), "what is for the gateway stays there");
  }
  std::string bytes = out.method + " " + out.path + " HTTP/1.1\r\nHost: server.example\r\n";
  for (const auto& [name, value] : out.headers) bytes.append(name).append(": ").append(value).append("\r\n");
  bytes += "Content-Length: " + std::to_string(out.body.text().size()) + "\r\n\r\n" + out.body.text();
  RequestReader reader(4 * max_header, max_body);
  std::string_view rest = bytes;
  holds(reader.read(rest) == Progress::head && reader.read(rest) == Progress::complete && rest.empty(),
        "what goes on to the server is one request");
  Inbound read = std::move(reader.request());
  holds(read.method == request.method && read.target == request.target && read.body == request.body,
        "it is the same request");
  read.headers.remove("Host");
  read.headers.remove("Content-Length");
  holds(read.headers == out.headers, "its fields are read as they were written");
}

}  // namespace

/// The first bytes say how long the pieces are, the rest is what comes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  std::vector<std::size_t> lengths(input.ConsumeIntegralInRange<std::size_t>(0, 8));
  for (std::size_t& length : lengths) length = input.ConsumeIntegralInRange<std::size_t>(1, 64);
  const std::string bytes = fuzz::rest(input);

  Connection whole;
  whole.receive(bytes);
  Connection split;
  std::string_view rest = bytes;
  for (std::size_t at = 0; !rest.empty(); ++at) {
    const std::size_t length = lengths.empty() ? 1 : lengths[at % lengths.size()];
    split.receive(rest.substr(0, length));
    rest.remove_prefix((std::min)(length, rest.size()));
  }
  holds(whole.taken.size() == split.taken.size(), "requests are as many wherever they are split");
  for (std::size_t at = 0; at < whole.taken.size(); ++at) {
    const Inbound& one = whole.taken[at].request;
    const Inbound& other = split.taken[at].request;
    holds(whole.taken[at].bytes == split.taken[at].bytes && one.method == other.method &&
              one.target == other.target && one.headers == other.headers && one.body == other.body &&
              one.http_1_0 == other.http_1_0 && one.keep_alive == other.keep_alive,
          "a request is the same wherever it is split");
    check_framing(whole.taken[at]);
    check_forwarding(one);
  }
  return 0;
}
