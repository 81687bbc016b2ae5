#include "board.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

namespace rotate {

namespace {

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
template <class Snapshot>
std::string use_of(const Snapshot& one) {
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

template <class Snapshot>
std::string row(const Snapshot& one, std::size_t id_width) {
  std::string state(to_string(one.state));
  if (one.rest) {
    state += ' ' + words_for(*one.rest);
  }
  if (!one.cause.empty()) {
    state.append(": ").append(one.cause);
  }
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  const std::string use = use_of(one);
  return cut(format("%-*s %8llu %8llu %6llu %7llu %9s  ", static_cast<int>(id_width),
                    cut(one.id, id_width).c_str(), number(one.requests), number(one.successes),
                    number(one.rate_limited), number(one.failures), use.empty() ? "-" : use.c_str()) +
                 state,
             99) +
         '\n';
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
  const int width = static_cast<int>(id_width);
  std::string table = format("%-*s %8s %8s %6s %7s %9s  %s\n", width, "token", "requests", "success", "429",
                             "failed", "limit", "state");
  for (const auto& token : pool.tokens) {
    table += row(token, id_width);
  }
  table += "egress\n";
  for (const auto& egress : pool.egresses) {
    table += row(egress, id_width);
  }
  return table;
}

}  // namespace rotate
