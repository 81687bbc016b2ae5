#pragma once
// The table of all dialects that we know, and the places in a body where they keep their words.

#include "tokenpool/retry/dialect.hpp"
#include "tokenpool/retry/dialects/common.hpp"
#include "tokenpool/retry/dialects/further.hpp"
#include "tokenpool/retry/dialects/large.hpp"

namespace tokenpool {

namespace detail {

inline DialectTable make_default_dialects() {
  DialectTable table;
  table.code_paths = {"error.code",
                      "code",
                      "errors.code",
                      "error.details.violations.quotaId",
                      "error.details.reason",
                      "error.details.error_code",
                      "error.errors.reason",
                      "detail.status",
                      "detail.code",
                      "error_code",
                      "reason",
                      "__type"};
  table.type_paths = {"error.type", "error.status", "type", "errors.type", "error"};
  table.code_headers = {"x-amzn-errortype"};
  table.dialects = {openai_dialect(),       azure_dialect(),         anthropic_dialect(),
                    google_dialect(),       github_dialect(),        discord_dialect(),
                    groq_dialect(),         mistral_dialect(),       moonshot_dialect(),
                    chatanywhere_dialect(), kimi_free_api_dialect(), zhipu_dialect(),
                    openrouter_dialect(),   other_dialects(),        aws_dialect(),
                    standards_dialect(),    generic_dialect()};
  return table;
}

}  // namespace detail

/// The table of all dialects known here. Thread-safe; made at the first call.
inline const DialectTable& default_dialects() {
  static const DialectTable table = detail::make_default_dialects();
  return table;
}

}  // namespace tokenpool
