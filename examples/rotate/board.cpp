#include "board.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

namespace rotate {

namespace {

constexpr std::size_t table_width = 99;

template <class... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 256> text{};
  const int length = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(), (std::min)(static_cast<std::size_t>((std::max)(length, 0)), text.size() - 1)};
}

std::string cut(std::string text, std::size_t width) {
  if (text.size() > width) {
    text.resize(width - (std::min)(width, std::size_t{2}));
    text += "..";
  }
  return text;
}

std::string bar(std::size_t done, std::size_t total) {
  constexpr std::size_t width = 24;
  const std::size_t filled = total == 0 ? width : (std::min)(done, total) * width / total;
  return std::string(filled, '#') + std::string(width - filled, '.');
}

std::string counts(const Progress& progress) {
  const double rate =
      progress.elapsed.count() > 0 ? static_cast<double>(progress.done) / progress.elapsed.count() : 0;
  std::string line =
      format("[%s] %zu/%zu  %.*f/s  %zu retries  %zu failed", bar(progress.done, progress.total).c_str(),
             progress.done, progress.total, rate < 10 ? 1 : 0, rate, progress.retries, progress.failed);
  const std::size_t ended = progress.done + progress.failed;
  if (rate > 0 && ended < progress.total) {
    const std::chrono::duration<double> left{static_cast<double>(progress.total - ended) / rate};
    line += "  " + words_for(std::chrono::duration_cast<std::chrono::milliseconds>(left)) + " left";
  }
  return line;
}

double share(const tokenpool::LimitUse& use) {
  return static_cast<double>(use.used) / static_cast<double>((std::max)(use.amount, std::int64_t{1}));
}

/// How much is used of the limit that is nearest to its end; nothing when no limit is known.
std::string use_of(const tokenpool::UsageSnapshot& one) {
  const auto tightest = std::max_element(
      one.limits.begin(), one.limits.end(),
      [](const tokenpool::LimitUse& a, const tokenpool::LimitUse& b) { return share(a) < share(b); });
  return tightest == one.limits.end()
             ? std::string()
             : std::to_string(tightest->used) + '/' + std::to_string(tightest->amount);
}

std::string brief(const tokenpool::TokenSnapshot& token) {
  using tokenpool::TokenState;
  const char mark = token.state == TokenState::available                                       ? ' '
                    : token.state == TokenState::resting || token.state == TokenState::probing ? '~'
                                                                                               : '!';
  const std::string use = use_of(token);
  return token.id.substr(0, 4) + mark + (use.empty() ? std::to_string(token.successes) : use);
}

/// As many tokens as fit, and how many there are besides.
std::string brief(const std::vector<tokenpool::TokenSnapshot>& tokens, std::size_t width) {
  constexpr std::size_t room_for_rest = 14;
  std::string line;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string next = (i == 0 ? "" : "  ") + brief(tokens[i]);
    const bool last = i + 1 == tokens.size();
    if (line.size() + next.size() + (last ? 0 : room_for_rest) > width) {
      return line + "  and " + std::to_string(tokens.size() - i) + " more";
    }
    line += next;
  }
  return line;
}

/// At most five columns; "-" for a time that is not known.
std::string brief(std::chrono::microseconds length) {
  const auto us = static_cast<double>(length.count());
  return us <= 0      ? "-"
         : us < 1'000 ? format("%.0fus", us)
         : us < 1e6   ? format("%.0fms", us / 1e3)
                      : format("%.*fs", us < 1e7 ? 1 : 0, us / 1e6);
}

std::string row(const tokenpool::UsageSnapshot& one, std::size_t id_width) {
  std::string state(to_string(one.state));
  if (one.rest) {
    state += ' ' + words_for(*one.rest);
  }
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  const std::string use = use_of(one);
  return cut(format("%-*s %8llu %7llu %5llu %6llu %9s %5s %5s %5s  ", static_cast<int>(id_width),
                    cut(one.id, id_width).c_str(), number(one.requests), number(one.successes),
                    number(one.rate_limited), number(one.failures), use.empty() ? "-" : use.c_str(),
                    brief(one.p50).c_str(), brief(one.p95).c_str(), brief(one.p99).c_str()) +
                 state,
             table_width) +
         '\n';
}

/// Why somebody is not available, and what went wrong there last.
std::string reason(const tokenpool::UsageSnapshot& one) {
  std::string line = one.id + ": " + one.cause;
  if (const auto& last = one.last_error) {
    line += "; last error " + words_for(last->age) + " ago: " + std::string(to_string(last->verdict));
    line += last->status == 0 ? ", no answer" : ", status " + std::to_string(last->status);
    line += last->reason.empty() || last->reason == one.cause ? "" : ", " + last->reason;
  }
  return cut(std::move(line), table_width) + '\n';
}

template <class Snapshots>
void add(const Snapshots& some, std::size_t id_width, std::string& table, std::string& reasons) {
  for (const tokenpool::UsageSnapshot& one : some) {
    table += row(one, id_width);
    if (one.state != tokenpool::TokenState::available) {
      reasons += reason(one);
    }
  }
}

}  // namespace

std::string words_for(std::chrono::milliseconds length) {
  const std::int64_t seconds = std::chrono::ceil<std::chrono::seconds>(length).count();
  const std::pair<std::int64_t, const char*> units[] = {{86'400, "d"}, {3'600, "h"}, {60, "m"}, {1, "s"}};
  for (std::size_t i = 0; i + 1 < std::size(units); ++i) {
    const auto [unit, name] = units[i];
    const auto [smaller, its_name] = units[i + 1];
    if (seconds >= unit) {
      const std::int64_t rest = seconds % unit / smaller;
      return std::to_string(seconds / unit) + name + (rest == 0 ? "" : ' ' + std::to_string(rest) + its_name);
    }
  }
  return std::to_string(seconds) + "s";
}

std::string progress_lines(const Progress& progress, const tokenpool::PoolSnapshot& pool, std::size_t width) {
  return cut(counts(progress), width) + '\n' + cut(brief(pool.tokens, width), width);
}

std::string final_table(const tokenpool::PoolSnapshot& pool) {
  std::size_t id_width = 16;
  for (const auto& token : pool.tokens) {
    id_width = (std::max)(id_width, (std::min)(token.id.size(), std::size_t{24}));
  }
  std::string table =
      format("%-*s %8s %7s %5s %6s %9s %5s %5s %5s  %s\n", static_cast<int>(id_width), "token", "requests",
             "success", "429", "failed", "limit", "p50", "p95", "p99", "state");
  std::string reasons;
  add(pool.tokens, id_width, table, reasons);
  table += "egress\n";
  add(pool.egresses, id_width, table, reasons);
  return reasons.empty() ? table : table + '\n' + reasons;
}

}  // namespace rotate
