#pragma once
// What providers' errors mean, as rows of a table: which word or sign an answer must show, and what it stands
// for. New providers and changed words are data, so that a user adds them without touching the code that
// reads the table.

#include <array>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenpool/quota/verdict.hpp"
#include "tokenpool/retry/period.hpp"

namespace tokenpool {

/// What an error stands for. Each has one verdict and one set of flags, given in classify.hpp.
enum class Meaning {
  too_fast,         ///< Slow down: rate_limited.
  allowance_spent,  ///< A quota that is renewed by itself is gone: quota_exhausted, rests.
  must_pay,         ///< Nothing goes on until somebody pays or raises a limit: quota_exhausted, ejected.
  key_refused,      ///< The credential is unknown, revoked, expired or its account closed: token_invalid,
                    ///< ejected.
  key_in_doubt,     ///< Refused without a reason, as a firewall would: token_invalid, rests.
  key_not_allowed,  ///< This key, project or plan may not do this; another one may: forbidden.
  not_allowed,      ///< This may not be done: forbidden.
  address_refused,  ///< Not from this address or country: forbidden, in the scope of the egress.
  request_refused,  ///< The request is at fault, or larger than any limit: caller_error.
  busy,             ///< No capacity for anybody just now: overloaded.
  broken,           ///< The server failed: server_error.
  proxy_refused,    ///< A proxy on the way refused or failed: network_error.
};

/// One row: all signs that are given must be there, and the meaning follows. The texts must outlive the
/// table, as literals do. Comparison ignores the case of ASCII letters.
///
/// How strong a row is follows from the strongest sign it asks for: a word at one of the code places, a word
/// at one of the type places, header or status alone, text alone. All rows of one strength are tried before
/// the next, in order.
struct DialectRow {
  /// A machine-readable word of the body, such as `insufficient_quota`; a `*` at either end
  /// stands for anything.
  std::string_view word{};
  /// The only place where `word` counts, such as `error.code`; empty: any code or type place of the table.
  std::string_view path{};
  /// Words of the error's prose, in lower case.
  std::string_view text{};
  /// A header field that must be there; `header_value`, if given, is its value, with `*` as in `word`.
  std::string_view header{};
  std::string_view header_value{};  ///< empty: any value
  /// The statuses for which the row counts (an error inside a 2xx answer counts as 200); none: every refusal.
  std::array<int, 5> statuses{};

  Meaning meaning{Meaning::request_refused};  ///< What follows.
  /// Whose limit it is, where this answer says so.
  LimitScope scope{LimitScope::unknown};
  /// When an allowance is renewed, where the answer gives no time.
  QuotaPeriod period{QuotaPeriod::unknown};
  /// How long to rest where the answer says nothing; zero: not said either.
  std::chrono::seconds rest{};
};

/// The rows of one provider.
struct Dialect {
  std::string_view name{};         ///< of the provider
  std::vector<DialectRow> rows{};  ///< in the order in which they are asked
};

/// Where error bodies keep what, and what providers mean by it. A plain value; a table in
/// use must not change.
///
///     DialectTable table = default_dialects();
///     table.add({"acme", {{.word = "SLOW", .meaning = Meaning::too_fast}}});
///     const Classification meaning = classify(answer, now, table);
struct DialectTable {
  /// Paths of codes in a body, see JsonScalar::path.
  std::vector<std::string_view> code_paths{};
  /// Paths of the coarser types.
  std::vector<std::string_view> type_paths{};
  /// Header fields whose value is a code.
  std::vector<std::string_view> code_headers{};
  /// In the order in which they are asked.
  std::vector<Dialect> dialects{};

  /// Adds a dialect before all others, in the place of one with the same name.
  void add(Dialect dialect) {
    std::erase_if(dialects, [&](const Dialect& old) { return old.name == dialect.name; });
    dialects.insert(dialects.begin(), std::move(dialect));
  }
};

}  // namespace tokenpool
