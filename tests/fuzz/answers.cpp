// What answers mean: header blocks in every dialect, and error bodies. The input is an answer as text: the
// status, header lines, an empty line, the body. Properties: a fact has something to say and nothing
// negative; names are case-blind, and blanks around values and fields of others change nothing; no wait is
// negative, and a longer copy of the server's word makes no shorter wait; the flags of a classification are
// those that its verdict allows (the table at classify()); its reason has nothing that a server echoed; what
// lies behind the first 64 KiB of a body is not read.

#include <algorithm>
#include <cctype>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "tokenpool/pool/token.hpp"
#include "tokenpool/quota/dialects.hpp"
#include "tokenpool/quota/hint.hpp"
#include "tokenpool/retry/classify.hpp"

using fuzz::holds;
using tokenpool::Answer;
using tokenpool::Classification;
using tokenpool::LimitScope;
using tokenpool::Verdict;
using Time = std::chrono::system_clock::time_point;

namespace {

/// Stands for a token that a server echoes; in every corpus file that holds one.
constexpr std::string_view canary = "sk-canary-7x9";

Answer answer_from(std::string_view text) {
  Answer answer;
  const auto line = [&text] {
    const std::string_view taken = text.substr(0, text.find('\n'));
    text.remove_prefix((std::min)(taken.size() + 1, text.size()));
    return taken;
  };
  answer.status = 100 + static_cast<int>(tokenpool::parse_whole<unsigned>(line()).value_or(429) % 500);
  for (std::string_view field = line(); !field.empty(); field = line()) {
    const std::size_t colon = (std::min)(field.find(':'), field.size());
    answer.headers.add(field.substr(0, colon), field.substr((std::min)(colon + 1, field.size())));
  }
  answer.body = text;
  return answer;
}

/// The same answer as another server would send it.
Answer dressed_differently(const Answer& answer) {
  Answer other{answer.status, {}, answer.body};
  other.headers.add("X-Powered-By", "7");
  for (const auto& [name, value] : answer.headers) {
    std::string shouted(name);
    std::transform(shouted.begin(), shouted.end(), shouted.begin(),
                   [](unsigned char c) { return static_cast<char>(c < 0x80 ? std::toupper(c) : c); });
    other.headers.add(shouted, value);
  }
  other.headers.add("Content-Type", "application/json");
  return other;
}

void check_facts(const Answer& answer, Time now) {
  const auto facts = tokenpool::limit_facts(answer.headers, now);
  for (const tokenpool::LimitFact& fact : facts) {
    holds(fact.limit || fact.remaining || fact.reset_in, "a fact says something");
    holds(!fact.name.empty(), "a fact names what is counted");
    holds(fact.limit.value_or(0) >= 0 && fact.remaining.value_or(0) >= 0 &&
              fact.reset_in.value_or(std::chrono::milliseconds{}).count() >= 0,
          "nothing in a fact is negative");
  }
  holds(tokenpool::limit_facts(dressed_differently(answer).headers, now) == facts,
        "names are case-blind, strangers mean nothing");
}

void check_hint(const Answer& answer, Time now) {
  const auto hint = tokenpool::retry_hint(answer, now);
  holds(hint.value_or(std::chrono::milliseconds{}).count() >= 0, "no wait is negative");
  holds(tokenpool::retry_hint(dressed_differently(answer), now) == hint,
        "the same answer asks for the same wait");
  Answer louder = answer;
  louder.headers.add("retry-after-ms", "777");
  const auto loud = tokenpool::retry_hint(louder, now);
  holds(loud && loud->count() >= 777, "the server's exact word is heard");
  const bool exact = std::any_of(answer.headers.begin(), answer.headers.end(), [](const auto& field) {
    return tokenpool::equal_ignoring_case(field.name, "retry-after-ms");
  });
  if (exact && hint && tokenpool::retry_after(answer.headers, now) &&
      tokenpool::detail::longest_of(answer.headers, "retry-after-ms", tokenpool::parse_milliseconds)) {
    holds(*loud >= *hint, "a second copy of a word makes no shorter wait");
  }
}

void check_flags(const Answer& answer, const Classification& meaning) {
  const Verdict verdict = meaning.verdict;
  const bool is_limit = verdict == Verdict::rate_limited || verdict == Verdict::quota_exhausted;
  const bool of_the_key = verdict == Verdict::token_invalid || verdict == Verdict::forbidden;
  holds(meaning.rest.value_or(std::chrono::milliseconds{}).count() >= 0, "no rest is negative");
  if (verdict == Verdict::success) holds(meaning == Classification{}, "a success has no consequences");
  if (verdict == Verdict::caller_error) {
    holds(!meaning.rest && !meaning.eject && !meaning.try_another_token && !meaning.retryable,
          "the request's own fault has no consequences for the token");
  }
  if (meaning.eject) {
    holds(verdict == Verdict::quota_exhausted || verdict == Verdict::token_invalid,
          "only a dead key or no money ejects");
    holds(!meaning.rest && !meaning.retryable, "what is ejected waits for a person and not for a time");
  }
  if (meaning.try_another_token)
    holds(is_limit || of_the_key, "another token helps only against what is a token's");
  const bool shared = meaning.scope == LimitScope::egress || meaning.scope == LimitScope::bucket ||
                      meaning.scope == LimitScope::service;
  if (is_limit && shared)
    holds(!meaning.try_another_token, "another token does not help against a shared limit");
  if (answer.status >= 300 && answer.status < 400)
    holds(verdict == Verdict::success, "a redirect is delivered");
  if (answer.status >= 400) holds(verdict != Verdict::success, "an error is no success");
  holds(verdict != Verdict::ambiguous, "an answer leaves no doubt whether it came");
  holds(meaning.reason.find(canary) == std::string::npos, "a reason has nothing that a server echoed");
  holds(meaning.reason.size() < 200 && !tokenpool::detail::has_control_character(meaning.reason),
        "a reason is a few words");
}

void check_bound(Answer answer, Time now) {
  answer.body.resize(tokenpool::json_scan_bytes, ' ');
  Answer longer = answer;
  longer.body += R"(,"error":{"code":"insufficient_quota","retry_after":9}})";
  Answer other = answer;
  other.body += "rubbish";
  holds(tokenpool::classify(longer, now) == tokenpool::classify(other, now),
        "what lies behind 64 KiB is not read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const bool long_body = input.ConsumeIntegral<std::uint8_t>() % 64 == 1;
  const Time now{std::chrono::seconds(input.ConsumeIntegralInRange<std::int64_t>(0, 4'102'444'800))};
  const Answer answer = answer_from(fuzz::rest(input));
  check_facts(answer, now);
  check_hint(answer, now);
  const Classification meaning = tokenpool::classify(answer, now);
  check_flags(answer, meaning);
  holds(tokenpool::classify(dressed_differently(answer), now) == meaning, "the same answer means the same");
  if (long_body) check_bound(answer, now);
  return 0;
}
