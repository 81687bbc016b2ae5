#pragma once
// The IETF's RateLimit header fields (draft-ietf-httpapi-ratelimit-headers). Drafts 08 and later have a list
// of policies with parameters, draft 07 one dictionary; the three separate fields of the older drafts are
// read with the other `x-ratelimit-*` relatives in dialects.hpp.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tokenpool/http/headers.hpp"
#include "tokenpool/http/structured_fields.hpp"
#include "tokenpool/quota/limit_fact.hpp"

namespace tokenpool {

namespace detail {

inline std::optional<std::int64_t> count_in(const SfBareItem* item) noexcept {
  return item != nullptr ? item->as_count() : std::nullopt;
}

inline std::optional<std::chrono::milliseconds> seconds_in(const SfBareItem* item) noexcept {
  const auto seconds = count_in(item);
  return seconds ? std::optional{std::chrono::milliseconds{std::chrono::seconds{*seconds}}} : std::nullopt;
}

inline bool names_a_policy(const SfMember& member) noexcept {
  return member.item.type == SfType::string || member.item.type == SfType::token;
}

/// Draft 07: `limit=100, remaining=50, reset=30`.
inline std::optional<LimitFact> fact_from_dictionary(const std::vector<SfMember>& members) {
  const auto item = [&members](std::string_view key) -> const SfBareItem* {
    const auto at =
        std::find_if(members.begin(), members.end(), [key](const SfMember& m) { return m.name == key; });
    return at != members.end() ? &at->item : nullptr;
  };
  if (item("limit") == nullptr && item("remaining") == nullptr) return std::nullopt;
  return LimitFact{"requests", count_in(item("limit")), count_in(item("remaining")),
                   seconds_in(item("reset"))};
}

/// The quota `q` that RateLimit-Policy gives to a policy of this name.
inline std::optional<std::int64_t> quota_of(const std::vector<SfMember>& policies, std::string_view name) {
  for (const SfMember& policy : policies) {
    if (names_a_policy(policy) && policy.item.text == name) return count_in(policy.parameter("q"));
  }
  return std::nullopt;
}

}  // namespace detail

/// What `RateLimit` and `RateLimit-Policy` say, one fact a policy. A malformed field is ignored as a whole, a
/// policy without a usable `r` (remaining) as well; unknown parameters are ignored.
inline std::vector<LimitFact> rate_limit_fields(const Headers& headers) {
  const auto lines = headers.all("RateLimit");
  if (lines.empty()) return {};
  if (const auto members = detail::parse_sf_dictionary(lines)) {
    if (auto fact = detail::fact_from_dictionary(*members)) return {std::move(*fact)};
  }
  const auto limits = detail::parse_sf_list(lines);
  const auto policies = detail::parse_sf_list(headers.all("RateLimit-Policy"));
  std::vector<LimitFact> facts;
  for (const detail::SfMember& member : limits.value_or(std::vector<detail::SfMember>{})) {
    const auto remaining = detail::count_in(member.parameter("r"));
    if (!detail::names_a_policy(member) || !remaining) continue;
    const auto quota = policies ? detail::quota_of(*policies, member.item.text) : std::nullopt;
    facts.push_back(LimitFact{member.item.text, quota, remaining, detail::seconds_in(member.parameter("t"))});
  }
  return facts;
}

}  // namespace tokenpool
