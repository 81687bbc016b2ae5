// A server that says things in its own way. The table of what providers' errors mean takes further rows; a
// classifier of your own, which is asked first, may say anything else.
//
// server: --tokens sk-alpha,sk-beta --limit 1 --window 24h --retry-after none

#include <chrono>
#include <iostream>
#include <tokenpool/tokenpool.hpp>

int main(int argc, char** argv) {
  // At this server the code `rate_limit_exceeded` means that the day's allowance is gone.
  tokenpool::DialectTable table = tokenpool::default_dialects();
  table.add({"acme",
             {{.word = "rate_limit_exceeded",
               .meaning = tokenpool::Meaning::allowance_spent,
               .period = tokenpool::QuotaPeriod::day_utc}}});
  const tokenpool::Classifier acme = [table](const tokenpool::Answer& answer, auto now) {
    return std::optional(classify(answer, now, table));  // nullopt: no opinion, the next one is asked
  };

  // Judging is a pure function: try yours on an answer out of a log.
  const tokenpool::Answer refusal{.status = 429, .body = R"({"error": {"code": "rate_limit_exceeded"}})"};
  const auto noon = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + std::chrono::hours(12);
  std::cout << "built in: " << to_string(classify(refusal, noon).verdict) << '\n';
  const auto meaning = acme(refusal, noon);
  std::cout << "acme: " << to_string(meaning->verdict) << ", rests "
            << std::chrono::floor<std::chrono::hours>(meaning->rest.value()).count() << " hours\n";

  tokenpool::Client<> client{{
      .base_url = argc > 1 ? argv[1] : "https://api.example.com/v1",
      .tokens = tokenpool::tokens_from_env("TOKENS"),
      .classify = {acme},
  }};
  for (int i = 0; i < 2; ++i) client.get("/models");
  const auto third = client.try_send({.path = "/models"});
  std::cout << to_string(third.error().code()) << ", because of "
            << to_string(third.error().attempts().back().verdict) << '\n';
}

// prints:
//   built in: rate_limited
//   acme: quota_exhausted, rests 12 hours
//   exhausted, because of quota_exhausted
