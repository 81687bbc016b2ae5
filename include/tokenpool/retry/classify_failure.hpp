#pragma once
// What it means that no answer came, in the words that answers are judged by.

#include "tokenpool/http/failure.hpp"
#include "tokenpool/quota/verdict.hpp"

namespace tokenpool {

/// `network_error` where the request surely did not reach the server, else `ambiguous`: it may have been
/// carried out.
inline Classification classify(const TransportFailure& failure) {
  const bool on_the_way = failure.kind == FailureKind::connect || failure.kind == FailureKind::proxy ||
                          failure.kind == FailureKind::tls ||
                          (failure.kind == FailureKind::lost && !failure.sent);
  Classification meaning;
  meaning.verdict = on_the_way ? Verdict::network_error : Verdict::ambiguous;
  meaning.reason = failure.detail;
  return meaning;
}

}  // namespace tokenpool
