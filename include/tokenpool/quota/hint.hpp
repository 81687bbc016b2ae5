#pragma once
// One question put to every dialect at once: how long does this server want us to wait? The order in which
// its words count is fixed here, so that nobody else has to know where a provider hides them.

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "tokenpool/http/answer.hpp"
#include "tokenpool/http/json_scan.hpp"
#include "tokenpool/quota/dialects.hpp"
#include "tokenpool/quota/error_text.hpp"
#include "tokenpool/quota/limit_fact.hpp"
#include "tokenpool/quota/reset_time.hpp"
#include "tokenpool/quota/retry_after.hpp"

namespace tokenpool {

namespace detail {

/// A place in an error body that holds a time to wait, and its notation.
struct BodyHint {
  std::string_view path;
  std::optional<std::chrono::milliseconds> (*parse)(std::string_view value, CalendarTime from) noexcept;
};

inline std::optional<std::chrono::milliseconds> as_seconds(std::string_view value, CalendarTime) noexcept {
  return parse_seconds(value);
}
inline std::optional<std::chrono::milliseconds> as_duration(std::string_view value, CalendarTime) noexcept {
  return parse_duration(value);
}

inline constexpr auto body_hints = std::to_array<BodyHint>({
    {"error.details.retryDelay", as_duration},                  // google.rpc.RetryInfo
    {"error.details.metadata.quotaResetDelay", as_duration},    // Google's Cloud Code
    {"retry_after", as_seconds},                                // Discord
    {"parameters.retry_after", as_seconds},                     // Telegram
    {"error.retry_after", as_seconds},                          // gateways
    {"error.metadata.headers.X-RateLimit-Reset", parse_reset},  // OpenRouter
});

inline std::optional<std::chrono::milliseconds> hint_in_body(std::string_view body, CalendarTime from) {
  std::array<std::optional<std::chrono::milliseconds>, body_hints.size()> found;
  scan_json(body, [&](const JsonScalar& scalar) {
    for (std::size_t i = 0; i < body_hints.size(); ++i) {
      if (!found[i] && scalar.path == body_hints[i].path) found[i] = body_hints[i].parse(scalar.text, from);
    }
  });
  const auto first =
      std::find_if(found.begin(), found.end(), [](const auto& hint) { return hint.has_value(); });
  return first != found.end() ? *first : std::nullopt;
}

/// The latest reset among the windows that are used up. Where no window tells what remains, one of them must
/// have been the cause, and the soonest reset is the least that can be meant.
inline std::optional<std::chrono::milliseconds> exhausted_reset(const std::vector<LimitFact>& facts) {
  std::optional<std::chrono::milliseconds> latest;
  std::optional<std::chrono::milliseconds> soonest;
  bool any_remaining = false;
  for (const LimitFact& fact : facts) {
    any_remaining = any_remaining || fact.remaining.has_value();
    if (!fact.reset_in) continue;
    if (fact.remaining == 0) latest = (std::max)(latest, fact.reset_in);
    if (!soonest || *fact.reset_in < *soonest) soonest = fact.reset_in;
  }
  return any_remaining ? latest : soonest;
}

/// Whether what an answer says of limits and in its body is about waiting. A success may report an exhausted
/// window too, and its body is the caller's; status 0 stands for an answer of which only the header is known.
constexpr bool is_refusal(int status) noexcept { return status == 0 || status >= 400; }

/// Only these speak of a limit; an internal error beside an exhausted window does not mean that window.
constexpr bool may_mean_a_limit(int status) noexcept {
  return status == 0 || status == 402 || status == 403 || status == 429 || status == 503 || status == 529;
}

}  // namespace detail

/// The server's own word on how long to wait, whatever header or body says it. In this order: a field in
/// milliseconds; Retry-After; the latest reset of the windows that are used up (on 402, 403, 429, 503, 529);
/// a hint in the body; a time named in the error's text (the last two on refusals only). nullopt = no usable
/// word, zero = now; never capped. Throws nothing for what a server sent and reads 64 KiB of a body at most.
inline std::optional<std::chrono::milliseconds> retry_hint(const Answer& answer,
                                                           std::chrono::system_clock::time_point now) {
  if (const auto wait = retry_after(answer.headers, now)) return wait;
  if (!detail::is_refusal(answer.status)) return std::nullopt;
  if (detail::may_mean_a_limit(answer.status)) {
    if (const auto wait = detail::exhausted_reset(limit_facts(answer.headers, now))) return wait;
  }
  const CalendarTime from = server_time(answer.headers, now);
  if (const auto wait = detail::hint_in_body(answer.body, from)) return wait;
  return time_named_in(error_text(answer.body), from);
}

}  // namespace tokenpool
