#pragma once

// The tokens this server knows, and how a request names one of them.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dice.hpp"

namespace quota_server {

/// What may be shown of a token: its last four characters.
inline std::string tail(std::string_view token) {
  return std::string(token.substr(token.size() - (std::min<std::size_t>)(token.size(), 4)));
}

/// Parts text at commas and white space; empty parts vanish.
inline std::vector<std::string> split_tokens(std::string_view text) {
  constexpr std::string_view separators = ", \t\r\n";
  std::vector<std::string> parts;
  while (true) {
    const std::size_t begin = text.find_first_not_of(separators);
    if (begin == std::string_view::npos) return parts;
    text.remove_prefix(begin);
    const std::size_t length = (std::min)(text.find_first_of(separators), text.size());
    parts.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
}

/// The token a request came with: known ones have an index.
struct Credential {
  std::string tail{};
  std::optional<std::size_t> token{};
};

/// Thread-safe: nothing but the dice changes.
class Tokens {
 public:
  /// `deaths` tells after how many admitted requests a token (by index) is dead.
  Tokens(std::vector<std::string> values, std::map<std::size_t, std::size_t> deaths, std::uint64_t seed)
      : values_(std::move(values)), deaths_(std::move(deaths)), dice_(seed) {
    for (std::size_t index = 0; index < values_.size(); ++index) indices_[values_[index]] = index;
  }

  std::size_t size() const { return values_.size(); }
  const std::string& value(std::size_t index) const { return values_[index]; }

  bool dead_after(std::size_t index, std::size_t served) const {
    const auto found = deaths_.find(index);
    return found != deaths_.end() && served >= found->second;
  }

  /// Reads an Authorization header; of several tokens joined by commas one is taken at random.
  Credential pick(std::string_view authorization) {
    const std::vector<std::string> offered = split_tokens(without_scheme(authorization));
    if (offered.empty()) return {};
    const std::string& token = offered[offered.size() == 1 ? 0 : dice_.below(offered.size())];
    const auto found = indices_.find(token);
    return {tail(token), found == indices_.end() ? std::nullopt : std::optional(found->second)};
  }

 private:
  static std::string_view without_scheme(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    const bool bearer =
        authorization.size() >= scheme.size() &&
        std::equal(scheme.begin(), scheme.end(), authorization.begin(), [](char expected, char given) {
          return expected == std::tolower(static_cast<unsigned char>(given));
        });
    return bearer ? authorization.substr(scheme.size()) : std::string_view{};
  }

  std::vector<std::string> values_;
  std::map<std::size_t, std::size_t> deaths_;
  std::map<std::string, std::size_t> indices_;
  Dice dice_;
};

}  // namespace quota_server
