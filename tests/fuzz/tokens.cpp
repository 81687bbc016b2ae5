// Token lists and token files. Properties: a list is parted at commas, white space and line ends and nowhere
// else; a file of lines is its lines without their comments; an array in JSON gives the texts and fields that
// it has; what is refused is refused with Error{invalid_request}, whose text shows no token; each token is
// there once.

#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "tokenpool/json/load_tokens.hpp"
#include "tokenpool/pool/token.hpp"

using fuzz::holds;
using tokenpool::Token;
using Texts = std::vector<std::string>;

namespace {

constexpr std::string_view canary = "sk-canary-7x9";  // in every corpus file

bool parts(char c) { return std::string_view(", \t\r\n\v\f").find(c) != std::string_view::npos; }

Texts parted(std::string_view text) {
  Texts texts{""};
  for (const char c : text) {
    if (parts(c)) {
      texts.emplace_back();
    } else {
      texts.back() += c;
    }
  }
  std::erase(texts, "");
  return texts;
}

/// A '#' at the beginning of a line or behind a blank begins a comment.
std::string uncommented(std::string_view text) {
  std::string kept;
  bool comment = false;
  char before = '\n';
  for (const char c : text) {
    comment = c != '\n' && (comment || (c == '#' && (before == '\n' || before == ' ' || before == '\t')));
    if (!comment) kept += c;
    before = c;
  }
  return kept;
}

/// What is fit, by the rules' words.
bool fit(const Texts& texts) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  for (const std::string& text : texts) {
    if (text.empty() || std::any_of(text.begin(), text.end(), control)) return false;
  }
  return !texts.empty() && std::set<std::string>(texts.begin(), texts.end()).size() == texts.size();
}

/// The same of a list, in which a quotation mark or a bracket comes from another notation.
bool fit_for_a_list(const Texts& texts) {
  return fit(texts) && std::none_of(texts.begin(), texts.end(), [](const std::string& text) {
           return std::string_view("\"'[{").find(text.front()) != std::string_view::npos;
         });
}

/// The tokens, or nothing when they are refused as they should be.
template <class Read>
std::optional<Texts> secrets(Read read) {
  try {
    Texts texts;
    for (const Token& token : read()) texts.emplace_back(token.secret.reveal());
    return texts;
  } catch (const tokenpool::Error& error) {
    holds(error.code() == tokenpool::ErrorCode::invalid_request, "what is refused is an invalid request");
    holds(std::string_view(error.what()).find(canary) == std::string_view::npos, "a refusal shows no token");
    return std::nullopt;
  }
}

/// A file in memory.
class File {
 public:
  File() : descriptor_(::memfd_create("tokens", 0)), path_("/proc/self/fd/" + std::to_string(descriptor_)) {}

  const std::string& with(std::string_view text) {
    holds(::ftruncate(descriptor_, 0) == 0, "a file in memory can be emptied");
    holds(::pwrite(descriptor_, text.data(), text.size(), 0) == static_cast<::ssize_t>(text.size()),
          "a file in memory can be written");
    return path_;
  }

 private:
  int descriptor_;
  std::string path_;
};

/// What the JSON library makes of an array of tokens: nothing where the file has to be refused.
std::optional<Texts> from_json(const nlohmann::json& list) {
  Texts texts;
  for (const nlohmann::json& entry : list) {
    if (entry.is_string()) {
      texts.push_back(entry.get<std::string>());
      continue;
    }
    if (!entry.is_object() || !entry.contains("secret") || !entry["secret"].is_string()) return std::nullopt;
    texts.push_back(entry["secret"].get<std::string>());
  }
  return fit(texts) ? std::optional(texts) : std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static File file;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto expected = [](const Texts& texts) {
    return fit_for_a_list(texts) ? std::optional(texts) : std::nullopt;
  };
  holds(secrets([&] { return tokenpool::parse_tokens(text); }) == expected(parted(text)),
        "a list is its parts");
  const auto loaded = secrets([&] { return tokenpool::load_tokens(file.with(text)); });
  const std::string marked = "\xEF\xBB\xBF";
  const std::string content = text.substr(text.starts_with(marked) ? marked.size() : 0);
  const std::size_t first = content.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || content[first] != '[') {
    holds(loaded == expected(parted(uncommented(content))), "a file is its lines without their comments");
    return 0;
  }
  const nlohmann::json list = nlohmann::json::parse(content, nullptr, false);
  const auto listed = list.is_discarded() ? std::nullopt : from_json(list);
  // Of the other fields some are refused, too.
  holds(!loaded || loaded == listed, "an array in JSON is its secrets");
  return 0;
}
