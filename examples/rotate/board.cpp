#include "board.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace rotate {

namespace {

template <class... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 256> text{};
  const int length = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(), std::min(static_cast<std::size_t>(std::max(length, 0)), text.size() - 1)};
}

std::string bar(std::size_t done, std::size_t total) {
  constexpr std::size_t width = 24;
  const std::size_t filled = total == 0 ? width : done * width / total;
  return std::string(filled, '#') + std::string(width - filled, '.');
}

/// How much of its tightest limit a token has used, or what it did when no limit is known.
std::string use(const tokenpool::TokenSnapshot& token) {
  if (token.limits.empty()) {
    return std::to_string(token.successes);
  }
  return format("%lld/%lld", static_cast<long long>(token.limits.front().used),
                static_cast<long long>(token.limits.front().amount));
}

template <class Snapshot>
std::string row(const Snapshot& one) {
  std::string state(to_string(one.state));
  if (one.rest) {
    state += format(" %.0f s", static_cast<double>(one.rest->count()) / 1000);
  }
  if (!one.cause.empty()) {
    state.append(" (").append(one.cause).append(")");
  }
  return format("%-18s %8llu %8llu %6llu %8llu  ", one.id.c_str(),
                static_cast<unsigned long long>(one.requests), static_cast<unsigned long long>(one.successes),
                static_cast<unsigned long long>(one.rate_limited),
                static_cast<unsigned long long>(one.failures)) +
         state + '\n';
}

}  // namespace

std::string progress_line(const Progress& progress, const tokenpool::PoolSnapshot& pool) {
  const double rate =
      progress.elapsed.count() > 0 ? static_cast<double>(progress.done) / progress.elapsed.count() : 0;
  std::string line =
      format("[%s] %zu/%zu  %.0f/s  %zu retries  %zu failed ", bar(progress.done, progress.total).c_str(),
             progress.done, progress.total, rate, progress.retries, progress.failed);
  constexpr std::size_t shown = 8;
  for (std::size_t i = 0; i < std::min(pool.tokens.size(), shown); ++i) {
    const auto& token = pool.tokens[i];
    const char* mark = token.state == tokenpool::TokenState::available ? ""
                       : token.state == tokenpool::TokenState::ejected ? "!"
                                                                       : "~";
    line += format(" %s%s:%s", token.id.substr(0, 4).c_str(), mark, use(token).c_str());
  }
  if (pool.tokens.size() > shown) {
    line += format(" and %zu more", pool.tokens.size() - shown);
  }
  return line;
}

std::string final_table(const tokenpool::PoolSnapshot& pool) {
  std::string table = "token              requests  success    429  failures  state\n";
  for (const auto& token : pool.tokens) {
    table += row(token);
  }
  table += "egress\n";
  for (const auto& egress : pool.egresses) {
    table += row(egress);
  }
  return table;
}

}  // namespace rotate
