#pragma once
// The service's decisions as the answers that a client receives, so that the real classifier reads them.

#include <chrono>
#include <ctime>
#include <optional>
#include <string>

#include "service.hpp"
#include "tokenpool/http/answer.hpp"

namespace simulator {

/// `at` (seconds since 1970) as an HTTP date.
inline std::string http_date(std::int64_t at) {
  static constexpr const char* days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto two = [](std::int64_t number) {
    return std::string(number < 10 ? "0" : "") + std::to_string(number);
  };
  std::int64_t day = at / 86'400;
  const std::int64_t second = at % 86'400;
  const std::string weekday = days[day % 7];
  std::int64_t year = 1970;
  const auto leap = [](std::int64_t y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; };
  for (; day >= (leap(year) ? 366 : 365); ++year) {
    day -= leap(year) ? 366 : 365;
  }
  const int lengths[] = {31, leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int month = 0;
  for (; day >= lengths[month]; ++month) {
    day -= lengths[month];
  }
  return weekday + ", " + two(day + 1) + " " + months[month] + " " + std::to_string(year) + " " +
         two(second / 3600) + ":" + two(second / 60 % 60) + ":" + two(second % 60) + " GMT";
}

/// What the word of a refusal promises, rounded up as the header's unit asks.
inline std::optional<Length> promised(const Decision& decision, Word word) {
  using std::chrono::ceil;
  if (!decision.opens_in || word == Word::none) {
    return std::nullopt;
  }
  return word == Word::milliseconds ? Length(ceil<std::chrono::milliseconds>(*decision.opens_in))
                                    : Length(ceil<std::chrono::seconds>(*decision.opens_in));
}

inline std::string scope_word(tokenpool::Scope scope) {
  using tokenpool::Scope;
  return scope == Scope::pool      ? "service"
         : scope == Scope::token   ? "token"
         : scope == Scope::account ? "account"
         : scope == Scope::egress  ? "ip"
         : scope == Scope::bucket  ? "model"
                                   : "";
}

/// The answer to a request, made when the server's clock shows `server_seconds`.
inline tokenpool::Answer answer_for(const Decision& decision, const ServiceOptions& options,
                                    std::int64_t server_seconds) {
  tokenpool::Answer answer;
  answer.status = decision.status;
  answer.headers.add("Date", http_date(server_seconds));
  switch (decision.status) {
    case 200: answer.body = R"({"ok":true})"; return answer;
    case 401: answer.body = R"({"error":{"code":"invalid_api_key"}})"; return answer;
    case 503: answer.body = R"({"error":{"message":"try again"}})"; return answer;
    default: break;
  }
  const std::string scope = options.names_scope ? scope_word(decision.scope) : "";
  answer.body = R"({"error":{"code":"rate_limit_exceeded")" +
                (scope.empty() ? "" : R"(,"scope":")" + scope + "\"") + "}}";
  if (const std::optional<Length> wait = promised(decision, options.word)) {
    const std::int64_t milliseconds = wait->count() / 1'000'000;
    switch (options.word) {
      case Word::none: break;
      case Word::milliseconds: answer.headers.add("retry-after-ms", std::to_string(milliseconds)); break;
      case Word::seconds: answer.headers.add("Retry-After", std::to_string(milliseconds / 1000)); break;
      case Word::date:
        answer.headers.add("Retry-After", http_date(server_seconds + milliseconds / 1000));
        break;
    }
  }
  return answer;
}

}  // namespace simulator
