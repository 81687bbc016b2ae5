#pragma once
// Every provider spells limit, remaining and reset in its own way, yet the spellings are one family: a
// prefix, one of the three words, and the name of what is counted before or behind it. So the dialects are
// prefixes in a table.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/base/numbers.hpp"
#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/text_reader.hpp"
#include "tokenpool/quota/limit_fact.hpp"
#include "tokenpool/quota/rate_limit_fields.hpp"
#include "tokenpool/quota/reset_time.hpp"

namespace tokenpool {

namespace detail {

/// How a provider's limit fields begin, and what that alone says about the thing counted.
struct LimitFieldFamily {
  std::string_view prefix;
  std::string_view counts;
};

inline constexpr auto limit_field_families = std::to_array<LimitFieldFamily>({
    {"x-ratelimit-",
     ""},  // OpenAI, Azure OpenAI, Groq, Mistral, GitHub, Discord, Cohere, OpenRouter, gateways
    {"x-rate-limit-", ""},           // X
    {"ratelimit-", ""},              // the IETF draft up to 06
    {"rate-limit-", ""},             // the same with a slip of the hyphen
    {"anthropic-ratelimit-", ""},    // Anthropic
    {"x-ratelimitbysize-", "size"},  // Mistral
    {"ratelimitbysize-", "size"},    // Mistral
});

enum class LimitWord { limit, remaining, reset };

struct LimitFieldName {
  LimitWord word;
  std::string counts;
  bool is_reset_after{};  // Discord's exact delta beside its rounded epoch
};

inline std::string lowered(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), ascii_lower);
  return lower;
}

/// Parts `reset-tokens-minute` or `input-tokens-reset` into the word and what is counted.
inline std::optional<LimitFieldName> split_limit_name(std::string_view name, std::string_view counts) {
  using Word = std::pair<std::string_view, LimitWord>;
  constexpr auto words = std::to_array<Word>(
      {{"limit", LimitWord::limit}, {"remaining", LimitWord::remaining}, {"reset", LimitWord::reset}});
  const auto first = name.substr(0, name.find('-'));
  const auto last = name.substr(name.rfind('-') + 1);
  for (const auto& [spelled, word] : words) {
    if (spelled != first && spelled != last) continue;
    const auto length = (std::min)(name.size(), spelled.size() + 1);
    auto rest = spelled == first ? name.substr(length) : name.substr(0, name.size() - length);
    const bool is_reset_after = word == LimitWord::reset && rest == "after";
    if (is_reset_after) rest = {};
    std::string what{counts};
    if (!what.empty() && !rest.empty()) what += '-';
    what += rest;
    return LimitFieldName{word, what.empty() ? "requests" : std::move(what), is_reset_after};
  }
  return std::nullopt;
}

/// No field of any family begins otherwise: most fields of most answers end here.
inline bool may_be_of_a_family(std::string_view field) noexcept {
  const char first = field.empty() ? ' ' : ascii_lower(field.front());
  return first == 'x' || first == 'r' || first == 'a';
}

inline std::optional<LimitFieldName> limit_field_name(std::string_view field) {
  if (!may_be_of_a_family(field)) return std::nullopt;
  for (const LimitFieldFamily& family : limit_field_families) {
    if (equal_ignoring_case(field.substr(0, family.prefix.size()), family.prefix)) {
      return split_limit_name(lowered(field.substr(family.prefix.size())), family.counts);
    }
  }
  return std::nullopt;
}

/// The count in a limit field, which in the IETF's older drafts a list of policies may follow.
inline std::optional<std::int64_t> limit_count(std::string_view value) noexcept {
  const auto count = parse_whole<std::int64_t>(trimmed(value.substr(0, value.find_first_of(",;"))));
  return count && *count >= 0 ? count : std::nullopt;
}

inline LimitFact& fact_named(std::vector<LimitFact>& facts, const std::string& name) {
  const auto at =
      std::find_if(facts.begin(), facts.end(), [&](const LimitFact& fact) { return fact.name == name; });
  if (at != facts.end()) return *at;
  facts.push_back(LimitFact{name, {}, {}, {}});
  return facts.back();
}

/// Of copies that contradict each other the first usable one counts.
inline void take_limit_field(LimitFact& fact, const LimitFieldName& name, std::string_view value,
                             CalendarTime from) {
  if (name.is_reset_after) {
    if (const auto exact = parse_reset(value, from)) fact.reset_in = exact;
  } else if (name.word == LimitWord::reset) {
    if (!fact.reset_in) fact.reset_in = parse_reset(value, from);
  } else {
    auto& count = name.word == LimitWord::limit ? fact.limit : fact.remaining;
    if (!count) count = limit_count(value);
  }
}

}  // namespace detail

/// What an answer's header says about the server's limits, in every dialect known: one fact for each thing
/// counted, in the order of the header. A limit whose fields name nothing is called `requests`. Facts without
/// any usable member are left out. Instants are measured by the server's own Date where there is one. Throws
/// nothing for what a server sent.
inline std::vector<LimitFact> limit_facts(const Headers& headers, std::chrono::system_clock::time_point now) {
  std::optional<CalendarTime>
      from;  // reading a date costs more than all the rest, and most answers need none
  std::vector<LimitFact> facts = rate_limit_fields(headers);
  for (const auto& [field, value] : headers) {
    if (const auto name = detail::limit_field_name(field)) {
      from = from ? from : server_time(headers, now);
      detail::take_limit_field(detail::fact_named(facts, name->counts), *name, value, *from);
    }
  }
  std::erase_if(facts,
                [](const LimitFact& fact) { return !fact.limit && !fact.remaining && !fact.reset_in; });
  return facts;
}

}  // namespace tokenpool
