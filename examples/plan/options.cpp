#include "options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <iostream>
#include <stdexcept>
#include <utility>

#include "tokenpool/policy/any_policy.hpp"

namespace plan {

namespace {

using std::chrono::milliseconds;

/// A mistake of the user's, in one sentence.
struct Mistake : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The texts of the options that have to be taken apart.
struct Texts {
  std::vector<std::string> per_token{};
  std::vector<std::string> per_egress{};
  std::vector<std::string> per_pool{};
  std::string rate{};
  std::string policies = "round-robin,least-used,random";
  std::string window_kind = "rolling";
  std::string limits = "known";
  std::string answers_within = "2s";
  std::string max_wait = "60s";
  std::string length = "24h";
};

std::int64_t whole_number(const std::string& text, const std::string& field) {
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos) {
    throw Mistake(field + " has the number \"" + text + "\": give digits alone, at most nine");
  }
  return std::stoll(text);
}

milliseconds duration(const std::string& text, const std::string& field) {
  static constexpr std::array<std::pair<const char*, std::int64_t>, 5> units{
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  const std::size_t digits = (std::min)(text.find_first_not_of("0123456789"), text.size());
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [&](const auto& known) { return text.substr(digits) == known.first; });
  if (digits == 0 || unit == units.end()) {
    throw Mistake(field + " is \"" + text + "\": give a time such as 24h, 15m, 90s or 500ms");
  }
  const milliseconds length(whole_number(text.substr(0, digits), field) * unit->second);
  if (length < milliseconds(1) || length > std::chrono::hours(24 * 366)) {
    throw Mistake(field + " is \"" + text + "\": give a time above 0 and up to 366d");
  }
  return length;
}

/// "100/24h" as an amount and a window.
std::pair<std::int64_t, milliseconds> amount_in(const std::string& text, const std::string& field) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) {
    throw Mistake(field + " is \"" + text + "\": give a number, a slash and a time, such as 100/24h");
  }
  const std::int64_t amount = whole_number(text.substr(0, slash), field);
  if (amount < 1 || amount > 1'000'000) {
    throw Mistake(field + " is \"" + text + "\": give an amount from 1 to 1000000");
  }
  return {amount, duration(text.substr(slash + 1), field)};
}

std::vector<std::string> policies_in(const std::string& text) {
  const auto known = tokenpool::policy_names();
  std::vector<std::string> names;
  std::string name;
  for (std::istringstream list(text); std::getline(list, name, ',');) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string all;
      for (const auto one : known) {
        all.append(all.empty() ? "" : ", ").append(one);
      }
      throw Mistake(std::string("--policy has \"")
                        .append(name)
                        .append("\": give some of ")
                        .append(all)
                        .append(", parted by commas"));
    }
    names.push_back(name);
  }
  if (names.empty()) {
    throw Mistake("--policy is empty: give at least one, such as round-robin");
  }
  return names;
}

simulator::WindowKind kind_in(const std::string& text) {
  return text == "fixed"           ? simulator::WindowKind::fixed
         : text == "rolling"       ? simulator::WindowKind::rolling
         : text == "first-request" ? simulator::WindowKind::first_request
                                   : simulator::WindowKind::token_bucket;
}

void add_limits(Options& options, tokenpool::Scope scope, const std::vector<std::string>& texts,
                const std::string& field) {
  for (const std::string& text : texts) {
    const auto [amount, window] = amount_in(text, field);
    options.limits.push_back(tokenpool::Limit::per(scope, amount, window));
  }
}

void finish(Options& options, const Texts& texts) {
  add_limits(options, tokenpool::Scope::token, texts.per_token, "--per-token");
  add_limits(options, tokenpool::Scope::egress, texts.per_egress, "--per-egress");
  add_limits(options, tokenpool::Scope::pool, texts.per_pool, "--per-pool");
  if (options.limits.empty()) {
    throw Mistake("no limit is given, so one token is enough: give --per-token 100/24h or another");
  }
  const auto [calls, span] = amount_in(texts.rate, "--rate");
  options.calls_per_second = static_cast<double>(calls) * 1000 / static_cast<double>(span.count());
  options.policies = policies_in(texts.policies);
  options.window_kind = kind_in(texts.window_kind);
  options.limits_known = texts.limits == "known";
  options.answers_within = duration(texts.answers_within, "--answers-within");
  options.max_wait = duration(texts.max_wait, "--max-wait");
  options.length = duration(texts.length, "--simulate");
  constexpr double most_calls = 5e6;
  const double expected = options.calls_per_second * std::chrono::duration<double>(options.length).count();
  if (expected > most_calls) {
    throw Mistake("--rate and --simulate make more than 5000000 calls: simulate a shorter time");
  }
}

void describe(CLI::App& app, Options& options, Texts& texts) {
  app.add_option("--per-token", texts.per_token, "a limit of the service for each token, such as 100/24h");
  app.add_option("--per-egress", texts.per_egress, "a limit for each address that requests leave from");
  app.add_option("--per-pool", texts.per_pool, "a limit for everything together, such as one account's");
  app.add_option("--window-kind", texts.window_kind, "how the service counts")
      ->capture_default_str()
      ->check(CLI::IsMember({"fixed", "rolling", "first-request", "token-bucket"}));
  app.add_option("--rate", texts.rate, "calls that come, such as 600/24h; they come independently")
      ->required();
  app.add_option("--tokens", options.tokens, "how many tokens")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--egress", options.egresses, "how many addresses")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app.add_option("--policy", texts.policies, "policies to compare, parted by commas")->capture_default_str();
  app.add_option("--limits", texts.limits, "known: the client is told them; unknown: it learns from refusals")
      ->capture_default_str()
      ->check(CLI::IsMember({"known", "unknown"}));
  app.add_option("--answers-within", texts.answers_within, "the longest that the service works on a request")
      ->capture_default_str();
  app.add_option("--max-wait", texts.max_wait, "how long a call waits for a token before it gives up")
      ->capture_default_str();
  app.add_option("--simulate", texts.length, "how long")->capture_default_str();
  app.add_option("--seed", options.seed, "the same seed gives the same day")->capture_default_str();
  app.add_option("--svg", options.svg, "file for a chart of answers, waits and 429s over time");
}

}  // namespace

CommandLine read_command_line(int count, const char* const* words) {
  Options options;
  Texts texts;
  CLI::App app{
      "How many tokens do I need, and which policy? Simulates a service with the given limits and the calls "
      "of a "
      "day, and prints what each policy makes of them."};
  describe(app, options, texts);
  try {
    app.parse(count, words);
    finish(options, texts);
  } catch (const CLI::Success& help) {
    return {std::nullopt, app.exit(help)};
  } catch (const CLI::Error& mistake) {
    std::cerr << "plan: " << mistake.what() << " (--help shows all options)\n";
    return {std::nullopt, 2};
  } catch (const Mistake& mistake) {
    std::cerr << "plan: " << mistake.what() << '\n';
    return {std::nullopt, 2};
  }
  return {std::move(options), 0};
}

}  // namespace plan
