#include "forwarding.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "tokenpool/http/text_reader.hpp"

namespace gateway {
namespace {

using tokenpool::equal_ignoring_case;
using tokenpool::Headers;

constexpr std::array hop_by_hop{
    "Connection", "Keep-Alive",        "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE",
    "Trailer",    "Transfer-Encoding", "Upgrade"};

/// What a client says to the gateway, and what follows from the body and from the pool's choice of a server.
constexpr std::array for_us{"Authorization",  "X-Api-Key", "Api-Key",         "Host",
                            "Content-Length", "Expect",    "Accept-Encoding", "Idempotency-Key"};

/// The names in a comma-joined list.
std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = (std::min)(list.find(','), list.size());
    names.emplace_back(tokenpool::detail::trimmed(list.substr(0, comma)));
    list.remove_prefix((std::min)(comma + 1, list.size()));
  }
  return names;
}

/// Looks for two members of the outermost object and stops when it has both.
class MemberFinder : public nlohmann::json_sax<nlohmann::json> {
 public:
  MemberFinder(std::string_view first, std::string_view second) : first_(first), second_(second) {}

  Members found{};

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool string(string_t& text) override {
    if (depth_ == 1 && wanted_ != nullptr) {
      *wanted_ = std::move(text);
      missing_ -= 1;
    }
    return missing_ != 0;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) wanted_ = name == first_ ? &found.first : name == second_ ? &found.second : nullptr;
    return true;
  }
  bool start_object(std::size_t) override { return ++depth_, true; }
  bool end_object() override { return --depth_, true; }
  /// A list is deeper than any member of the object; one that is outermost has none.
  bool start_array(std::size_t) override { return depth_ == 0 ? false : (++depth_, true); }
  bool end_array() override { return --depth_, true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  std::string_view first_;
  std::string_view second_;
  std::string* wanted_ = nullptr;
  int depth_ = 0;
  int missing_ = second_.empty() ? 1 : 2;
};

}  // namespace

Members text_members(std::string_view json, std::string_view first, std::string_view second) {
  MemberFinder finder(first, second);
  nlohmann::json::sax_parse(json.begin(), json.end(), &finder);
  return std::move(finder.found);
}

Headers end_to_end(const Headers& fields) {
  Headers kept;
  std::vector<std::string> dropped(hop_by_hop.begin(), hop_by_hop.end());
  for (const std::string_view list : fields.all("Connection")) {
    for (std::string& name : names_in(list)) dropped.push_back(std::move(name));
  }
  kept.reserve(fields.size());
  for (const auto& [name, value] : fields) {
    const auto is_it = [&name = name](const std::string& one) { return equal_ignoring_case(one, name); };
    if (std::none_of(dropped.begin(), dropped.end(), is_it)) kept.add(name, value);
  }
  return kept;
}

tokenpool::Request outbound(Inbound request, const AffinitySource& affinity) {
  tokenpool::Request out{.method = std::move(request.method), .path = std::move(request.target)};
  out.headers = end_to_end(request.headers);
  for (const char* name : for_us) out.headers.remove(name);
  // The bytes pass as they are, so they are asked for as they are.
  out.headers.add("Accept-Encoding", "identity");
  if (!out.headers.get("Accept")) out.headers.add("Accept", "*/*");
  out.idempotency_key = request.headers.get("Idempotency-Key").value_or("");
  if (!request.body.empty() && request.body.front() == '{') {
    Members members = text_members(request.body, "model", affinity.member);
    out.bucket = std::move(members.first);
    out.affinity = std::move(members.second);
  }
  if (const auto named = affinity.header.empty() ? std::nullopt : request.headers.get(affinity.header)) {
    out.affinity = *named;
  }
  out.body = std::move(request.body);
  return out;
}

Headers answer_headers(const Headers& from_server, std::string_view token_id, std::size_t attempts) {
  Headers headers = end_to_end(from_server);
  const std::string_view coding = headers.get("Content-Encoding").value_or("identity");
  if (!equal_ignoring_case(coding, "identity")) {
    headers.remove("Content-Encoding");
    headers.remove("Content-Length");
  }
  headers.set("x-tokenpool-token", token_id);
  headers.set("x-tokenpool-attempts", std::to_string(attempts));
  return headers;
}

}  // namespace gateway
