#include "refusal.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "forwarding.hpp"
#include "tokenpool/quota/attempt.hpp"

namespace gateway {
namespace {

using tokenpool::Error;
using tokenpool::ErrorCode;

/// Status and type by who is at fault.
std::pair<int, std::string_view> kind_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_request: return {400, "invalid_request_error"};
    case ErrorCode::exhausted: return {429, "rate_limit_error"};
    case ErrorCode::deadline_exceeded: return {504, "server_error"};
    case ErrorCode::no_tokens:
    case ErrorCode::cancelled:
    case ErrorCode::ledger: return {503, "server_error"};
    case ErrorCode::network:
    case ErrorCode::tls:
    case ErrorCode::protocol:
    case ErrorCode::response_too_large:
    case ErrorCode::http_status: break;
  }
  return {502, "server_error"};
}

/// A refusal that was the token's and not the client's: passed on it would look like the client's own.
bool is_about_tokens(int status) { return status == 401 || status == 402 || status == 403 || status == 429; }

}  // namespace

Reply refusal(const Error& error, tokenpool::WallTime now) {
  const auto& answer = error.response();
  if (error.code() == ErrorCode::http_status && answer && !is_about_tokens(answer->status)) {
    return {answer->status, answer_headers(answer->headers, answer->token_id, error.attempts().size()),
            answer->body};
  }
  const auto [status, type] = kind_of(error.code());
  Reply reply = error_reply(status, error.what(), type, tokenpool::to_string(error.code()));
  if (!error.attempts().empty()) {
    reply.headers.add("x-tokenpool-token", error.attempts().back().token_id);
  }
  reply.headers.add("x-tokenpool-attempts", std::to_string(error.attempts().size()));
  if (const auto at = error.retry_at()) {
    const auto left =
        std::chrono::ceil<std::chrono::seconds>((std::max)(*at - now, tokenpool::WallTime::duration::zero()));
    reply.headers.add("Retry-After", std::to_string((std::max)(left, std::chrono::seconds(1)).count()));
  }
  return reply;
}

}  // namespace gateway
