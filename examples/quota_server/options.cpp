#include "options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <set>

#include "fields.hpp"

namespace quota_server {
namespace {

using std::chrono::milliseconds;
using Text = const std::string&;

constexpr std::int64_t most_requests = 1'000'000'000;
constexpr const char* token_variable = "QUOTA_SERVER_TOKENS";

/// An option whose text `read` turns into an effect; what it throws is said under the option's name.
template <class Read>
CLI::Option* add(CLI::App& app, const std::string& name, const std::string& help, Read read) {
  const auto named = [name, read](const std::string& text) {
    try {
      read(text);
    } catch (const std::invalid_argument& bad) {
      throw CLI::ValidationError(name, bad.what());
    }
  };
  return app.add_option_function<std::string>(name, named, help);
}

/// What can be judged only once the whole line is read.
struct Pending {
  std::vector<std::string> kills{};
  std::optional<std::size_t> limit{};
};

std::vector<std::string> tokens_in_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::invalid_argument("cannot read " + path + "; name a file with a token on each line");
  return split_tokens(std::string(std::istreambuf_iterator<char>(file), {}));
}

void add_tokens(CLI::App& app, Options& options, Pending& pending) {
  CLI::Option* const listed =
      add(app, "--tokens", std::string("Tokens, comma-joined; default: ") + token_variable,
          [&](Text text) { options.tokens = split_tokens(text); });
  add(app, "--token-file", "File of tokens", [&](Text path) {
    options.tokens = tokens_in_file(path);
  })->excludes(listed);
  app.add_option("--kill", pending.kills,
                 "TOKEN:K, the token (or its index from 0) is dead after K requests");
}

void add_rule(CLI::App& app, Options& options, Pending& pending) {
  add(app, "--rule", "per-token or token-and-ip", [&](Text text) {
    options.rule =
        parse_choice<Rule>(text, {{"per-token", Rule::per_token}, {"token-and-ip", Rule::token_and_ip}});
  });
  add(app, "--limit", "Requests per window (per-token: 100, token-and-ip: 150)",
      [&](Text text) { pending.limit = static_cast<std::size_t>(parse_whole(text, 1, most_requests)); });
  add(app, "--window", "Length of a window (24h)",
      [&](Text text) { options.quota.window = parse_duration(text, milliseconds{1}); });
  add(app, "--window-kind", "fixed, rolling or first-request", [&](Text text) {
    options.quota.kind = parse_choice<WindowKind>(text, {{"fixed", WindowKind::fixed},
                                                         {"rolling", WindowKind::rolling},
                                                         {"first-request", WindowKind::first_request}});
  });
  add(app, "--count-when", "arrival or answer", [&](Text text) {
    options.count_when =
        parse_choice<CountWhen>(text, {{"arrival", CountWhen::arrival}, {"answer", CountWhen::answer}});
  });
  add(app, "--store", "redis://HOST:PORT, counts shared with other servers (none: in memory)",
      [&](Text text) { options.store = parse_redis_address(text); });
  app.add_flag("--count-refused", options.quota.count_refused, "Refused requests count as well");
}

void add_answers(CLI::App& app, Options& options) {
  add(app, "--retry-after", "seconds, ms, date or none", [&](Text text) {
    options.retry_after = parse_choice<RetryAfter>(text, {{"seconds", RetryAfter::seconds},
                                                          {"ms", RetryAfter::milliseconds},
                                                          {"date", RetryAfter::date},
                                                          {"none", RetryAfter::none}});
  });
  app.add_flag("--scope-header", options.scope_header, "A 429 says X-RateLimit-Scope: token or ip");
  add(app, "--delay", "Time to an answer (0ms)",
      [&](Text text) { options.faults.delay = parse_duration(text, milliseconds{0}); });
  add(app, "--jitter", "Added to the delay, evenly from 0 to this (0ms)",
      [&](Text text) { options.faults.jitter = parse_duration(text, milliseconds{0}); });
  add(app, "--fail-rate", "Share of requests answered 500",
      [&](Text text) { options.faults.fail_rate = parse_share(text); });
  add(app, "--drop-rate", "Share of requests whose connection is closed without an answer",
      [&](Text text) { options.faults.drop_rate = parse_share(text); });
  add(app, "--seed", "Of all that is drawn (1)", [&](Text text) {
    options.seed =
        static_cast<std::uint64_t>(parse_whole(text, 0, (std::numeric_limits<std::int64_t>::max)()));
  });
}

void add_process(CLI::App& app, Options& options) {
  app.add_option("--listen", options.listen, "Address (127.0.0.1)");
  add(app, "--port", "Port, 0 for a free one (0)",
      [&](Text text) { options.port = static_cast<int>(parse_whole(text, 0, 65535)); });
  add(app, "--keep-alive", "How long an idle connection stays open (60s)",
      [&](Text text) { options.keep_alive = parse_duration(text, milliseconds{1}); });
  app.add_flag("--trust-forwarded", options.trust_forwarded, "The IP is the first of X-Forwarded-For");
  app.add_option("--log", options.log, "Access log in JSON lines, - for the standard error stream");
  app.add_flag("--exit-with-parent", options.exit_with_parent, "End when the parent does, or stdin closes");
}

[[noreturn]] void refuse(const std::string& sentence) { throw CommandLineEnd{2, sentence}; }

void check_tokens(const std::vector<std::string>& tokens) {
  if (tokens.empty()) {
    refuse(std::string("--tokens: none given; list them with --tokens a,b,c, --token-file FILE or in ") +
           token_variable);
  }
  std::set<std::string> seen;
  for (std::size_t index = 0; index < tokens.size(); ++index) {
    const std::string& token = tokens[index];
    const auto visible = [](char c) { return c > ' ' && c < 127; };
    if (!std::all_of(token.begin(), token.end(), visible)) {
      refuse("--tokens: number " + std::to_string(index + 1) +
             " holds a character that no header can carry; remove it");
    }
    if (!seen.insert(token).second) {
      refuse("--tokens: number " + std::to_string(index + 1) + " is there twice; name each token once");
    }
  }
}

/// `text` is TOKEN:K; it is not repeated in the complaint, for it may hold a token.
std::pair<std::size_t, std::size_t> parse_kill(const std::string& text,
                                               const std::vector<std::string>& tokens) {
  try {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) throw std::invalid_argument("no colon");
    const std::string token = text.substr(0, colon);
    const auto served = static_cast<std::size_t>(parse_whole(text.substr(colon + 1), 0, most_requests));
    const auto named = std::find(tokens.begin(), tokens.end(), token);
    if (named != tokens.end()) return {static_cast<std::size_t>(named - tokens.begin()), served};
    const auto last = static_cast<std::int64_t>(tokens.size()) - 1;
    return {static_cast<std::size_t>(parse_whole(token, 0, last)), served};
  } catch (const std::invalid_argument&) {
    refuse(
        "--kill: must be TOKEN:K, a token of the list or its index from 0 and a number of requests, such as "
        "0:50");
  }
}

void complete(Options& options, const Pending& pending) {
  const char* const from_environment = std::getenv(token_variable);
  if (options.tokens.empty() && from_environment) options.tokens = split_tokens(from_environment);
  check_tokens(options.tokens);
  for (const std::string& kill : pending.kills) options.deaths.insert(parse_kill(kill, options.tokens));
  options.quota.amount = pending.limit.value_or(options.rule == Rule::per_token ? 100 : 150);
  if (options.faults.fail_rate + options.faults.drop_rate > 1) {
    refuse("--fail-rate: together with --drop-rate it is above 1; lower one of them");
  }
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
  Options options;
  Pending pending;
  CLI::App app("A small OpenAI-compatible server that counts requests per token and per IP, and refuses.");
  app.name("quota_server");
  add_tokens(app, options, pending);
  add_rule(app, options, pending);
  add_answers(app, options);
  add_process(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    throw CommandLineEnd{0, app.help()};
  } catch (const CLI::ParseError& bad) {
    refuse(std::string(bad.what()) + "; see --help");
  }
  complete(options, pending);
  return options;
}

}  // namespace quota_server
