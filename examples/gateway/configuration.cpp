#include "configuration.hpp"

#include <arpa/inet.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "fields.hpp"
#include "tokenpool/json/load_tokens.hpp"
#include "tokenpool/policy/any_policy.hpp"

namespace gateway {
namespace {

using nlohmann::json;
using namespace tokenpool;

constexpr std::int64_t most = std::int64_t{1} << 40U;

/// Reads one file into one Configuration.
class Reader {
 public:
  Reader(std::string path, Configuration& into) : path_(std::move(path)), into_(into) {}

  void read(const json& file) {
    Fields fields(file, "");
    read_address(fields);
    read_access(fields);
    read_server(fields);
    read_tokens(fields);
    read_clients(fields);
    if (const json* alerts = fields.find("alerts")) read_alerts(*alerts);
    into_.log = fields.flag("log", into_.log);
    into_.grace = fields.duration("grace", into_.grace);
    fields.end();
    for (const char* name : {"listen", "port", "base_url", "auth", "policy", "limits", "egress", "retry",
                             "timeouts", "max_waiting", "max_buffered_bytes", "alerts"}) {
      into_.fixed[name] = file.contains(name) ? file[name].dump() : "";
    }
    if (into_.access_tokens.empty() && !is_loopback_address(into_.listen)) {
      unfit("listen is \"" + into_.listen +
            "\" and access_tokens is empty: without access tokens everybody who "
            "reaches this machine could spend your tokens; name some, or listen on 127.0.0.1");
    }
  }

 private:
  void read_address(Fields& fields) {
    into_.listen = fields.text("listen", into_.listen);
    if (into_.listen == "localhost") into_.listen = "127.0.0.1";
    if (!is_address(into_.listen)) {
      unfit("listen is \"" + into_.listen +
            "\": give an address of this machine, for example 127.0.0.1, ::1 or 0.0.0.0");
    }
    into_.port = static_cast<std::uint16_t>(fields.whole("port", 0, 0, 65535));
  }

  void read_access(Fields& fields) {
    const json* value = fields.find("access_tokens");
    if (value == nullptr) return;
    for (const Token& token : tokens_of(*value, "access_tokens")) into_.access_tokens.push_back(token.secret);
  }

  void read_server(Fields& fields) {
    ClientOptions& client = into_.client;
    client.base_url = fields.text("base_url");
    static_cast<void>(detail::checked_base_url(client.base_url, "base_url"));
    read_auth(fields);
    into_.policy = fields.text("policy", into_.policy);
    static_cast<void>(AnyPolicy(into_.policy));
    client.limits = limits_of(fields, "limits");
    fields.list("egress", [&](const json& entry, const std::string& name) {
      client.egress.push_back(egress_of(entry, name));
    });
    if (const json* retry = fields.find("retry")) read_retry(*retry);
    if (const json* timeouts = fields.find("timeouts")) read_timeouts(*timeouts);
    client.max_waiting = static_cast<std::size_t>(fields.whole("max_waiting", 10'000, 0, most));
  }

  void read_auth(Fields& fields) {
    const json* value = fields.find("auth");
    if (value == nullptr) return;
    if (value->is_object()) {
      Fields auth(*value, "auth.");
      into_.client.auth = Auth::header(auth.text("header", "x-api-key"));
      return auth.end();
    }
    const std::string kind = fields.text("auth");
    if (kind != "bearer" && kind != "basic") {
      unfit("auth is \"" + kind + "\": give \"bearer\", \"basic\" or {\"header\": \"x-api-key\"}");
    }
    into_.client.auth = kind == "basic" ? Auth::basic() : Auth::bearer();
  }

  void read_retry(const json& value) {
    Fields fields(value, "retry.");
    RetryOptions& retry = into_.client.retry;
    retry.max_attempts = static_cast<unsigned>(fields.whole("max_attempts", retry.max_attempts, 1, 100));
    retry.max_wait = fields.duration("max_wait", retry.max_wait);
    retry.max_rest = fields.duration("max_rest", retry.max_rest);
    retry.replay =
        choice<Replay>(fields.text("replay", "safe"), "retry.replay",
                       {{"safe", Replay::safe}, {"always", Replay::always}, {"never", Replay::never}});
    fields.end();
  }

  void read_timeouts(const json& value) {
    Fields fields(value, "timeouts.");
    Timeouts& timeouts = into_.client.timeouts;
    timeouts.connect = fields.duration("connect", timeouts.connect);
    timeouts.first_byte = fields.duration("first_byte", timeouts.first_byte);
    timeouts.idle = fields.duration("idle", timeouts.idle);
    timeouts.total = fields.duration("total", timeouts.total);
    fields.end();
  }

  /// The hook's URL is often a credential, so it may be in the environment and nothing shows it.
  void read_alerts(const json& value) {
    Fields fields(value, "alerts.");
    AlertOptions& alerts = into_.alerts.emplace();
    std::string url = fields.text("url");
    if (const std::string variable = fields.text("url_env"); !variable.empty()) {
      const char* const named = std::getenv(variable.c_str());
      url = named == nullptr ? "" : named;
    }
    alerts.url = url;
    alerts.name = fields.text("name");
    alerts.floor = static_cast<std::size_t>(fields.whole("floor", 0, 0, 1'000'000));
    alerts.hold = fields.duration("hold", alerts.hold);
    alerts.calm = fields.duration("calm", alerts.calm);
    fields.end();
    detail::check_alert_options(alerts);
  }

  void read_clients(Fields& outer) {
    Bounds& bounds = into_.bounds;
    bounds.max_buffered_bytes = static_cast<std::uint64_t>(
        outer.whole("max_buffered_bytes", static_cast<std::int64_t>(bounds.max_buffered_bytes), 1024, most));
    if (const json* affinity = outer.find("affinity")) {
      Fields fields(*affinity, "affinity.");
      into_.affinity = {fields.text("header"), fields.text("body")};
      fields.end();
    }
    const json* value = outer.find("clients");
    if (value == nullptr) return;
    Fields fields(*value, "clients.");
    const auto size = [&](const char* name, std::size_t fallback, std::int64_t least, std::int64_t largest) {
      return static_cast<std::size_t>(
          fields.whole(name, static_cast<std::int64_t>(fallback), least, largest));
    };
    bounds.max_connections = size("max_connections", bounds.max_connections, 1, 1'000'000);
    bounds.max_header_bytes = size("max_header_bytes", bounds.max_header_bytes, 1024, 1 << 20);
    bounds.max_body_bytes = size("max_body_bytes", bounds.max_body_bytes, 0, most);
    bounds.header = fields.duration("header", bounds.header);
    bounds.body = fields.duration("body", bounds.body);
    bounds.keep_alive = fields.duration("keep_alive", bounds.keep_alive);
    bounds.send = fields.duration("send", bounds.send);
    fields.end();
  }

  void read_tokens(Fields& fields) {
    const json* value = fields.find("tokens");
    if (value == nullptr)
      unfit("tokens is not there: give a list, {\"file\": \"tokens.txt\"} or {\"env\": \"NAME\"}");
    into_.client.tokens = tokens_of(*value, "tokens");
    if (into_.client.tokens.empty()) unfit("tokens is empty: give at least one");
    for (const Token& token : into_.client.tokens) {
      if (token.id == "." || token.id == "..") {
        unfit("tokens has the id \"" + token.id +
              "\": it would vanish from the URLs of the page's buttons (RFC 3986 5.2.4); give another");
      }
    }
  }

  /// Tokens from where they are kept. What is wrong with one is said without it.
  std::vector<Token> tokens_of(const json& value, const std::string& name) {
    if (value.is_array()) return listed_tokens(value, name);
    if (!value.is_object()) unfit(name + " has to be a list, {\"file\": ...} or {\"env\": ...}");
    Fields fields(value, name + ".");
    const std::string file = fields.text("file");
    const std::string variable = fields.text("env");
    fields.end();
    if (file.empty() == variable.empty()) unfit(name + " has to have either \"file\" or \"env\"");
    if (!variable.empty()) return tokens_from_env(variable);
    const std::string path = (std::filesystem::path(path_).parent_path() / file).string();
    into_.files.push_back(path);
    return load_tokens(
        path, {.on_warning = [&](const WarningEvent& event) { into_.warnings.push_back(event.text); }});
  }

  std::vector<Token> listed_tokens(const json& list, const std::string& name) {
    std::vector<Token> tokens;
    for (const json& entry : list) {
      const std::string field = name + "[" + std::to_string(tokens.size()) + "]";
      tokens.push_back(entry.is_string() ? Token{.secret = entry.get_ref<const std::string&>()}
                                         : token_of(entry, field));
      if (auto problem = problem_with(tokens.back(), field)) unfit(*problem);
      if (tokens.back().secret.reveal().find_first_of(" \t") != std::string_view::npos) {
        unfit(field + ".secret has white space in it: give one credential for each entry");
      }
    }
    return tokens;
  }

  Token token_of(const json& entry, const std::string& name) {
    Fields fields(entry, name + ".");
    Token token{.secret = fields.text("secret"),
                .id = fields.text("id"),
                .account = fields.text("account"),
                .weight = fields.number("weight", 1),
                .priority = static_cast<int>(fields.whole("priority", 0, -1'000'000, 1'000'000)),
                .base_url = fields.text("base_url"),
                .limits = limits_of(fields, "limits")};
    if (!token.base_url.empty())
      static_cast<void>(detail::checked_base_url(token.base_url, name + ".base_url"));
    fields.end();
    return token;
  }

  static Egress egress_of(const json& entry, const std::string& name) {
    Fields fields(entry, name + ".");
    Egress egress{.id = fields.text("id"),
                  .source = fields.text("source"),
                  .proxy = fields.text("proxy"),
                  .limits = limits_of(fields, "limits")};
    fields.end();
    return egress;
  }

  static std::vector<Limit> limits_of(Fields& fields, const std::string& member) {
    std::vector<Limit> limits;
    fields.list(member,
                [&](const json& entry, const std::string& name) { limits.push_back(limit_of(entry, name)); });
    return limits;
  }

  static Limit limit_of(const json& entry, const std::string& name) {
    Fields fields(entry, name + ".");
    Limit limit{.amount = fields.whole("amount", 0, 1, largest_amount),
                .window = fields.duration("window", {}),
                .unit = choice<Unit>(fields.text("unit", "requests"), name + ".unit",
                                     {{"requests", Unit::requests}, {"in_flight", Unit::in_flight}}),
                .counted = choice<Counted>(fields.text("counted", "unknown"), name + ".counted",
                                           {{"unknown", Counted::unknown},
                                            {"on_arrival", Counted::on_arrival},
                                            {"on_answer", Counted::on_answer}})};
    fields.list("per", [&](const json& dimension, const std::string& which) {
      limit.scope =
          limit.scope | choice<Scope>(dimension.is_string() ? dimension.get<std::string>() : "", which,
                                      {{"token", Scope::token},
                                       {"account", Scope::account},
                                       {"egress", Scope::egress},
                                       {"bucket", Scope::bucket}});
    });
    fields.end();
    if (auto problem = problem_with(limit, name)) unfit(*problem);
    return limit;
  }

  template <class Value>
  static Value choice(const std::string& text, const std::string& name,
                      std::initializer_list<std::pair<const char*, Value>> all) {
    std::string known;
    for (const auto& [word, value] : all) {
      if (text == word) return value;
      known.append(known.empty() ? "" : ", ").append(word);
    }
    unfit(name + " is \"" + text + "\": give one of " + known);
  }

  static bool is_address(const std::string& text) {
    in6_addr any{};
    return ::inet_pton(AF_INET, text.c_str(), &any) == 1 || ::inet_pton(AF_INET6, text.c_str(), &any) == 1;
  }

  std::string path_;
  Configuration& into_;
};

}  // namespace

bool is_loopback_address(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

Configuration read_configuration(const std::string& path) {
  Configuration configuration;
  configuration.files.push_back(path);
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) throw std::runtime_error(path + " cannot be read: check the path and its rights");
  const json parsed = json::parse(text, nullptr, false, true);
  if (parsed.is_discarded())
    throw std::runtime_error(path + " is no JSON: check its commas and quotation marks");
  try {
    Reader(path, configuration).read(parsed);
  } catch (const std::exception& error) {
    throw std::runtime_error(path + ": " + error.what());
  }
  detail::warn_if_readable_by_others(
      path, {.on_warning = [&](const WarningEvent& event) { configuration.warnings.push_back(event.text); }});
  return configuration;
}

}  // namespace gateway
