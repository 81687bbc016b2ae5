// The gateway's configuration file. Properties: whatever the text, it is a configuration that has what the
// JSON says, within its bounds, or it is refused with a std::runtime_error that names the file and says
// something; no refusal shows what may be a secret; without access tokens only this machine is served.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "configuration.hpp"
#include "fuzz.hpp"

using fuzz::holds;
using gateway::Configuration;
using nlohmann::json;

namespace {

constexpr const char* canary = "canary7x9";  // where the corpus has secrets

/// A file in memory, in a folder that has no other.
class File {
 public:
  File()
      : descriptor_(::memfd_create("configuration", 0)),
        path_("/proc/self/fd/" + std::to_string(descriptor_)) {}

  const std::string& with(std::string_view text) {
    holds(::ftruncate(descriptor_, 0) == 0 &&
              ::pwrite(descriptor_, text.data(), text.size(), 0) == static_cast<::ssize_t>(text.size()),
          "a file in memory can be written");
    return path_;
  }

 private:
  int descriptor_;
  std::string path_;
};

/// The member of an object; null where there is none or it says nothing.
const json& member(const json& object, const char* name) {
  static const json none;
  return object.is_object() && object.contains(name) ? object[name] : none;
}

/// It would read any file of this machine.
bool names_a_file(const json& file) {
  return !member(member(file, "tokens"), "file").is_null() ||
         !member(member(file, "access_tokens"), "file").is_null();
}

void hide(json& object, const char* name) {
  if (object.is_object() && object.contains(name) && object[name].is_string()) object[name] = "";
}

/// A URL that has neither a user nor a query may be shown.
void hide_url(json& object, const char* name) {
  if (object.is_object() && object.contains(name) && object[name].is_string() &&
      object[name].get<std::string>().find_first_of("@?") != std::string::npos) {
    object[name] = "";
  }
}

/// `file` without what may be a secret.
json harmless(json file) {
  if (!file.is_object()) return file;
  hide_url(file, "base_url");
  for (const char* list : {"tokens", "access_tokens", "egress"}) {
    if (!file.contains(list) || !file[list].is_array()) continue;
    for (json& entry : file[list]) {
      if (entry.is_string()) entry = "";
      for (const char* name : {"secret", "proxy"}) hide(entry, name);
      hide_url(entry, "base_url");
    }
  }
  if (file.contains("alerts")) hide(file["alerts"], "url");
  return file;
}

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

void check_token(const json& said, const tokenpool::Token& token) {
  if (said.is_string()) return holds(token.secret.reveal() == said.get<std::string>(), "a token is its text");
  holds(token.secret.reveal() == said.value("secret", ""), "a token has its secret");
  const json& id = member(said, "id");
  holds(id.is_null() || token.id == id.get<std::string>(), "a token has its id");
  const json& weight = member(said, "weight");
  holds(token.weight == (weight.is_null() ? 1.0 : weight.get<double>()), "a token has its weight");
}

void check_limit(const json& said, const tokenpool::Limit& limit) {
  holds(limit.amount == said.at("amount") && limit.amount >= 1, "a limit has its amount");
  const bool windowed = limit.unit != tokenpool::Unit::in_flight;
  holds(windowed == (limit.window.count() > 0), "a limit has a window or needs none");
}

void check(const Configuration& read, const json& file) {
  const auto number = [&](const char* name, std::uint64_t fallback) {
    return member(file, name).is_null() ? fallback : file[name].get<std::uint64_t>();
  };
  holds(read.port == number("port", 0), "the port is what it says");
  holds(read.client.max_waiting == number("max_waiting", 10'000), "the queue is as long as it says");
  holds(read.bounds.max_buffered_bytes == number("max_buffered_bytes", std::uint64_t{512} << 20U),
        "the budget is what it says");
  holds(read.client.base_url == file.at("base_url"), "the server is the one it names");
  holds(read.log == (member(file, "log").is_null() || file["log"].get<bool>()),
        "calls are logged if it says so");
  const json& policy = member(file, "policy");
  holds(read.policy == (policy.is_null() ? "round-robin" : policy.get<std::string>()),
        "the policy is its own");
  holds(gateway::is_loopback_address(read.listen) || !read.access_tokens.empty(),
        "without access tokens only this machine is served");
  holds(!read.client.tokens.empty(), "there are tokens");
  const json& tokens = file.at("tokens");
  if (tokens.is_array()) {
    holds(tokens.size() == read.client.tokens.size(), "the tokens are as many as it lists");
    for (std::size_t i = 0; i < tokens.size(); ++i) check_token(tokens[i], read.client.tokens[i]);
  }
  const json& limits = member(file, "limits");
  holds(limits.size() == read.client.limits.size(), "the limits are as many as it lists");
  for (std::size_t i = 0; i < limits.size(); ++i) check_limit(limits[i], read.client.limits[i]);
  const json& connections = member(member(file, "clients"), "max_connections");
  holds(connections.is_null() || read.bounds.max_connections == connections.get<std::size_t>(),
        "connections are bounded as it says");
  holds(read.bounds.max_connections >= 1 && read.bounds.max_header_bytes >= 1024 && read.grace.count() >= 0 &&
            read.bounds.header.count() >= 0 && read.bounds.send.count() >= 0,
        "what bounds clients is within its own bounds");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static File file;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const json parsed = json::parse(text, nullptr, false, true);
  if (names_a_file(parsed)) return 0;
  const std::string& path = file.with(text);
  try {
    const Configuration read = gateway::read_configuration(path);
    holds(!parsed.is_discarded(), "a configuration is JSON");
    check(read, parsed);
  } catch (const std::runtime_error& refused) {
    const std::string why = refused.what();
    holds(why.starts_with(path) && why.size() > path.size() + 2, "a refusal names the file and says why");
    holds(
        why.find(canary) == std::string::npos || text_of(harmless(parsed)).find(canary) != std::string::npos,
        "no refusal shows a secret");
  }
  return 0;
}
