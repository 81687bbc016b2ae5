#include "settings.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <utility>

#include <tokenpool/policy/any_policy.hpp>

namespace rotate {

namespace {

constexpr const char* demo_group = "Demo server";

/// A mistake of the user's, in one sentence.
struct Mistake : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What can be judged only once the whole line is read.
struct Pending {
  std::vector<std::string> per_token{};
  std::vector<std::string> per_egress{};
  std::string max_wait{"10s"};
  std::string limits{"known"};
  std::optional<std::int64_t> limit{};
};

std::chrono::milliseconds duration(const std::string& text, const std::string& field) {
  const auto parsed = parse_duration(text);
  if (!parsed || parsed->count() == 0) {
    throw Mistake(field + " is \"" + text + "\": give a time above 0 such as 24h, 15m, 90s or 500ms");
  }
  return *parsed;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() <= 9 && text.find_first_not_of("0123456789") == std::string::npos;
}

std::int64_t checked_amount(std::int64_t amount, const std::string& field) {
  if (amount < 1) {
    throw Mistake(field + " is " + std::to_string(amount) + ": give at least 1 request per window");
  }
  return amount;
}

/// "100/24h" as a limit of `scope`.
tokenpool::Limit limit_from(const std::string& text, tokenpool::Scope scope, const std::string& field) {
  const std::size_t slash = text.find('/');
  const std::string amount = text.substr(0, slash);
  if (slash == std::string::npos || !is_number(amount)) {
    throw Mistake(field + " is \"" + text + "\": give a number, a slash and a time, such as 100/24h");
  }
  return tokenpool::Limit::per(scope, checked_amount(std::stoll(amount), field),
                               duration(text.substr(slash + 1), field));
}

std::string policy_list() {
  std::string list;
  for (const auto name : tokenpool::policy_names()) {
    list.append(list.empty() ? "" : ", ").append(name);
  }
  return list;
}

void check_policy(const std::string& policy) {
  const auto names = tokenpool::policy_names();
  if (std::find(names.begin(), names.end(), policy) == names.end()) {
    throw Mistake("--policy is \"" + policy + "\": give one of " + policy_list());
  }
}

/// "2:50", a token's index and a number of requests.
void check_kill(const std::string& text, std::size_t tokens) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || !is_number(text.substr(0, colon)) || !is_number(text.substr(colon + 1)) ||
      std::stoull(text) >= tokens) {
    throw Mistake("--kill is \"" + text + "\": give INDEX:K, such as 0:50, with an index from 0 to " +
                  std::to_string(tokens - 1));
  }
}

void finish_demo(Settings& settings, const Pending& pending) {
  const bool by_address = settings.rule == "token-and-ip";
  settings.limit = checked_amount(pending.limit.value_or(by_address ? 150 : 100), "--limit");
  const auto window = duration(settings.window, "--window");
  if (!parse_duration(settings.delay)) {
    throw Mistake("--delay is \"" + settings.delay + "\": give a time such as 20ms or 1s");
  }
  for (const std::string& kill : settings.kill) {
    check_kill(kill, settings.tokens);
  }
  if (pending.limits == "known") {
    settings.limits.push_back(tokenpool::Limit::per_token(settings.limit, window));
    if (by_address) {
      settings.limits.push_back(tokenpool::Limit::per_egress(settings.limit, window));
    }
  }
}

/// An option that would do nothing is a misunderstanding.
void check_belonging(const CLI::App& app, bool demo) {
  for (const CLI::Option* option : app.get_options()) {
    if (!demo && option->count() != 0 && option->get_group() == demo_group) {
      throw Mistake(option->get_name() + " is for the demo server: leave it out where --base-url is given");
    }
  }
  for (const char* name : {"--tokens-env", "--model", "--per-token", "--per-egress"}) {
    if (demo && app.count(name) != 0) {
      throw Mistake(std::string(name) + " is for a server of yours: give --base-url as well");
    }
  }
}

void finish(Settings& settings, const CLI::App& app, const Pending& pending) {
  if (app.count("--base-url") != 0 && settings.base_url.empty()) {
    throw Mistake("--base-url is empty: give a URL such as https://api.example.com/v1");
  }
  check_belonging(app, settings.demo());
  check_policy(settings.policy);
  settings.max_wait = duration(pending.max_wait, "--max-wait");
  if (settings.output.empty()) {
    settings.output = settings.demo() ? demo_output : "answers.jsonl";
  }
  if (settings.demo()) {
    return finish_demo(settings, pending);
  }
  for (const std::string& text : pending.per_token) {
    settings.limits.push_back(limit_from(text, tokenpool::Scope::token, "--per-token"));
  }
  for (const std::string& text : pending.per_egress) {
    settings.limits.push_back(limit_from(text, tokenpool::Scope::egress, "--per-egress"));
  }
}

void add_work(CLI::App& app, Settings& settings, Pending& pending) {
  app.add_option("--prompts", settings.prompts,
                 "JSONL, each line {\"prompt\": ...}; default: 500 that come along");
  app.add_option("--output", settings.output,
                 "Where the answers go; a second run goes on where the first stopped "
                 "(answers.jsonl, demo-answers.jsonl for the demo)");
  app.add_option("--policy", settings.policy, "How tokens are chosen: " + policy_list())
      ->capture_default_str();
  app.add_option("--threads", settings.threads, "Calls at the same time")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--max-wait", pending.max_wait, "How long a call waits for a token before the run ends")
      ->capture_default_str();
  app.add_flag("--json", settings.json, "End with the pool's state as JSON instead of a table");
}

void add_server(CLI::App& app, Settings& settings, Pending& pending) {
  const char* const group = "A server of yours";
  app.add_option("--base-url", settings.base_url,
                 "An OpenAI-compatible server, such as https://api.example.com/v1")
      ->group(group);
  app.add_option("--tokens-env", settings.tokens_env, "Environment variable with its tokens, comma-joined")
      ->capture_default_str()
      ->group(group);
  app.add_option("--model", settings.model, "Model to ask")->capture_default_str()->group(group);
  app.add_option("--per-token", pending.per_token, "A limit it has for each token, such as 100/24h")
      ->group(group);
  app.add_option("--per-egress", pending.per_egress, "A limit it has for your address, such as 150/24h")
      ->group(group);
}

void add_demo(CLI::App& app, Settings& settings, Pending& pending) {
  const auto add = [&app](const std::string& name, auto& value, const std::string& help) {
    return app.add_option(name, value, help)->group(demo_group);
  };
  const auto choice = [&add](const std::string& name, std::string& value, const std::string& help,
                             const std::vector<std::string>& choices) {
    add(name, value, help)->capture_default_str()->check(CLI::IsMember(choices));
  };
  choice("--rule", settings.rule, "What it counts", {"per-token", "token-and-ip"});
  add("--limit", pending.limit, "Requests per window; default 100, or 150 with token-and-ip");
  add("--window", settings.window, "Length of the window")->capture_default_str();
  choice("--window-kind", settings.window_kind, "When it begins", {"fixed", "rolling", "first-request"});
  choice("--retry-after", settings.retry_after, "How a 429 tells its end", {"seconds", "ms", "date", "none"});
  add("--tokens", settings.tokens, "How many tokens")->capture_default_str()->check(CLI::Range(1, 1000));
  add("--kill", settings.kill, "INDEX:K, that token is dead after K requests");
  add("--delay", settings.delay, "Time to an answer")->capture_default_str();
  choice("--limits", pending.limits, "Whether the client is told the limits or learns them",
         {"known", "unknown"});
  add("--server-log", settings.server_log, "File for its access log");
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(const std::string& text) {
  const std::size_t digits = (std::min)(text.find_first_not_of("0123456789"), text.size());
  if (!is_number(text.substr(0, digits))) {
    return std::nullopt;
  }
  const std::int64_t number = std::stoll(text.substr(0, digits));
  const std::string unit = text.substr(digits);
  const std::pair<const char*, std::int64_t> units[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  for (const auto& [name, length] : units) {
    if (unit == name) {
      return std::chrono::milliseconds(number * length);
    }
  }
  return std::nullopt;
}

CommandLine read_command_line(int count, const char* const* words) {
  Settings settings;
  Pending pending;
  settings.prompts = ROTATE_PROMPTS;
  CLI::App app{
      "Sends the prompts of a JSONL file over a pool of tokens and writes the answers as JSONL, in the order "
      "of the prompts. Without --base-url it starts a demo server that counts and refuses. While it runs, ~ "
      "marks a token that rests and ! one that is out."};
  app.name("rotate");
  add_work(app, settings, pending);
  add_server(app, settings, pending);
  add_demo(app, settings, pending);
  try {
    app.parse(count, words);
    finish(settings, app, pending);
  } catch (const CLI::Success& help) {
    return {std::nullopt, app.exit(help)};
  } catch (const CLI::Error& mistake) {
    std::cerr << "rotate: " << mistake.what() << " (--help shows all options)\n";
    return {std::nullopt, 2};
  } catch (const Mistake& mistake) {
    std::cerr << "rotate: " << mistake.what() << '\n';
    return {std::nullopt, 2};
  }
  return {std::move(settings), 0};
}

}  // namespace rotate
