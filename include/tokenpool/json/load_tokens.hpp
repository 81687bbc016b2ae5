#pragma once
// Tokens from a file.

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <ios>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <nlohmann/json.hpp>

#include "tokenpool/base/error.hpp"
#include "tokenpool/client/observer.hpp"
#include "tokenpool/pool/token.hpp"

namespace tokenpool {

namespace detail {

[[noreturn]] inline void unfit_token_file(const std::string& path, const std::string& why) {
  throw Error(ErrorCode::invalid_request, "the token file " + path + " " + why);
}

/// A member that is misspelt would be a setting that silently does not hold.
inline void check_members(const nlohmann::json& entry, const std::string& path, const std::string& which) {
  constexpr std::array known{"secret", "id", "account", "weight", "priority", "base_url"};
  for (const auto& member : entry.items()) {
    if (std::find(known.begin(), known.end(), member.key()) == known.end()) {
      unfit_token_file(path,
                       "has an unknown member in " + which +
                           ": secret, id, account, weight, priority and base_url are known; set headers "
                           "and limits of a token in the program");
    }
  }
}

inline Token token_from(const nlohmann::json& entry, const std::string& path, std::size_t number) {
  const std::string which = "entry " + std::to_string(number);
  if (entry.is_string()) {
    return {.secret = entry.get_ref<const std::string&>()};
  }
  if (!entry.is_object() || !entry.contains("secret")) {
    unfit_token_file(path, "has an unfit " + which + ": give a text, or an object with \"secret\"");
  }
  check_members(entry, path, which);
  try {
    Token token{.secret = entry.at("secret").get_ref<const std::string&>(),
                .id = entry.value("id", ""),
                .account = entry.value("account", ""),
                .weight = entry.value("weight", 1.0),
                .priority = entry.value("priority", 0),
                .base_url = entry.value("base_url", "")};
    if (entry.contains("priority") && entry.at("priority") != token.priority) {
      unfit_token_file(
          path, "has a priority in " + which + " that is not fit: give a whole number that an int holds");
    }
    return token;
  } catch (const nlohmann::json::exception&) {
    unfit_token_file(path, "has a field of the wrong kind in " + which +
                               ": secret, id, account and base_url are texts, weight and priority numbers");
  }
}

/// The secret of an entry that token_from() took.
inline std::string_view entry_secret(const nlohmann::json& entry) {
  return entry.is_string() ? entry.get_ref<const std::string&>()
                           : entry.at("secret").get_ref<const std::string&>();
}

inline std::vector<Token> tokens_from_json(const nlohmann::json& list, const std::string& path) {
  std::vector<Token> tokens;
  std::unordered_set<std::string_view> seen;
  for (const nlohmann::json& entry : list) {
    tokens.push_back(token_from(entry, path, tokens.size() + 1));
    if (auto problem = problem_with(tokens.back(), "entry " + std::to_string(tokens.size()))) {
      unfit_token_file(path, "is unfit: " + *problem);
    }
    if (!seen.insert(entry_secret(entry)).second) {
      unfit_token_file(
          path, "has the token of entry " + std::to_string(tokens.size()) + " twice: give each token once");
    }
  }
  return tokens;
}

/// One token a line; what follows a '#' at its beginning or after white space is a comment.
inline std::string without_comments(std::string_view text) {
  std::string kept;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = (std::min)(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    std::size_t comment = line.find('#');
    while (comment != std::string_view::npos && comment != 0 && line[comment - 1] != ' ' &&
           line[comment - 1] != '\t') {
      comment = line.find('#', comment + 1);
    }
    kept.append(line.substr(0, comment)).append("\n");
    at = end + 1;
  }
  return kept;
}

/// All of a file, without the mark that editors of Windows put before UTF-8.
inline std::string text_of(const std::string& path) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  std::ifstream file(path, std::ios::binary);
  try {
    if (file) {
      const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      return text.substr(text.starts_with(mark) ? mark.size() : 0);
    }
  } catch (const std::ios_base::failure&) {  // a folder, for example
  }
  unfit_token_file(path, "cannot be read: check the path and its rights");
}

inline void warn_if_readable_by_others(const std::string& path, const Observer& observer) {
#if !defined(_WIN32)
  struct ::stat status {};
  constexpr unsigned others = S_IRWXG | S_IRWXO;
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & others) != 0) {
    tell(observer.on_warning,
         WarningEvent{"the token file " + path + " can be read by others: chmod 600 it"});
  }
#else
  static_cast<void>(path);
  static_cast<void>(observer);
#endif
}

}  // namespace detail

/// The tokens in a file: a JSON array of texts or of objects `{"secret", "id", "account", "weight",
/// "priority", "base_url"}`, or one token a line with `#` comments. Throws Error{invalid_request} when it
/// cannot be read or is unfit; a file that others can read is told to `observer.on_warning`.
inline std::vector<Token> load_tokens(const std::string& path, const Observer& observer = {}) {
  const std::string text = detail::text_of(path);
  detail::warn_if_readable_by_others(path, observer);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || text[first] != '[') {
    return parse_tokens(detail::without_comments(text), "the token file " + path);
  }
  const nlohmann::json list = nlohmann::json::parse(text, nullptr, false);
  if (list.is_discarded()) {
    detail::unfit_token_file(path, "begins like a JSON array but is none: mend it, or put one token a line");
  }
  std::vector<Token> tokens = detail::tokens_from_json(list, path);
  if (tokens.empty()) {
    detail::unfit_token_file(path, "has no token: give at least one");
  }
  return tokens;
}

}  // namespace tokenpool
