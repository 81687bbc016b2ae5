#include "settings.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <utility>

#include <tokenpool/policy/any_policy.hpp>

namespace rotate {

namespace {

/// A mistake of the user's, in one sentence.
struct Mistake : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::chrono::milliseconds duration(const std::string& text, const std::string& field) {
  const auto parsed = parse_duration(text);
  if (!parsed || parsed->count() == 0) {
    throw Mistake(field + " is \"" + text + "\": give a time above 0 such as 24h, 15m, 90s or 500ms");
  }
  return *parsed;
}

void check_amount(std::int64_t amount, const std::string& field) {
  if (amount < 1) {
    throw Mistake(field + " is " + std::to_string(amount) + ": give at least 1 request per window");
  }
}

/// "100/24h" as a limit of `scope`.
tokenpool::Limit limit_from(const std::string& text, tokenpool::Scope scope, const std::string& field) {
  const std::size_t slash = text.find('/');
  const std::string amount = text.substr(0, slash);
  if (slash == std::string::npos || amount.empty() || amount.size() > 15 ||
      amount.find_first_not_of("0123456789") != std::string::npos) {
    throw Mistake(field + " is \"" + text + "\": give a number, a slash and a time, such as 100/24h");
  }
  check_amount(std::stoll(amount), field);
  return tokenpool::Limit::per(scope, std::stoll(amount), duration(text.substr(slash + 1), field));
}

/// The limits that the demo server keeps, as the client is told them.
std::vector<tokenpool::Limit> demo_limits(const Settings& settings) {
  const auto window = duration(settings.window, "--window");
  std::vector<tokenpool::Limit> limits{tokenpool::Limit::per_token(settings.limit, window)};
  if (settings.rule == "token-and-ip") {
    limits.push_back(tokenpool::Limit::per_egress(settings.limit, window));
  }
  return limits;
}

void finish(Settings& settings, const std::vector<std::string>& per_token,
            const std::vector<std::string>& per_egress, const CLI::Option& limit,
            const std::string& max_wait) {
  const auto names = tokenpool::policy_names();
  if (std::find(names.begin(), names.end(), settings.policy) == names.end()) {
    std::string list;
    for (const auto name : names) {
      list.append(list.empty() ? "" : ", ").append(name);
    }
    throw Mistake("--policy is \"" + settings.policy + "\": give one of " + list);
  }
  settings.max_wait = duration(max_wait, "--max-wait");
  if (limit.count() == 0) {
    settings.limit = settings.rule == "token-and-ip" ? 150 : 100;
  }
  if (settings.demo()) {
    check_amount(settings.limit, "--limit");
    const auto limits = demo_limits(settings);
    settings.limits = settings.limits_known ? limits : std::vector<tokenpool::Limit>();
    return;
  }
  for (const std::string& text : per_token) {
    settings.limits.push_back(limit_from(text, tokenpool::Scope::token, "--per-token"));
  }
  for (const std::string& text : per_egress) {
    settings.limits.push_back(limit_from(text, tokenpool::Scope::egress, "--per-egress"));
  }
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(const std::string& text) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string::npos || digits > 12) {
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
  settings.prompts = ROTATE_PROMPTS;
  std::vector<std::string> per_token;
  std::vector<std::string> per_egress;
  std::string limits = "known";
  std::string max_wait = "10s";

  CLI::App app{
      "Sends the prompts of a JSONL file over a pool of tokens and writes the answers as JSONL, in the order "
      "of the "
      "prompts. Without --base-url it starts a demo server that counts and refuses."};
  app.add_option("--prompts", settings.prompts,
                 "JSONL, each line {\"prompt\": ...}; default: 500 that come along");
  app.add_option("--output", settings.output,
                 "where the answers go; a second run goes on where the first stopped")
      ->capture_default_str();
  app.add_option("--policy", settings.policy, "how tokens are chosen")->capture_default_str();
  app.add_option("--threads", settings.threads, "calls at the same time")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--max-wait", max_wait, "how long a call waits for a token")->capture_default_str();
  app.add_option("--base-url", settings.base_url,
                 "an OpenAI-compatible server, such as https://api.example.com/v1");
  app.add_option("--tokens-env", settings.tokens_env,
                 "environment variable with its tokens, parted by commas")
      ->capture_default_str();
  app.add_option("--model", settings.model, "model to ask")->capture_default_str();
  app.add_option("--per-token", per_token, "a limit of the server for each token, such as 100/24h");
  app.add_option("--per-egress", per_egress, "a limit of the server for each address, such as 150/24h");

  const char* const demo = "Demo server";
  app.add_option("--rule", settings.rule, "per-token or token-and-ip")
      ->capture_default_str()
      ->check(CLI::IsMember({"per-token", "token-and-ip"}))
      ->group(demo);
  const CLI::Option* limit =
      app.add_option("--limit", settings.limit, "requests per window; default 100, or 150 with token-and-ip")
          ->group(demo);
  app.add_option("--window", settings.window, "length of the window")->capture_default_str()->group(demo);
  app.add_option("--window-kind", settings.window_kind, "fixed, rolling or first-request")
      ->capture_default_str()
      ->check(CLI::IsMember({"fixed", "rolling", "first-request"}))
      ->group(demo);
  app.add_option("--retry-after", settings.retry_after, "how a 429 tells its end")
      ->capture_default_str()
      ->check(CLI::IsMember({"seconds", "ms", "date", "none"}))
      ->group(demo);
  app.add_option("--tokens", settings.tokens, "how many tokens")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000))
      ->group(demo);
  app.add_option("--kill", settings.kill, "INDEX:K, that token is dead after K requests")->group(demo);
  app.add_option("--limits", limits, "known: the client is told the limits; unknown: it learns")
      ->capture_default_str()
      ->check(CLI::IsMember({"known", "unknown"}))
      ->group(demo);
  app.add_option("--server-log", settings.server_log, "file for the server's access log")->group(demo);
  try {
    app.parse(count, words);
    settings.limits_known = limits == "known";
    finish(settings, per_token, per_egress, *limit, max_wait);
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
